"""Where couriers are: the newest position wins, whatever order reports arrive in."""

from datetime import datetime

from django.db.models import Q

from deliveries.models import Courier
from stores import effects
from stores.places import Point


def locate(courier: Courier, point: Point, *, at: datetime) -> bool:
    """Keep a courier's position of `at`; False when a newer one is known already."""
    older = Q(located_at__isnull=True) | Q(located_at__lt=at)
    with effects.atomic():
        return Courier.objects.filter(older, pk=courier.pk).update(latitude=point.latitude, longitude=point.longitude, located_at=at) == 1
