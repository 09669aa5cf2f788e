"""The shapes of this dialect for its OpenAPI document: what `inputs` reads and `payloads` prints."""

from typing import Any

from deliveries.api.coopcycle.voice import ALL_NAMES
from deliveries.models import CallState, DisabledWhy
from deliveries.statuses import TaskStatus, TaskType
from quotes.pricing.rules import Strategy, Target

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MAYBE_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
IRI: Schema = {"type": "string", "format": "iri-reference"}
MAYBE_IRI: Schema = {"type": ["string", "null"], "format": "iri-reference"}
ANYTHING: Schema = {}
GRAMS: Schema = {"type": ["integer", "null"], "minimum": 0, "description": "In grams."}


def ref(name: str) -> Schema:
    """A schema by its name below."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def shape(properties: Schema, *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object of which every property is always there, but for those that are `optional`."""
    return {"type": "object", "properties": properties, "required": [name for name in properties if name not in optional], **more}


def linked(properties: Schema, *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """A resource; its linked-data keys are left out of plain JSON."""
    return shape({"@context": ANYTHING, "@id": IRI, "@type": TEXT, **properties}, optional=("@context", "@id", "@type", *optional), **more)


def collection(of: str) -> Schema:
    """A Hydra collection."""
    return shape(
        {
            "@context": TEXT,
            "@id": IRI,
            "@type": {"const": "hydra:Collection"},
            "hydra:member": many(ref(of)),
            "hydra:totalItems": WHOLE,
            "hydra:view": {"type": "object"},
            "hydra:search": {"type": "object"},
        },
        optional=("hydra:view", "hydra:search"),
    )


def endless(of: str) -> Schema:
    """A Hydra collection that is read on from where one was, without a total."""
    whole = collection(of)
    properties = {name: kind for name, kind in whole["properties"].items() if name != "hydra:totalItems"}
    view = shape({"@id": IRI, "@type": TEXT, "hydra:next": {**IRI, "description": "Where to go on, also when nothing is new."}})
    return shape({**properties, "hydra:view": view})


def either(*kinds: Schema) -> Schema:
    """One of several forms."""
    return {"anyOf": list(kinds)}


_GEO = shape({"@type": TEXT, "latitude": NUMBER, "longitude": NUMBER}, optional=("@type",))
_METADATA = either({"type": "object", "additionalProperties": True}, {"type": "array", "maxItems": 0})
_PLACE: Schema = {
    "geo": _GEO,
    "provider": MAYBE_TEXT,
    "streetAddress": TEXT,
    "telephone": MAYBE_TEXT,
    "name": MAYBE_TEXT,
    "contactName": MAYBE_TEXT,
    "description": MAYBE_TEXT,
}
_TOWN = ("company", "postalCode", "addressLocality", "addressRegion", "addressCountry", "postOfficeBoxNumber")
_RULE_SENT: Schema = {
    "expression": {**TEXT, "maxLength": 2000},
    "position": {**WHOLE, "minimum": 0, "maximum": 10**6},
    "name": {**TEXT, "maxLength": 255},
    "target": {"enum": list(Target)},
}
_PRICE_SENT: Schema = {"type": ["string", "integer"], "description": "Hundredths, or an expression."}
_STOP: Schema = {
    "id": WHOLE,
    "type": {"enum": TaskType.values},
    "status": {"enum": TaskStatus.values},
    "address": ref("Place"),
    "doneAfter": MOMENT,
    "after": MOMENT,
    "doneBefore": MOMENT,
    "before": MOMENT,
    "comments": TEXT,
    "weight": GRAMS,
    "packages": many(ref("Package")),
    "barcode": ref("Barcode"),
    "createdAt": MOMENT,
    "tags": many(shape({"name": TEXT, "slug": TEXT, "color": TEXT})),
    "metadata": _METADATA,
}
_TASK: Schema = {
    **_STOP,
    "updatedAt": MOMENT,
    "isAssigned": YES_NO,
    "assignedTo": {**MAYBE_TEXT, "description": "A username."},
    "previous": MAYBE_IRI,
    "next": MAYBE_IRI,
    "group": {"type": "null"},
    "doorstep": YES_NO,
    "orgName": TEXT,
    "images": many({"type": "object"}),
    "ref": MAYBE_TEXT,
    "recurrenceRule": MAYBE_IRI,
    "hasIncidents": YES_NO,
    "incidents": many({"type": "object"}),
    "emittedCo2": WHOLE,
    "traveledDistanceMeter": WHOLE,
}
_ABSENT_FROM_LISTS = ("isAssigned", "assignedTo", "group", "images", "ref", "recurrenceRule", "incidents", "hasIncidents", "barcode")

_WHEN: Schema = {**MAYBE_TEXT, "description": "ISO 8601, or words such as “tomorrow 13:00”; without an offset, the instance's time."}
_POINT_SENT = many(NUMBER) | {"minItems": 2, "maxItems": 2}
_LOAD_SENT: Schema = {
    "weight": {"type": ["integer", "string", "null"], "description": "In grams."},
    "packages": {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {
                "type": {**TEXT, "description": "A name of the store's package set."},
                "quantity": {"type": ["integer", "string"]},
            },
        },
    },
}
_ADDRESS_SENT: Schema = {
    "anyOf": [
        {"type": "string", "description": "Free text, or the IRI of a known address."},
        {
            "type": "object",
            "properties": {
                "@id": MAYBE_IRI,
                "streetAddress": MAYBE_TEXT,
                "latLng": _POINT_SENT,
                "geo": shape({"latitude": NUMBER, "longitude": NUMBER}),
                "telephone": MAYBE_TEXT,
                **dict.fromkeys(("contactName", "name", "description", "provider", *_TOWN), MAYBE_TEXT),
            },
        },
        {"type": "null"},
    ]
}
_TASK_SENT: Schema = {
    "id": {"type": ["integer", "string", "null"], "description": "On PUT: which task to change."},
    "type": {**MAYBE_TEXT, "description": "pickup or dropoff, in any case."},
    "address": _ADDRESS_SENT,
    "latLng": either(_POINT_SENT, {"type": "null"}),
    "before": _WHEN,
    "after": _WHEN,
    "doneBefore": _WHEN,
    "doneAfter": _WHEN,
    "timeSlot": {"anyOf": [MAYBE_TEXT, many(TEXT)], "description": "“2018-08-29 10:00-11:00”, an ISO interval, or two dates."},
    "timeSlotUrl": MAYBE_IRI,
    "comments": MAYBE_TEXT,
    "tags": {"anyOf": [MAYBE_TEXT, many({"anyOf": [TEXT, shape({"slug": TEXT})]})]},
    "metadata": {"anyOf": [MAYBE_TEXT, {"type": "object", "additionalProperties": True}]},
    "assignedTo": MAYBE_TEXT,
    "status": MAYBE_TEXT,
    **_LOAD_SENT,
}
_WEBHOOK: Schema = {"url": TEXT, "event": {"enum": list(ALL_NAMES)}}
_WEBHOOK_CALL: Schema = {
    "id": {**TEXT, "description": "The `webhook-id` it is sent with, however often."},
    "object": IRI,
    "event": {"enum": list(ALL_NAMES)},
    "state": {"enum": CallState.values},
    "tries": WHOLE,
    "createdAt": MOMENT,
    "nextTryAt": MAYBE_MOMENT,
    "settledAt": MAYBE_MOMENT,
}
_ORDER: Schema = {"number": TEXT, "total": WHOLE, "taxTotal": WHOLE, "paymentGateway": TEXT}
_ORDER_SENT: Schema = {
    "paymentMethod": MAYBE_TEXT,
    "arbitraryPrice": {
        "type": ["object", "null"],
        "properties": {"variantPrice": WHOLE, "variantName": MAYBE_TEXT},
        "description": "For dispatchers; in hundredths.",
    },
}

