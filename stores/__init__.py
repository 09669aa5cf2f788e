"""Who sends: accounts, their stores, the software that speaks for them, and the orders they take."""
