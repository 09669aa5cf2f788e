"""The words of this dialect: every class with its properties and operations, from which contexts and docs are printed.

Sources: the CoopCycle API for the shape of a context, the Hydra core vocabulary for the documentation.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

HYDRA = "http://www.w3.org/ns/hydra/core#"
SCHEMA = "http://schema.org/"


class Kind(StrEnum):
    """What a property holds, by the name of its range."""

    TEXT = "xmls:string"
    INTEGER = "xmls:integer"
    DECIMAL = "xmls:decimal"
    BOOLEAN = "xmls:boolean"
    MOMENT = "xmls:dateTime"
    DATE = "xmls:date"
    LINK = "link"
    OBJECT = "object"
    JSON = "rdf:JSON"


@dataclass(frozen=True, slots=True)
class Property:
    """One key of a class: what it holds, of which class when it is one, and whether a client may send it."""

    name: str
    kind: Kind = Kind.TEXT
    of: str = ""
    writable: bool = False
    required: bool = False

    def term(self, owner: str) -> Any:
        """How a context defines the key; links become IRIs, free-form JSON is kept to the letter."""
        word = f"{owner}/{self.name}"
        if self.kind is Kind.LINK:
            return {"@id": word, "@type": "@id"}
        return {"@id": word, "@type": "@json"} if self.kind is Kind.JSON else word


@dataclass(frozen=True, slots=True)
class Operation:
    """A call: on a resource of a class, or below it at `path`; `expects` and `returns` name classes."""

    method: str
    title: str
    path: str = ""
    expects: str = ""
    returns: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of resources; `iri` where the dialect uses a word of schema.org for its `@type`."""

    name: str
    title: str
    properties: tuple[Property, ...]
    iri: str = ""
    operations: tuple[Operation, ...] = ()
    collection: str = ""
    on_collection: tuple[Operation, ...] = ()

    @property
    def reference(self) -> str:
        """The name of the class inside the documentation."""
        return self.iri or f"#{self.name}"


def _words(kind: Kind, *names: str, writable: bool = False) -> tuple[Property, ...]:
    return tuple(Property(name, kind, writable=writable) for name in names)


def _move(name: str, title: str, of: str = "Task") -> Operation:
    return Operation("PUT", title, path=name, expects=of, returns=of)


_WINDOW = _words(Kind.MOMENT, "after", "before", "doneAfter", "doneBefore", writable=True)

_TASK = Class(
    "Task",
    "A pickup or a dropoff at an address in a window of time",
    (
        *_words(Kind.INTEGER, "id", "emittedCo2", "traveledDistanceMeter"),
        *_words(Kind.TEXT, "type", "status", "assignedTo", "orgName", "ref"),
        Property("address", Kind.OBJECT, "Address", writable=True),
        *_WINDOW,
        Property("comments", writable=True),
        *_words(Kind.MOMENT, "createdAt", "updatedAt"),
        *_words(Kind.BOOLEAN, "isAssigned", "doorstep", "hasIncidents"),
        Property("previous", Kind.LINK, "Task"),
        Property("next", Kind.LINK, "Task"),
        Property("recurrenceRule", Kind.LINK),
        *_words(Kind.OBJECT, "group", "images", "incidents", "barcode"),
        Property("tags", Kind.OBJECT, "Tag", writable=True),
        Property("packages", Kind.OBJECT, "Package", writable=True),
        Property("weight", Kind.INTEGER, writable=True),
        Property("metadata", Kind.JSON, writable=True),
    ),
    operations=(
        Operation("GET", "Retrieves a task", returns="Task"),
        _move("start", "Starts a task"),
        _move("done", "Completes a task"),
        _move("failed", "Marks a task as failed"),
        _move("assign", "Assigns a task to a courier"),
        _move("unassign", "Takes a task from its courier"),
        _move("cancel", "Cancels a task"),
        _move("restore", "Restores a task"),
        _move("reschedule", "Gives a task another window"),
    ),
    collection="/api/tasks",
    on_collection=(Operation("GET", "Retrieves the tasks that the caller may see", returns="hydra:Collection"),),
)

