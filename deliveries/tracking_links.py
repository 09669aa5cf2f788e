"""Where a recipient follows a delivery: the address of its page, made without asking the map of the site."""

from django.conf import settings

from deliveries.models import Delivery


def tracking_url(delivery: Delivery) -> str:
    """The absolute URL of our page about a delivery, whoever carries it."""
    return f"{settings.BASE_URL}/en/pub/d/{delivery.tracking_token}"
