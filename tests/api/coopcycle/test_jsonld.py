"""Answers are linked data: their contexts resolve, and expanding them loses nothing."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from pyld import jsonld

from deliveries.api.coopcycle import vocabulary
from deliveries.api.coopcycle.classes import CLASSES, ERRORS
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import Knock, World
from tests.factories import NOON

HOST = "http://testserver"
PROCESSOR = "application/ld+json;profile=http://www.w3.org/ns/json-ld#context, application/ld+json, application/json;q=0.8"

ANSWERS = [
    ("client", "/api/deliveries/{delivery}"),
    ("client", "/api/tasks/{pickup}"),
    ("client", "/api/stores/{store}/deliveries"),
    ("client", "/api/stores/{store}"),
    ("client", "/api/addresses/{address}"),
    ("client", "/api/orders/{order}"),
    ("client", "/api/me"),
    ("client", "/api/tasks/{pickup}/events"),
    ("dispatcher", "/api/tasks"),
    ("dispatcher", "/api/stores"),
    ("dispatcher", "/api/me"),
    ("courier", f"/api/me/tasks/{NOON:%Y-%m-%d}"),
    ("courier", "/api/pricing_rule_sets"),
    ("courier", "/api/pricing_rule_sets/{rules}"),
    ("courier", "/api/pricing_rule_sets/{rules}/applications"),
    ("client", "/api/webhooks"),
    ("client", "/api/webhooks/{hook}"),
    ("client", "/api/webhooks/{hook}/state"),
    ("client", "/api/webhooks/{hook}/calls"),
    ("client", "/api/webhooks/{hook}/calls/{call}"),
    ("client", "/api/events"),
    ("client", "/api/deliveries/999999"),
    ("dispatcher", "/api"),
]


def load(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Fetch a context as a JSON-LD processor does: by its URL, without a token."""
    answer = Knock().get(urlsplit(url).path, accept=PROCESSOR)
    assert answer.status_code == 200, url
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": answer.json()}


def expand(payload: Any, path: str) -> Any:
    return jsonld.expand(payload, {"base": HOST + path, "documentLoader": load})


def leaves(value: Any) -> Iterator[str]:
    """Every value of a payload that says something, as text; nulls and empty lists say nothing in JSON-LD."""
    if isinstance(value, dict):
        for key, held in value.items():
            if key not in ("@context", "@id", "@type"):
                yield from leaves(held)
            elif key != "@context":
                yield from (f"{key} {word}" for word in ([held] if isinstance(held, str) else held))
    elif isinstance(value, list):
        for held in value:
            yield from leaves(held)
    elif value is not None:
        yield repr(value)


def kept(value: Any) -> Iterator[str]:
    """Every value of an expanded document, in the same words."""
    if isinstance(value, list):
        for held in value:
            yield from kept(held)
    elif isinstance(value, dict):
        if "@value" in value:
            yield from leaves(value["@value"])
            return
        for key, held in value.items():
            if key in ("@id", "@type"):
                yield from (f"{key} {word}" for word in ([held] if isinstance(held, str) else held))
            else:
                yield from kept(held)


def spelled_out(word: str) -> str:
    """An IRI, a class or a link as expansion writes it."""
    if word.startswith("@type "):
        name = word.removeprefix("@type ")
        name = name.replace("hydra:", vocabulary.HYDRA)
        return f"@type {name if '://' in name else f'{HOST}/api/docs.jsonld#{name}'}"
    return f"@id {urljoin(HOST, word.removeprefix('@id '))}" if word.startswith("@id ") else word


@pytest.mark.parametrize(("caller", "path"), ANSWERS)
def test_expansion_loses_nothing(world: World, caller: str, path: str) -> None:
    pickup, _ = world.task_ids(world.held)
    address = world.held.tasks.order_by("position")[0].address_id
    hook = webhooks.subscribed(world)
    call = webhooks.owed(hook)
    webhooks.happened(world)
    known = {"delivery": world.held.pk, "pickup": pickup, "store": world.store.pk, "address": address, "hook": hook.pk, "call": call.pk}
    path = path.format(**known, order=world.held.order_id, rules=prices.rule(world).rule_set_id)
    payload = world[caller].get(path).json()

    expanded = expand(payload, path)

    said = Counter(spelled_out(word) for word in leaves(payload))
    told = Counter(kept(expanded))
    for word, times in said.items():
        link = f"@id {HOST}{word[1:-1]}"
        if word not in told and link in told:  # text here, an IRI there
            told[word], told[link] = times, told[link] - times
    assert said - told == Counter()


@pytest.mark.parametrize("name", [*CLASSES, *ERRORS, "Entrypoint"])
def test_every_context_resolves_and_speaks_the_documentation(name: str) -> None:
    context = load(f"{HOST}/api/contexts/{name}", {})["document"]["@context"]
    assert context["@vocab"] == f"{HOST}/api/docs.jsonld#"
    assert jsonld.expand({"@context": context, "@id": "/x", "hydra:title": "kept"}, {"base": HOST})[0][f"{vocabulary.HYDRA}title"]


def test_an_unknown_context_is_not_there() -> None:
    assert Knock().get("/api/contexts/Nonsense").status_code == 404


def test_the_documentation_describes_every_class_and_door() -> None:
    documented = expand(Knock().get("/api/docs.jsonld").json(), "/api/docs.jsonld")[0]
    classes = {each["@id"]: each for each in documented[f"{vocabulary.HYDRA}supportedClass"]}

    assert documented[f"{vocabulary.HYDRA}entrypoint"] == [{"@id": f"{HOST}/api"}]
    assert "http://schema.org/ParcelDelivery" in classes
    for each in classes.values():
        for operation in each.get(f"{vocabulary.HYDRA}supportedOperation", []):
            assert operation[f"{vocabulary.HYDRA}returns"]
            assert operation[f"{vocabulary.HYDRA}method"]
            assert operation[f"{vocabulary.HYDRA}title"]
    doors = {
        item[f"{vocabulary.HYDRA}property"][0]["http://www.w3.org/2000/01/rdf-schema#label"][0]["@value"]
        for item in classes[f"{HOST}/api/docs.jsonld#Entrypoint"][f"{vocabulary.HYDRA}supportedProperty"]
    }
    assert doors == set(Knock().get("/api").json()) - {"@context", "@id", "@type"}


@pytest.mark.parametrize(
    ("kind", "path"),
    [("Delivery", "/api/deliveries/{delivery}"), ("Task", "/api/tasks/{pickup}"), ("Store", "/api/stores/{store}"), ("ApiApp", "/api/me")],
)
def test_every_key_of_an_answer_is_a_word_of_its_class(world: World, kind: str, path: str) -> None:
    pickup, _ = world.task_ids(world.held)
    payload = world["client"].get(path.format(delivery=world.held.pk, pickup=pickup, store=world.store.pk)).json()
    words = {each.name for each in CLASSES[kind].properties}
    assert {key for key in payload if not key.startswith("@")} <= words