_DELIVERY = Class(
    "Delivery",
    "Something carried from its pickups to its dropoffs",
    (
        *_words(Kind.INTEGER, "id", "distance", "duration"),
        *_words(Kind.TEXT, "polyline", "trackingUrl"),
        Property("store", Kind.LINK, "Store", writable=True),
        Property("tasks", Kind.OBJECT, "Task", writable=True),
        Property("pickup", Kind.OBJECT, "Task", writable=True),
        Property("dropoff", Kind.OBJECT, "Task", writable=True, required=True),
        Property("order", Kind.OBJECT, "Order"),
        Property("location", Kind.OBJECT),
    ),
    iri=f"{SCHEMA}ParcelDelivery",
    operations=(
        Operation("GET", "Retrieves a delivery", returns="Delivery"),
        Operation("PUT", "Changes a delivery", expects="Delivery", returns="Delivery"),
        Operation("DELETE", "Cancels a delivery", returns="owl:Nothing"),
        _move("pick", "Marks what is to be picked up as picked up", "Delivery"),
        _move("drop", "Marks what is to be dropped off as dropped off", "Delivery"),
    ),
    collection="/api/deliveries",
    on_collection=(Operation("POST", "Creates a delivery", expects="Delivery", returns="Delivery"),),
)

_ADDRESS = Class(
    "Address",
    "An address",
    (
        Property("geo", Kind.OBJECT, "GeoCoordinates", writable=True),
        *_words(Kind.TEXT, "streetAddress", "telephone", "name", "contactName", "description", "provider", writable=True),
        *_words(
            Kind.TEXT, "company", "postalCode", "addressLocality", "addressRegion", "addressCountry", "postOfficeBoxNumber", writable=True
        ),
        *_words(Kind.TEXT, "firstName", "lastName"),
    ),
    iri=f"{SCHEMA}Place",
    operations=(Operation("GET", "Retrieves an address", returns="Address"),),
)

_STORE = Class(
    "Store",
    "A place that sends",
    (
        Property("id", Kind.INTEGER),
        Property("name"),
        Property("address", Kind.OBJECT, "Address"),
        *_words(Kind.LINK, "timeSlot", "timeSlots", "pricingRuleSet"),
        *_words(
            Kind.BOOLEAN,
            "enabled",
            "prefillPickupAddress",
            "weightRequired",
            "packagesRequired",
            "multiDropEnabled",
            "multiPickupEnabled",
            "cashOnDeliveryEnabled",
        ),
    ),
    iri=f"{SCHEMA}Store",
    operations=(
        Operation("GET", "Retrieves a store", returns="Store"),
        Operation("GET", "Retrieves the deliveries of a store", path="deliveries", returns="hydra:Collection"),
    ),
    collection="/api/stores",
    on_collection=(Operation("GET", "Retrieves the stores", returns="hydra:Collection"),),
)

CLASSES: dict[str, Class] = {
    each.name: each
    for each in (
        _DELIVERY,
        _TASK,
        _ADDRESS,
        _STORE,
        Class("GeoCoordinates", "A point on the globe", _words(Kind.DECIMAL, "latitude", "longitude", writable=True)),
        Class("Tag", "A word that a task carries", _words(Kind.TEXT, "name", "slug", "color")),
        Class(
            "Package",
            "Packages of one kind",
            (
                *_words(Kind.TEXT, "short_code", "name"),
                Property("type", writable=True),
                *_words(Kind.INTEGER, "volume_per_package"),
                Property("quantity", Kind.INTEGER, writable=True),
                Property("labels", Kind.TEXT),
                Property("tasks", Kind.LINK, "Task"),
            ),
        ),
        Class(
            "Order",
            "What was ordered",
            (*_words(Kind.TEXT, "number", "paymentGateway"), *_words(Kind.INTEGER, "total", "taxTotal")),
            iri=f"{SCHEMA}Order",
        ),
        Class(
            "TaskList",
            "What one courier does on one day",
            (
                *_words(Kind.INTEGER, "id", "distance", "duration"),
                Property("items", Kind.OBJECT, "Task"),
                *_words(Kind.TEXT, "polyline", "username"),
                Property("date", Kind.DATE),
                *_words(Kind.MOMENT, "createdAt", "updatedAt"),
            ),
        ),
        Class(
            "TaskEvent",
            "Something that happened to a task",
            (Property("name"), Property("data", Kind.JSON), Property("createdAt", Kind.MOMENT)),
        ),
        Class(
            "User",
            "A person",
            (
                *_words(Kind.TEXT, "username", "email", "roles", "telephone", "skills"),
                Property("addresses", Kind.OBJECT, "Address"),
            ),
        ),
        Class(
            "ApiApp",
            "A program",
            (Property("store", Kind.LINK, "Store"), Property("shop", Kind.LINK), Property("name")),
            iri=f"{SCHEMA}SoftwareApplication",
        ),
    )
}
"""Every class that an answer can hold, by name."""

ERRORS = ("Error", "ConstraintViolationList")
"""Classes of answers that say no; their keys are Hydra's own, or plain words of the vocabulary."""

ENTRIES: dict[str, str] = {
    "delivery": "/api/deliveries",
    "task": "/api/tasks",
    "store": "/api/stores",
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
