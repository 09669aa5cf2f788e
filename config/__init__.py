"""The wiring: settings, the database, the map of the site, and nothing of the domain."""
