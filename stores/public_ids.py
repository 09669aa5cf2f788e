"""Public ids: short lower-case names for rows, as HubRise writes them, that tell nothing about their number."""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without i, l, o and u: these ids are read aloud between a till and a desk."""

LENGTH = 9
"""32^9 ids: with a million rows in a table, a new one meets an old one once in 35 million tries."""


def new_public_id() -> str:
    """A fresh random id such as `5dpm9x2k7`."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
