"""What a delivery costs: rules as text, read once and evaluated fast; no row and no request is known here."""
