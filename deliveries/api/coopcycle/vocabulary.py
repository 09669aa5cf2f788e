"""The words of this dialect on the wire: the context of each class, and the documentation of all of them.

Sources: the CoopCycle API for the shape of a context, the Hydra core vocabulary for the documentation.
"""

from typing import Any

from deliveries.api.coopcycle.classes import CLASSES, ERRORS, SCHEMA, Class, Kind, Operation, Property

HYDRA = "http://www.w3.org/ns/hydra/core#"

ENTRIES: dict[str, str] = {
    "delivery": "/api/deliveries",
    "task": "/api/tasks",
    "store": "/api/stores",
    "pricing_rule_set": "/api/pricing_rule_sets",
    "retail_price": "/api/retail_prices/calculate",
    "webhook": "/api/webhooks",
    "event": "/api/events",
    "me": "/api/me",
}
"""The doors that the entrypoint names."""

ALONE = (Operation("GET", "Retrieves whoever asks", returns="hydra:Resource"),)
"""What may be done at a door that opens on a single resource."""


def context(name: str, vocabulary: str) -> dict[str, Any] | None:
    """The JSON-LD context of a class, of an error or of the entrypoint; None for an unknown name.

    `vocabulary` is the documentation's own URL with `#`, which every other word expands against, so that nothing is lost.
    """
    terms: dict[str, Any] = {"@vocab": vocabulary, "hydra": HYDRA}
    if name == "Entrypoint":
        return {**terms, **{key: {"@id": f"Entrypoint/{key}", "@type": "@id"} for key in ENTRIES}}
    if name in ERRORS:
        return {**terms, "violations": f"{name}/violations"}
    if name not in CLASSES:
        return None
    for owner in _with_embedded(name):
        for each in CLASSES[owner].properties:
            terms.setdefault(each.name, each.term(owner))
    return terms


def _with_embedded(name: str) -> list[str]:
    """A class and those whose objects stand inside its own, nearest first: its context speaks for them as well."""
    found = [name]
    for owner in found:
        found += [each.of for each in CLASSES[owner].properties if each.kind is Kind.OBJECT and each.of and each.of not in found]
    return found


def documentation(title: str, vocabulary: str) -> dict[str, Any]:
    """The Hydra ApiDocumentation: every class with its properties and operations (Hydra core vocabulary)."""
    return {
        "@context": {
            "@vocab": vocabulary,
            "hydra": HYDRA,
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "xmls": "http://www.w3.org/2001/XMLSchema#",
            "owl": "http://www.w3.org/2002/07/owl#",
            "schema": SCHEMA,
            "domain": {"@id": "rdfs:domain", "@type": "@id"},
            "range": {"@id": "rdfs:range", "@type": "@id"},
            "expects": {"@id": "hydra:expects", "@type": "@id"},
            "returns": {"@id": "hydra:returns", "@type": "@id"},
        },
        "@id": "/api/docs.jsonld",
        "@type": "hydra:ApiDocumentation",
        "hydra:title": title,
        "hydra:entrypoint": {"@id": "/api"},
        "hydra:supportedClass": [*(_class(each) for each in CLASSES.values()), _entrypoint()],
    }


def _class(each: Class) -> dict[str, Any]:
    return {
        "@id": each.reference,
        "@type": "hydra:Class",
        "rdfs:label": each.name,
        "hydra:title": each.name,
        "hydra:description": each.title,
        "hydra:supportedProperty": [_property(each, item) for item in each.properties],
        "hydra:supportedOperation": [_operation(operation) for operation in each.operations],
    }


def _property(owner: Class, item: Property) -> dict[str, Any]:
    is_link = item.kind is Kind.LINK
    return {
        "@type": "hydra:SupportedProperty",
        "hydra:property": {
            "@id": f"#{owner.name}/{item.name}",
            "@type": "hydra:Link" if is_link else "rdf:Property",
            "rdfs:label": item.name,
            "domain": owner.reference,
            **({"range": CLASSES[item.of].reference} if item.of else {} if is_link or item.kind is Kind.OBJECT else {"range": item.kind}),
        },
        "hydra:title": item.name,
        "hydra:required": item.required,
        "hydra:readable": True,
        "hydra:writeable": item.writable,
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "@type": "hydra:Operation",
        "hydra:method": operation.method,
        "hydra:title": operation.title,
        "rdfs:label": operation.title,
        "returns": _reference(operation.returns),
        **({"expects": _reference(operation.expects)} if operation.expects else {}),
    }


def _reference(name: str) -> str:
    return CLASSES[name].reference if name in CLASSES else name


def _entrypoint() -> dict[str, Any]:
    return {
        "@id": "#Entrypoint",
        "@type": "hydra:Class",
        "rdfs:label": "Entrypoint",
        "hydra:title": "The API entrypoint",
        "hydra:supportedProperty": [_entry(name) for name in ENTRIES],
        "hydra:supportedOperation": [_operation(Operation("GET", "Retrieves the entrypoint", returns="#Entrypoint"))],
    }


def _entry(name: str) -> dict[str, Any]:
    operations = next((each.on_collection for each in CLASSES.values() if each.collection == ENTRIES[name]), ALONE)
    return {
        "@type": "hydra:SupportedProperty",
        "hydra:property": {
            "@id": f"#Entrypoint/{name}",
            "@type": "hydra:Link",
            "rdfs:label": name,
            "domain": "#Entrypoint",
            "hydra:supportedOperation": [_operation(operation) for operation in operations],
        },
        "hydra:title": name,
        "hydra:required": False,
        "hydra:readable": True,
        "hydra:writeable": False,
    }
