"""Where a recipient follows a delivery: the address of its page, made without asking the map of the site."""

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:  # the checks of settings read this module before there are models
    from deliveries.models import Delivery

LANGUAGES = ("en", "fr")
"""What the page is written in."""


def tracking_url(delivery: "Delivery") -> str:
    """The absolute URL of our page about a delivery, whoever carries it, in the language of the instance's recipients."""
    return f"{settings.BASE_URL}/{settings.RELAIS_RECIPIENT_LANGUAGE}/pub/d/{delivery.tracking_token}"
