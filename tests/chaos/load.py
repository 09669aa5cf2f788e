"""Clients: what tills, web shops, carriers, dispatchers and couriers do all day, sent again until it is acknowledged."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.chaos.journal import Journal

Json = Any

ANSWER_S = 20.0
HASTY_S = 0.02
HASTY = 0.05
"""How often a client hangs up before it can have been answered, and asks again."""
ASKS_AGAIN = 0.05
"""How often one that was answered asks again all the same."""
PATIENCE_S = 90.0
THINKS_S = 0.25
KEYED = ("POST", "PATCH")
REPLAYED = "Idempotency-Replayed"
PLACES = ("24, Rue de la Paix, Paris, France", "48, Rue de Rivoli, Paris, France")
CUSTOMER = {"first_name": "Ada", "last_name": "Lovelace", "address_1": "48, Rue de Rivoli", "postal_code": "75004", "city": "Paris"}


class Unacknowledged(Exception):
    """A write was not acknowledged in all that time."""


class Refused(Exception):
    """A write was refused that should not have been."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What lets somebody in, and the type of what they send."""

    headers: dict[str, str]

    @classmethod
    def till(cls, token: str) -> "Caller":
        """Somebody with a HubRise token."""
        return cls({"X-Access-Token": token, "Content-Type": "application/json"})

    @classmethod
    def bearer(cls, token: str) -> "Caller":
        """Somebody with a bearer token."""
        return cls({"Authorization": f"Bearer {token}", "Content-Type": "application/ld+json"})


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls; the listener only listens."""

    till: Caller
    listener: Caller
    shop: Caller
    dispatcher: Caller
    couriers: dict[str, Caller]
    store_id: int


class Client(threading.Thread):
    """One thread that plays one scene after the other until told to stop."""

    def __init__(self, name: str, base_url: str, cast: Cast, journal: Journal, *, seed: int) -> None:
        """Not begun yet; `seed` decides what is played."""
        super().__init__(name=name, daemon=True)
        self.cast, self.journal = cast, journal
        self.random = random.Random(seed)  # noqa: S311 - decides what is played
        self.over = threading.Event()
        self._base_url = base_url
        self._http = httpx.Client(base_url=base_url, timeout=ANSWER_S, trust_env=False)
        self._number = 0

    def run(self) -> None:
        """Play; a scene that goes wrong is a finding, and the next one begins."""
        scenes: list[Callable[[], None]] = [self.shop_delivery, self.shop_delivery, self.house_order, self.outside_order]
        while not self.over.is_set():
            scene = self.random.choice(scenes)
            try:
                scene()
            except (Unacknowledged, Refused) as trouble:
                self.journal.find(f"{scene.__name__}: {trouble}")
            except (KeyError, ValueError, TypeError) as trouble:
                self.journal.find(f"{scene.__name__}: an answer is not what it should be: {trouble!r}")
        self._http.close()

    def shop_delivery(self) -> None:
        """A web shop asks for a delivery; it is carried, called off or given up."""
        mark = self._mark()
        body = {
            "pickup": {"address": PLACES[0], "before": "tomorrow 12:00", "comments": mark},
            "dropoff": {"address": PLACES[1], "before": "tomorrow 13:30"},
        }
        made = self.write(self.cast.shop, "POST", "/api/deliveries", body)
        self.journal.mark("delivery", mark)
        iri, pickup, dropoff = made["@id"], made["pickup"]["@id"], made["dropoff"]["@id"]
        self.journal.expect(pickup, self.cast.dispatcher.headers, comments=mark, status="TODO")
        fate = self.random.random()
        if fate < 0.15:
            self.write(self.cast.shop, "DELETE", iri)
            self._ended(pickup, dropoff, "CANCELLED", "CANCELLED")
            self.journal.owe("delivery.cancelled", iri)
        else:
            self.ride(iri, pickup, dropoff, fate)

    def ride(self, iri: str, pickup: str, dropoff: str, fate: float) -> None:
        """A courier is given both tasks and does them; or the second fails, or the desk calls it off."""
        name = self.random.choice(sorted(self.cast.couriers))
        courier = self.cast.couriers[name]
        self.move(self.cast.dispatcher, pickup, "assign", {"username": name}, assignedTo=name)
        self.journal.expect(dropoff, self.cast.dispatcher.headers, assignedTo=name)
        self.journal.owe("delivery.assigned", iri)
        for verb, status in (("start", "DOING"), ("done", "DONE")):
            self.move(courier, pickup, verb, {}, status=status)
        self.journal.owe("delivery.started", iri)
        self.journal.owe("delivery.picked", iri)
        self.move(courier, dropoff, "start", {}, status="DOING")
        self.journal.owe("delivery.in_transit", iri)
        if fate < 0.25:
            self.move(courier, dropoff, "failed", {"reason": "CLOSED"}, status="FAILED")
            self.journal.owe("delivery.failed", iri)
        elif fate < 0.35:
            self.move(self.cast.dispatcher, dropoff, "cancel", {}, status="CANCELLED")
        else:
            self.move(courier, dropoff, "done", {"notes": self._mark()}, status="DONE")
            self.journal.owe("delivery.completed", iri)

    def house_order(self) -> None:
        """A till's order, a quote of the house, accepted and carried by the house; amended meanwhile."""
        order, path = self._order()
        mark = self._mark()
        offer = {"carrier": "Relais", "carrier_ref": "relais", "ref": mark, "fee": "3.90 EUR"}
        quote = self.write(self.cast.till, "POST", f"{path}/delivery_quotes", offer)
        self.journal.mark("quote", mark)
        accepted = self.write(self.cast.till, "POST", f"{path}/delivery_quotes/{quote['id']}/accept", {})
        self.journal.expect(f"{path}/delivery_quotes/{quote['id']}", self.cast.till.headers, ref=mark, accepted_at=accepted["accepted_at"])
        charge = self._mark()
        self.write(self.cast.till, "PATCH", path, {"charges": [{"name": charge, "price": "0.10 EUR"}], "seller_notes": charge})
        self.journal.mark("charge", charge)
        self.journal.expect(path, self.cast.till.headers, seller_notes=charge)
        found = self._found(order["ref"])
        if found is not None:
            self.ride(found["@id"], found["pickup"]["@id"], found["dropoff"]["@id"], self.random.random())

    def outside_order(self) -> None:
        """A till's order that an outside carrier carries, reporting as it goes; sometimes it is called off."""
        _, path = self._order()
        mark = self._mark()
        said = {"carrier": "UPS", "carrier_ref": "ups", "ref": mark, "status": "pending"}
        self.write(self.cast.till, "POST", f"{path}/delivery", said)
        self.journal.expect(f"{path}/delivery", self.cast.till.headers, ref=mark)
        ways = [["pickup_enroute", "dropoff_enroute", "delivered"], ["pickup_enroute", "cancelled"], ["pickup_waiting", "delivered"]]
        for status in self.random.choice(ways):
            self.write(self.cast.till, "PATCH", f"{path}/delivery", {"status": status, "driver_name": mark})
            self.journal.expect(f"{path}/delivery", self.cast.till.headers, status=status, driver_name=mark)
            position = {"driver_latitude": f"48.8{self.random.randrange(1000, 10000)}1", "driver_longitude": "2.352222"}
            self.write(self.cast.till, "PATCH", f"{path}/delivery", position)
            self.journal.expect(f"{path}/delivery", self.cast.till.headers, **position)
        status = self.random.choice(["completed", "cancelled"])
        self.write(self.cast.till, "PATCH", path, {"status": status})
        self.journal.expect(path, self.cast.till.headers, status=status)

    def move(self, caller: Caller, task: str, verb: str, body: Json, **after: Json) -> None:
        """A PUT on a task, which bears no key: whoever hears that it was done already looks whether it is so."""
        try:
            self.write(caller, "PUT", f"{task}/{verb}", body)
        except Refused as trouble:
            found = self.read(self.cast.dispatcher, task)
            if any(found[name] != value for name, value in after.items()):
                raise Refused(f"{trouble}, and it is {found['status']}, with {found['assignedTo']}") from trouble
            self.journal.count("found done")
        self.journal.expect(task, self.cast.dispatcher.headers, **after)

    def write(self, caller: Caller, method: str, path: str, body: Json = None) -> Json:
        """Send a write again and again until it is acknowledged, under one key; what it was answered."""
        key = {"Idempotency-Key": f'"{uuid.UUID(int=self.random.getrandbits(128), version=4)}"'} if method in KEYED else {}
        answer = self._insist(caller.headers | key, method, path, body)
        if answer.status_code >= 400:
            raise Refused(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        self.journal.count("acknowledged")
        if key and self.random.random() < ASKS_AGAIN:
            again = self._insist(caller.headers | key, method, path, body)
            if (again.status_code, again.content, again.headers.get(REPLAYED)) != (answer.status_code, answer.content, "true"):
                self.journal.find(f"{method} {path} was answered otherwise the second time: {again.status_code} {again.text[:300]}")
            self.journal.count("replayed")
        time.sleep(self.random.random() * THINKS_S)
        return answer.json() if answer.content else None

    def read(self, caller: Caller, path: str) -> Json:
        """What is there."""
        answer = self._insist(caller.headers, "GET", path, None)
        if answer.status_code != 200:
            raise Refused(f"GET {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def _insist(self, headers: dict[str, str], method: str, path: str, body: Json) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_S
        last = ""
        while time.monotonic() < deadline:
            hasty = self.random.random() < HASTY
            self.journal.count("requests")
            try:
                answer = self._http.request(method, path, headers=headers, json=body, timeout=HASTY_S if hasty else ANSWER_S)
            except httpx.TransportError as trouble:
                last = type(trouble).__name__
                self.journal.count(f"retried after {last}")
                if isinstance(trouble, httpx.ReadTimeout) and not hasty:
                    self.journal.find(f"{method} {path} was not answered within {ANSWER_S:.0f} s")
                time.sleep(0.1)
                continue
            if answer.status_code not in (409, 429) and answer.status_code < 500:
                return answer
            last = str(answer.status_code)
            self.journal.count(f"retried after {last}")
            if answer.status_code in (409, 503) and "Retry-After" not in answer.headers:
                self.journal.find(f"{method} {path} was answered {last} without Retry-After: {answer.text[:300]}")
            if answer.status_code >= 500 and answer.status_code != 503:
                self.journal.find(f"{method} {path} was answered {last}: {answer.text[:300]}")
            time.sleep(min(1.0, float(answer.headers.get("Retry-After", "0.5"))))
        raise Unacknowledged(f"{method} {path} was not acknowledged in {PATIENCE_S:.0f} s, last: {last}")

    def _order(self) -> tuple[Json, str]:
        mark = self._mark()
        due = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")
        items = [{"product_name": "Pizza", "price": "11.90 EUR", "quantity": "1"}]
        body = {"status": "new", "ref": mark, "service_type": "delivery", "expected_time": due, "items": items, "customer": CUSTOMER}
        order = self.write(self.cast.till, "POST", "/v1/location/orders", body)
        self.journal.mark("order", mark)
        path = f"/v1/location/orders/{order['id']}"
        self.journal.expect(path, self.cast.till.headers, ref=mark)
        return order, path

    def _found(self, ref: str) -> Json | None:
        """An order's delivery, in the other dialect, when it is among the latest."""
        latest = self.read(self.cast.dispatcher, f"/api/stores/{self.cast.store_id}/deliveries?order[createdAt]=desc&itemsPerPage=30")
        for delivery in latest["hydra:member"]:
            if any(task["metadata"].get("order_number") == ref for task in delivery["tasks"]):
                return delivery
        return None

    def _ended(self, pickup: str, dropoff: str, first: str, second: str) -> None:
        for task, status in ((pickup, first), (dropoff, second)):
            self.journal.expect(task, self.cast.dispatcher.headers, status=status)

    def _mark(self) -> str:
        """A word that is nobody else's."""
        self._number += 1
        return f"{self.name}-{self._number}"
