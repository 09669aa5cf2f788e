"""Addresses taken at their store's point are looked up again, and their deliveries measured anew."""

from datetime import datetime

from deliveries import events
from deliveries.events import Happening
from deliveries.models import Delivery, Task
from deliveries.statuses import OPEN
from stores import distances, effects, places
from stores.actors import Actor
from stores.models import Address
from stores.places import Point


def locate_again(*, limit: int, by: Actor, at: datetime) -> int:
    """Look up at most `limit` addresses of open tasks that need review; returns how many were found.

    Stops at once when the geocoder is down: the next run is soon enough.
    """
    geocoder = places.geocoder()
    waiting = Address.objects.filter(needs_review=True, tasks__status__in=OPEN).distinct().order_by("id")[:limit]
    found = 0
    for address in waiting:
        try:
            place = geocoder.locate(address.street_address)
        except places.GeocoderDown:
            break
        if place is not None and place.point is not None:
            put_at(address, place.point, by=by, at=at)
            found += 1
    return found


def put_at(address: Address, point: Point, *, by: Actor, at: datetime) -> None:
    """Set the point of an address, end its review, and measure the deliveries that go there anew."""
    tasks = list(Task.objects.filter(address=address, status__in=OPEN).select_related("delivery"))
    deliveries = {task.delivery.pk: task.delivery for task in tasks if task.delivery is not None}
    routes = {pk: _route(delivery, address, point) for pk, delivery in sorted(deliveries.items())}
    with effects.atomic():
        for pk, route in routes.items():
            Delivery.objects.filter(pk=pk).update(
                distance=route.distance_m, duration=route.duration_s, polyline=route.polyline, updated_at=at
            )
        Address.objects.filter(pk=address.pk).update(latitude=point.latitude, longitude=point.longitude, needs_review=False)
        told = [Happening(kind="task.updated", task=task, delivery=task.delivery, data={"located": True}) for task in tasks]
        events.record(told, by=by, at=at)


def _route(delivery: Delivery, moved: Address, to: Point) -> distances.Route:
    stops = delivery.tasks.select_related("address").order_by("position")
    return distances.router().route([to if stop.address_id == moved.pk else stop.address.point for stop in stops])