COMPONENTS: dict[str, Schema] = {
    "Place": linked(_PLACE),
    "Address": linked({**_PLACE, "firstName": MAYBE_TEXT, "lastName": MAYBE_TEXT, **dict.fromkeys(_TOWN, MAYBE_TEXT)}),
    "Package": shape(
        {
            "short_code": TEXT,
            "name": TEXT,
            "type": TEXT,
            "volume_per_package": NUMBER,
            "quantity": WHOLE,
            "labels": many(TEXT),
            "tasks": many(IRI),
        }
    ),
    "Barcode": shape({"barcode": TEXT, "label": shape({"token": TEXT, "url": TEXT})}),
    "Stop": linked(_STOP),
    "Task": linked(_TASK),
    "ListedTask": linked(
        {name: kind for name, kind in _TASK.items() if name not in _ABSENT_FROM_LISTS}, optional=("emittedCo2", "traveledDistanceMeter")
    ),
    "TaskEvent": linked({"name": TEXT, "data": _METADATA, "createdAt": MOMENT}),
    "TaskList": linked(
        {
            "id": MAYBE_WHOLE,
            "items": many(ref("ListedTask")),
            "distance": WHOLE,
            "duration": WHOLE,
            "polyline": TEXT,
            "date": {"type": "string", "format": "date"},
            "username": TEXT,
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
        }
    ),
    "Order": linked(_ORDER),
    "LoneOrder": linked({**_ORDER, "state": TEXT, "createdAt": MOMENT, "delivery": MAYBE_IRI, "store": IRI}),
    "Delivery": linked(
        {
            "id": WHOLE,
            "distance": {**WHOLE, "description": "In metres."},
            "duration": {**WHOLE, "description": "In seconds."},
            "polyline": TEXT,
            "tasks": many(ref("Stop")),
            "pickup": either(ref("Stop"), {"type": "null"}),
            "dropoff": either(ref("Stop"), {"type": "null"}),
            "trackingUrl": TEXT,
            "order": either(ref("Order"), {"type": "null"}),
            "location": shape({"lat": NUMBER, "lng": NUMBER, "updatedAt": MOMENT}),
        },
        optional=("location",),
    ),
    "Store": linked(
        {
            "id": WHOLE,
            "name": TEXT,
            "address": ref("Place"),
            **dict.fromkeys(("timeSlot", "pricingRuleSet"), MAYBE_IRI),
            "timeSlots": many(IRI),
            **dict.fromkeys(("enabled", "prefillPickupAddress", "weightRequired", "packagesRequired"), YES_NO),
            **dict.fromkeys(("multiDropEnabled", "multiPickupEnabled", "cashOnDeliveryEnabled"), YES_NO),
        }
    ),
    "Me": either(
        linked(
            {
                "addresses": many({"type": "object"}),
                "username": TEXT,
                "email": TEXT,
                "roles": many(TEXT),
                "telephone": MAYBE_TEXT,
                "skills": many(TEXT),
            }
        ),
        linked({"store": MAYBE_IRI, "shop": MAYBE_IRI, "name": TEXT}),
    ),
    "Login": shape(
        {
            "token": TEXT,
            "refresh_token": TEXT,
            "roles": many(TEXT),
            "username": TEXT,
            "email": TEXT,
            "id": WHOLE,
            "enabled": YES_NO,
        }
    ),
    "Settings": shape(
        {"brand_name": TEXT, "country": TEXT, "locale": TEXT, "latlng": MAYBE_TEXT, "currency_code": TEXT, "timezone": TEXT},
        additionalProperties=True,
    ),
    "Route": shape({"code": TEXT, "routes": many(shape({"distance": WHOLE, "duration": WHOLE, "geometry": TEXT}))}),
    "OAuth2Token": shape({"token_type": TEXT, "expires_in": WHOLE, "access_token": TEXT, "scope": TEXT}),
    "OAuth2Error": shape({"error": TEXT, "error_description": TEXT, "message": TEXT}),
    "RetailPrice": linked(
        {
            "amount": {**WHOLE, "description": "In hundredths."},
            "currency": TEXT,
            "tax": shape({"amount": WHOLE, "included": YES_NO}),
            "order": {"type": "object"},
            "calculation": {"type": "object", "description": "Which rules were asked about what, and which of them matched."},
        }
    ),
    "YesNoOutput": linked({"result": YES_NO}),
    "PricingRule": linked(
        {
            "id": WHOLE,
            **_RULE_SENT,
            "price": {**TEXT, "description": "Hundredths, or an expression that comes to them."},
            **{name: {"type": "object"} for name in ("expressionAst", "priceAst")},
        }
    ),
    "PricingRuleSet": linked(
        {"id": WHOLE, "name": TEXT, "strategy": {"enum": list(Strategy)}, "options": many(ANYTHING), "rules": many(ref("PricingRule"))}
    ),
    "PricingRuleSetInput": {
        "type": "object",
        "properties": {
            "name": {**TEXT, "maxLength": 255},
            "strategy": {"enum": list(Strategy)},
            "rules": {"type": "array", "items": ref("PricingRuleInput"), "maxItems": 500},
        },
    },
    "PricingRuleInput": shape({"@id": IRI, **_RULE_SENT, "price": _PRICE_SENT}, optional=("@id", "position", "name", "target")),
    "PricingRuleSetApplication": linked({"entity": TEXT, "name": TEXT, "id": WHOLE}),
    "Webhook": linked(_WEBHOOK),
    "NewWebhook": linked({**_WEBHOOK, "secret": {**TEXT, "description": "Base64 of 32 random bytes; shown only here."}}),
    "WebhookInput": shape({"event": {"enum": list(ALL_NAMES)}, "url": {**TEXT, "maxLength": 2000, "description": "Begins with https://."}}),
    "WebhookState": linked(
        {
            "webhook": IRI,
            "enabled": YES_NO,
            "disabledAt": MAYBE_MOMENT,
            "disabledWhy": {"enum": [*DisabledWhy.values, None]},
            "failingSince": MAYBE_MOMENT,
            "formerSecretUntil": {**MAYBE_MOMENT, "description": "Until when the secret before is signed with as well."},
            "owed": WHOLE,
            "failed": WHOLE,
        }
    ),
    "WebhookCall": linked(_WEBHOOK_CALL),
    "LoneWebhookCall": linked({**_WEBHOOK_CALL, "attempts": many(ref("WebhookAttempt"))}),
    "WebhookAttempt": shape(
        {"@type": TEXT, "startedAt": MOMENT, "durationMs": WHOLE, "status": MAYBE_WHOLE, "answer": TEXT, "error": MAYBE_TEXT},
        optional=("@type",),
    ),
    "WebhookResend": linked({"count": WHOLE}),
    "Event": linked(
        {
            "id": {**TEXT, "description": "The same as the `webhook-id` it is sent with."},
            "event": {"enum": list(ALL_NAMES)},
            "object": IRI,
            "happenedAt": MOMENT,
            "recordedAt": MOMENT,
        }
    ),
    "DeliveryInput": {
        "type": "object",
        "properties": {
            "store": MAYBE_IRI,
            "pickup": either(ref("TaskInput"), {"type": "null"}),
            "dropoff": either(ref("TaskInput"), {"type": "null"}),
            "tasks": {"type": ["array", "null"], "items": ref("TaskInput"), "maxItems": 200},
            "order": {"type": ["object", "null"], "properties": _ORDER_SENT},
            **_LOAD_SENT,
        },
    },
    "TaskInput": {"type": "object", "properties": _TASK_SENT},
    "Comments": {"type": "object", "properties": {"comments": MAYBE_TEXT}},
    "Nothing": {"type": "object"},
    "Outcome": {"type": "object", "properties": dict.fromkeys(("notes", "contactName", "reason"), MAYBE_TEXT)},
    "Assignment": {"type": "object", "properties": {"username": {**MAYBE_TEXT, "description": "Absent: oneself."}}},
    "Window": shape({"after": _WHEN, "before": _WHEN}),
    "Positions": many(
        shape(
            {
                "latitude": {**NUMBER, "minimum": -90, "maximum": 90},
                "longitude": {**NUMBER, "minimum": -180, "maximum": 180},
                "time": {"type": ["integer", "string", "null"], "description": "Milliseconds since 1970, or ISO 8601."},
            },
            optional=("time",),
        )
    ),
    "Credentials": shape({"_username": TEXT, "_password": TEXT}),
    "RefreshToken": shape({"refresh_token": TEXT}),
    "Error": shape({"@context": TEXT, "@type": TEXT, "hydra:title": TEXT, "hydra:description": TEXT}, optional=("@context",)),
    "ViolationList": shape(
        {
            "@context": TEXT,
            "@type": {"const": "ConstraintViolationList"},
            "hydra:title": TEXT,
            "hydra:description": TEXT,
            "violations": many(shape({"propertyPath": TEXT, "message": TEXT, "code": MAYBE_TEXT})),
        }
    ),
    "Problem": shape({"type": TEXT, "title": TEXT, "detail": TEXT, "violations": many({"type": "object"})}, optional=("violations",)),
    "Unauthorized": shape({"code": WHOLE, "message": TEXT}),
}
