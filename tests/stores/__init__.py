"""What stores are made of, tested."""
