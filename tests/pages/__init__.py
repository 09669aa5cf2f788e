"""The pages for recipients and couriers."""
