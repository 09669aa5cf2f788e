"""The error catalogue, row by row, and a word for every refusal of the core."""

from typing import Any

import pytest

from deliveries import amending, booking, intake, relocating, stops, transitions
from deliveries.api.coopcycle import errors
from deliveries.models import Delivery
from stores.models import Order
from stores.refusals import Invalid, Missing, Refused
from tests.api.coopcycle.knocking import World

CORE = (amending, booking, intake, relocating, stops, transitions)
"""Imported, so that every refusal is defined."""

NOT_BLANK = "This value should not be blank."
BLANK_CODE = "c1051bb4-d103-4f74-8988-acbcafc7fdc3"
GOOD = {"address": "48, Rue de Rivoli, Paris", "before": "tomorrow 13:30"}
Violation = tuple[str, str, str | None]

VIOLATIONS: dict[str, tuple[Any, list[Violation]]] = {
    "no time on any point": (
        {"pickup": {"address": "24, Rue de la Paix"}, "dropoff": {"address": "48, Rue de Rivoli"}},
        [("items[0].task.doneBefore", NOT_BLANK, BLANK_CODE), ("items[1].task.doneBefore", NOT_BLANK, BLANK_CODE)],
    ),
    "nothing at all": (
        {},
        [
            ("items[1].task.address", NOT_BLANK, BLANK_CODE),
            ("items[0].task.doneBefore", NOT_BLANK, BLANK_CODE),
            ("items[1].task.doneBefore", NOT_BLANK, BLANK_CODE),
        ],
    ),
    "dropoff before pickup": (
        {"pickup": {"before": "tomorrow 15:00"}, "dropoff": GOOD},
        [("items", "Dropoff date must be after pickup date.", None)],
    ),
    "one task": ({"tasks": [GOOD]}, [("items", "Delivery must consist of two tasks.", None)]),
    "after at before": (
        {"dropoff": {**GOOD, "after": "tomorrow 13:30"}},
        [("items[1].task.doneBefore", "The time frame is not valid", None)],
    ),
    "no dropoff address": ({"dropoff": {"before": "tomorrow 13:30"}}, [("items[1].task.address", NOT_BLANK, BLANK_CODE)]),
    "an address object without street": (
        {"dropoff": {**GOOD, "address": {"contactName": "Ada"}}},
        [("items[1].task.address.streetAddress", NOT_BLANK, BLANK_CODE)],
    ),
    "a point off the Earth": (
        {"dropoff": {**GOOD, "address": {"streetAddress": "x", "latLng": [91, 0]}}},
        [("items[1].task.address", "91.0, 0.0 is not a point: latitude goes from -90 to 90, longitude from -180 to 180.", None)],
    ),
    "a point of words": (
        {"dropoff": {**GOOD, "address": {"streetAddress": "x", "geo": {"latitude": "north"}}}},
        [("items[1].task.address", "This value should be a latitude and a longitude.", None)],
    ),
    "an address that is a number": (
        {"dropoff": {**GOOD, "address": 7}},
        [("items[1].task.address", "This value should be of type object.", None)],
    ),
    "a weight of words": ({"dropoff": {**GOOD, "weight": "heavy"}}, [("items[1].task.weight", "This value should be of type int.", None)]),
    "a weight below zero": (
        {"dropoff": {**GOOD, "weight": -1}},
        [("items[1].task.weight", "This value should be between 0 and 2147483647.", None)],
    ),
    "a huge weight": (
        {"dropoff": {**GOOD, "weight": 1e30}},
        [("items[1].task.weight", "This value should be between 0 and 2147483647.", None)],
    ),
    "a weight beside": ({"dropoff": GOOD, "weight": 1.5}, [("weight", "This value should be of type int.", None)]),
    "packages that are no list": (
        {"dropoff": {**GOOD, "packages": "XL"}},
        [("items[1].task.packages", "This value should be of type array.", None)],
    ),
    "a quantity of words": (
        {"dropoff": {**GOOD, "packages": [{"type": "XL", "quantity": "many"}]}},
        [("items[1].task.packages[0].quantity", "This value should be of type int.", None)],
    ),
    "a slot with one end": (
        {"dropoff": {**GOOD, "timeSlot": ["a"]}},
        [("items[1].task.timeSlot", "This value should be a range of time, or its two ends.", None)],
    ),
    "a slot that is an object": (
        {"dropoff": {**GOOD, "timeSlot": {"a": 1}}},
        [("items[1].task.timeSlot", "This value should be a range of time, or its two ends.", None)],
    ),
    "a slot of numbers": (
        {"dropoff": {**GOOD, "timeSlot": [None, True]}},
        [("items[1].task.timeSlot", "This value should be a range of time, or its two ends.", None)],
    ),
    "a date that is an object": (
        {"dropoff": {**GOOD, "before": {"a": None}}},
        [("items[1].task.doneBefore", "This value should be of type string.", None)],
    ),
    "a date that is true": (
        {"dropoff": {**GOOD, "after": True}},
        [("items[1].task.doneAfter", "This value should be of type string.", None)],
    ),
    "a point of nothing": (
        {"dropoff": {**GOOD, "address": {"streetAddress": "x", "latLng": [None, True]}}},
        [("items[1].task.address", "This value should be a latitude and a longitude.", None)],
    ),
    "comments that are a list": (
        {"dropoff": {**GOOD, "comments": []}},
        [("items[1].task.comments", "This value should be of type string.", None)],
    ),
    "comments without end": (
        {"dropoff": {**GOOD, "comments": "x" * 10_001}},
        [("items[1].task.comments", "This value is too long. It should have 10000 characters or less.", None)],
    ),
    "tags that are a number": ({"dropoff": {**GOOD, "tags": 7}}, [("items[1].task.tags", "This value should be of type array.", None)]),
    "metadata that is a list": (
        {"dropoff": {**GOOD, "metadata": [1]}},
        [("items[1].task.metadata", "This value should be of type object.", None)],
    ),
    "metadata without end": (
        {"dropoff": {**GOOD, "metadata": {"a": "x" * 60_000}}},
        [("items[1].task.metadata", "This value is too large.", None)],
    ),
    "an unknown type": (
        {"tasks": [{"type": "PICKUP"}, {"type": "teleport", **GOOD}, GOOD]},
        [("items[1].task.type", "The value you selected is not a valid choice.", None)],
    ),
    "a pickup that is a text": ({"pickup": "here", "dropoff": GOOD}, [("items[0]", "This value should be of type object.", None)]),
    "tasks that are an object": ({"tasks": {"a": 1}}, [("items", "This value should be of type array.", None)]),
    "too many tasks": ({"tasks": [GOOD] * 201}, [("items", "This collection should contain 200 elements or less.", None)]),
    "a store that is a number": ({"store": 1, "dropoff": GOOD}, [("store", "This value should be an IRI.", None)]),
    "a body that is a list": ([1], [("", "This value should be of type object.", None)]),
    "two fields at once": (
        {"pickup": {"weight": "x"}, "dropoff": {**GOOD, "comments": 1}},
        [
            ("items[0].task.weight", "This value should be of type int.", None),
            ("items[1].task.comments", "This value should be of type string.", None),
        ],
    ),
}

