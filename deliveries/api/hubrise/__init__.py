"""The HubRise dialect: orders, quotes and deliveries as tills, bridges and carriers write them, under `/v1`.

Read `urls`, then the views by their nouns. A view authorises and reads the form (`endpoint`, `auth`, `inputs`), calls one
verb of the core with what `drafts` makes of it, and prints the row (`payloads`, `formats`). Glossary: a *location* is our
store, an *access token* is our connection, a *private_ref* is one client's own name for a row, a *fee* is `fee_cents`.
"""
