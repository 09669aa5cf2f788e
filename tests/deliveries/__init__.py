"""Tests of the core of deliveries, one file for each module."""