SENTENCES: dict[str, tuple[Any, str]] = {
    "a bad phone": (
        {"dropoff": {**GOOD, "address": {"streetAddress": "48, Rue de Rivoli", "telephone": "call me"}}},
        "The string supplied did not seem to be a phone number.",
    ),
    "an unknown slot": ({"dropoff": {**GOOD, "timeSlotUrl": "/api/time_slots/123456"}}, 'Item not found for "/api/time_slots/123456".'),
    "a slot of another kind": ({"dropoff": {**GOOD, "timeSlotUrl": "/api/tasks/1"}}, 'Item not found for "/api/tasks/1".'),
    "an unknown address": ({"dropoff": {**GOOD, "address": "/api/addresses/123456"}}, 'Item not found for "/api/addresses/123456".'),
    "an address with no number": ({"dropoff": {**GOOD, "address": "/api/addresses/x"}}, 'Item not found for "/api/addresses/x".'),
    "an unknown store": ({"store": "/api/stores/123456", "dropoff": GOOD}, 'Item not found for "/api/stores/123456".'),
    "cash where none is taken": ({"order": {"paymentMethod": "cash_on_delivery"}, "dropoff": GOOD}, "order.paymentMethod is not valid"),
    "shells": ({"order": {"paymentMethod": "cowries"}, "dropoff": GOOD}, "order.paymentMethod is not valid"),
    "a date that is none": (
        {"dropoff": {**GOOD, "before": "when the cows come home"}},
        "items[1].task.doneBefore: “when the cows come home” is not a date we can read.",
    ),
    "a date that is a number": ({"dropoff": {**GOOD, "before": 7}}, "items[1].task.doneBefore: A date must be a text."),
    "a slot that runs backwards": (
        {"dropoff": {**GOOD, "timeSlot": ["2026-11-21 11:00", "2026-11-21 10:00"]}},
        "items[1].task.timeSlot: “2026-11-21 11:00 - 2026-11-21 10:00” does not end after it begins.",
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_violations_name_the_field(world: World, name: str) -> None:
    body, expected = VIOLATIONS[name]
    refused = _refused(world, body)
    assert [(one["propertyPath"], one["message"], one["code"]) for one in refused["violations"]] == expected
    assert (refused["@context"], refused["@type"]) == ("/api/contexts/ConstraintViolationList", "ConstraintViolationList")
    assert refused["hydra:title"] == "An error occurred"
    assert refused["hydra:description"] == "\n".join(f"{path}: {message}" if path else message for path, message, _ in expected)


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences(world: World, name: str) -> None:
    body, expected = SENTENCES[name]
    assert _refused(world, body) == {
        "@context": "/api/contexts/Error",
        "@type": "hydra:Error",
        "hydra:title": "An error occurred",
        "hydra:description": expected,
    }


def _refused(world: World, body: Any) -> Any:
    before = (Delivery.objects.count(), Order.objects.count())
    response = world["client"].post("/api/deliveries", body)
    assert response.status_code == 400, response.content
    assert (Delivery.objects.count(), Order.objects.count()) == before
    return response.json()


def test_a_geocoder_that_knows_better_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sure:
        is_authoritative = True

        def locate(self, text: str) -> None:
            return None

    monkeypatch.setattr("stores.places.geocoder", Sure)
    refused = _refused(world, {"dropoff": {**GOOD, "address": "1, Nowhere Lane"}})
    assert [one["propertyPath"] for one in refused["violations"]] == ["items[1].task.address"]


def test_every_refusal_has_a_word() -> None:
    def below(kind: type[Refused]) -> set[type[Refused]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert all(module.__name__.startswith("deliveries.") for module in CORE)
    core = {kind for kind in below(Refused) - {Refused} if not kind.__module__.startswith("deliveries.api.")}
    assert {kind.__name__ for kind in core if kind not in errors.WORDS} == set()
    own = {kind for kind in below(Refused) if kind.__module__.startswith("deliveries.api.coopcycle")}
    assert all(errors.word(kind("x")) for kind in own)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("tasks", 0, "before"), "items[0].task.doneBefore"),
        (("tasks", 1, "address"), "items[1].task.address"),
        (("tasks", 1, "address", "streetAddress"), "items[1].task.address.streetAddress"),
        (("tasks", 1, "packages", 0, "quantity"), "items[1].task.packages[0].quantity"),
        (("tasks", 3), "items[3]"),
        (("tasks",), "items"),
        (("order", "arbitraryPrice"), "order.arbitraryPrice"),
        ((), ""),
    ],
)
def test_paths_are_written_as_clients_know_them(path: tuple[str | int, ...], written: str) -> None:
    assert errors.property_path(path) == written


