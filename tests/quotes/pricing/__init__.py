"""Tests of what deliveries cost."""
