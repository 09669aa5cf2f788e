"""What every page knows: the name of the instance."""

from django.conf import settings
from django.http import HttpRequest


def brand(request: HttpRequest) -> dict[str, str]:
    """`{"brand": ...}` for templates."""
    return {"brand": settings.RELAIS_BRAND}