def test_several_problems_are_told_together() -> None:
    status, said = errors.refused(Invalid(Missing("a", path=("x",)), Missing("b", path=("y",))), plain=False)
    assert (status, said["hydra:description"]) == (400, "x: a\ny: b")


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/api/deliveries/{held}", 403, "Access Denied."),
        ("GET", "/api/deliveries/123456", 404, "Not Found"),
        ("GET", "/api/tasks/123456", 404, "Not Found"),
        ("GET", "/api/addresses/123456", 404, "Not Found"),
        ("GET", "/api/stores/123456/deliveries", 404, "Not Found"),
        ("GET", "/api/orders/{order}", 403, "Access Denied."),
        ("GET", "/api/orders/123456", 404, "Not Found"),
    ],
)
def test_anothers_is_403_and_nobodys_is_404(world: World, method: str, path: str, status: int, sentence: str) -> None:
    response = world["neighbour's client"].call(method, path.format(held=world.held.pk, order=world.held.order_id))
    assert (response.status_code, response.json()["hydra:description"]) == (status, sentence)


NOWHERE = "This value should be a number of degrees."


@pytest.mark.parametrize(
    ("sent", "problems"),
    [
        ({"longitude": 2}, [("positions[0].latitude", NOT_BLANK)]),
        ([{"latitude": 48, "longitude": 2}, {"latitude": 48, "longitude": True}], [("positions[1].longitude", NOWHERE)]),
        ([{"latitude": "x", "longitude": [None]}], [("positions[0].latitude", NOWHERE), ("positions[0].longitude", NOWHERE)]),
        (
            [{"latitude": 91, "longitude": -181}],
            [
                ("positions[0].latitude", "This value should be between -90 and 90."),
                ("positions[0].longitude", "This value should be between -180 and 180."),
            ],
        ),
        ([{"latitude": 48, "longitude": 2, "time": "noon"}], [("positions[0].time", "This value is not a valid datetime.")]),
        ([{"latitude": 48, "longitude": 2, "time": {"a": None}}], [("positions[0].time", "This value should be of type int.")]),
        ([None], [("positions[0].latitude", NOT_BLANK), ("positions[0].longitude", NOT_BLANK)]),
        (["here"], [("positions[0]", "This value should be of type object.")]),
    ],
)
def test_positions_name_the_field(world: World, sent: Any, problems: list[tuple[str, str]]) -> None:
    refused = world["courier"].post("/api/me/location", sent)
    assert refused.status_code == 400
    assert [(one["propertyPath"], one["message"]) for one in refused.json()["violations"]] == problems
