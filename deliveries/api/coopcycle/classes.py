"""Every class of this dialect, with its properties and operations: what contexts and documentation are printed from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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

_WEBHOOK = Class(
    "Webhook",
    "A URL that is called whenever something happens",
    (
        Property("event", writable=True, required=True),
        Property("url", writable=True, required=True),
        Property("secret"),
    ),
    operations=(
        Operation("GET", "Retrieves a webhook", returns="Webhook"),
        Operation("DELETE", "Ends a webhook", returns="owl:Nothing"),
        Operation("GET", "Retrieves how a webhook does", path="state", returns="WebhookState"),
        Operation("PUT", "Switches a webhook on", path="enable", returns="WebhookState"),
        Operation("PUT", "Switches a webhook off", path="disable", returns="WebhookState"),
        Operation("POST", "Gives a webhook another secret", path="rotate", returns="Webhook"),
        Operation("POST", "Sends a webhook a test event", path="test", returns="WebhookCall"),
        Operation("POST", "Sends what was given up once more", path="resend", returns="WebhookResend"),
        Operation("GET", "Retrieves what a webhook is owed", path="calls", returns="hydra:Collection"),
    ),
    collection="/api/webhooks",
    on_collection=(
        Operation("GET", "Retrieves one's own webhooks", returns="hydra:Collection"),
        Operation("POST", "Creates a webhook", expects="Webhook", returns="Webhook"),
    ),
)

_CALL = Class(
    "WebhookCall",
    "Something that a webhook is owed, or was sent",
    (
        *_words(Kind.TEXT, "id", "event", "state"),
        Property("object", Kind.LINK),
        Property("tries", Kind.INTEGER),
        *_words(Kind.MOMENT, "createdAt", "nextTryAt", "settledAt"),
        Property("attempts", Kind.OBJECT, "WebhookAttempt"),
    ),
    operations=(
        Operation("GET", "Retrieves a call with its attempts", returns="WebhookCall"),
        Operation("POST", "Sends a call once more", path="resend", returns="WebhookCall"),
    ),
)

_EVENT = Class(
    "Event",
    "Something that happened, as webhooks are told of it",
    (*_words(Kind.TEXT, "id", "event"), Property("object", Kind.LINK), *_words(Kind.MOMENT, "happenedAt", "recordedAt")),
    operations=(Operation("GET", "Retrieves an event", returns="Event"),),
    collection="/api/events",
    on_collection=(Operation("GET", "Retrieves what happened, from a place on", returns="hydra:Collection"),),
)

_RULE_SET = Class(
    "PricingRuleSet",
    "A price list",
    (
        Property("id", Kind.INTEGER),
        Property("name", writable=True, required=True),
        Property("strategy", writable=True),
        Property("options", Kind.JSON),
        Property("rules", Kind.OBJECT, "PricingRule", writable=True),
    ),
    operations=(
        Operation("GET", "Retrieves a price list", returns="PricingRuleSet"),
        Operation("PUT", "Changes a price list", expects="PricingRuleSet", returns="PricingRuleSet"),
        Operation("DELETE", "Deletes a price list that prices nothing", returns="owl:Nothing"),
        Operation("GET", "Retrieves who is priced by it", path="applications", returns="hydra:Collection"),
    ),
    collection="/api/pricing_rule_sets",
    on_collection=(
        Operation("GET", "Retrieves the price lists", returns="hydra:Collection"),
        Operation("POST", "Creates a price list", expects="PricingRuleSet", returns="PricingRuleSet"),
    ),
)

_RULE = Class(
    "PricingRule",
    "One line of a price list: when it counts, and what it costs",
    (
        *_words(Kind.INTEGER, "id"),
        *_words(Kind.TEXT, "target", "expression", "price", "name", writable=True),
        *_words(Kind.INTEGER, "position", writable=True),
        *_words(Kind.JSON, "expressionAst", "priceAst"),
    ),
    operations=(Operation("POST", "Tells whether it matches a delivery", path="evaluate", expects="Delivery", returns="YesNoOutput"),),
)

_RETAIL_PRICE = Class(
    "RetailPrice",
    "What a delivery would cost",
    (Property("amount", Kind.INTEGER), Property("currency"), *_words(Kind.JSON, "tax", "order", "calculation")),
    collection="/api/retail_prices/calculate",
    on_collection=(Operation("POST", "Calculates what a delivery would cost", expects="Delivery", returns="RetailPrice"),),
)

CLASSES: dict[str, Class] = {
    each.name: each
    for each in (
        _DELIVERY,
        _RULE_SET,
        _RULE,
        _RETAIL_PRICE,
        Class("YesNoOutput", "Yes or no", _words(Kind.BOOLEAN, "result")),
        Class("PricingRuleSetApplication", "Who is priced by a list", (*_words(Kind.TEXT, "entity", "name"), *_words(Kind.INTEGER, "id"))),
        _TASK,
        _ADDRESS,
        _STORE,
        _WEBHOOK,
        Class(
            "WebhookState",
            "How a webhook does",
            (
                Property("webhook", Kind.LINK, "Webhook"),
                Property("enabled", Kind.BOOLEAN),
                Property("disabledWhy"),
                *_words(Kind.MOMENT, "disabledAt", "failingSince", "formerSecretUntil"),
                *_words(Kind.INTEGER, "owed", "failed"),
            ),
        ),
        _CALL,
        Class(
            "WebhookAttempt",
            "One try at a call",
            (
                Property("startedAt", Kind.MOMENT),
                *_words(Kind.INTEGER, "durationMs", "status"),
                *_words(Kind.TEXT, "answer", "error"),
            ),
        ),
        Class("WebhookResend", "How many calls are sent once more", _words(Kind.INTEGER, "count")),
        _EVENT,
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
            (
                *_words(Kind.TEXT, "number", "paymentGateway", "state"),
                *_words(Kind.INTEGER, "total", "taxTotal"),
                Property("createdAt", Kind.MOMENT),
                Property("delivery", Kind.LINK, "Delivery"),
                Property("store", Kind.LINK, "Store"),
            ),
            iri=f"{SCHEMA}Order",
            operations=(Operation("GET", "Retrieves an order", returns="Order"),),
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
