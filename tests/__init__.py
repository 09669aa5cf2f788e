"""Proof that it works; the folders mirror the source."""
