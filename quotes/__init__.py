"""What was offered: quotes of carriers, and the prices behind the house's own."""
