"""Tests of what carriers offer."""
