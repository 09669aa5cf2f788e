"""Addresses as people read them: the town is said once, wherever the sender wrote it."""

import re

from stores.models import Address


def lines(address: Address) -> list[str]:
    """The street, and the town when the street does not name it; a postal code goes before the town it belongs to."""
    street, code, city = address.street_address.strip(), address.postal_code.strip(), address.locality.strip()
    town = " ".join(part for part in (code, city) if part)
    if not town or _has(street, town) or (code and city and _has(street, code) and _has(street, city)):
        return [street] if street else [town]
    parts = [part.strip() for part in street.split(",")]
    named = [index for index, part in enumerate(parts) if city and re.fullmatch(rf"(\d[\d -]* )?{re.escape(city)}", part, re.IGNORECASE)]
    if not named:
        return [street, town] if street else [town]
    last = named[-1]
    if parts[last].casefold() == city.casefold():
        parts[last] = " ".join(part for part in (code, parts[last]) if part)
    return [", ".join(parts)]


def _has(street: str, words: str) -> bool:
    return re.search(rf"\b{re.escape(words)}\b", street, re.IGNORECASE) is not None
