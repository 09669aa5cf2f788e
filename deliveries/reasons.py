"""Why a task fails: the codes that couriers and dispatchers choose from."""

from django.db import models


class FailureReason(models.TextChoices):
    """The code as it travels, and what people read."""

    DAMAGED = "DAMAGED", "Damaged"
    LOST = "LOST", "Lost"
    LATE = "LATE", "Too late"
    NOT_AT_HOME = "NOT_AT_HOME", "Nobody at home"
    CLOSED_STORE = "CLOSED_STORE", "Store closed"
    WRONG_ADDR = "WRONG_ADDR", "Wrong address"
    REFUSED = "REFUSED", "Refused by the recipient"
    ITEM_MISSING = "ITEM_MISSING", "Item missing"
    INCORRECT_ITEM = "INCORRECT_ITEM", "Wrong item"
    WEATHER = "WEATHER", "Bad weather"
    VEHICLE_BREAKDOWN = "VEHICLE_BREAKDOWN", "Vehicle broke down"
    TRAFFIC = "TRAFFIC", "Traffic"
    ROUTE_ISSUE = "ROUTE_ISSUE", "Trouble on the route"
    CUSTOMS_ISSUE = "CUSTOMS_ISSUE", "Trouble with customs"
    INVENTORY_ISSUE = "INVENTORY_ISSUE", "Not in stock"
    ADDRESS_UNREACHABLE = "ADDRESS_UNREACHABLE", "Address cannot be reached"
    INSUFFICIENT_FUND = "INSUFFICIENT_FUND", "Recipient could not pay"
    DATA_ERROR = "DATA_ERROR", "Wrong data"
    PACKAGING_ISSUE = "PACKAGING_ISSUE", "Trouble with the packaging"
    HOLIDAY = "HOLIDAY", "Closed for a holiday"
    ADDRESS_REVIEW_NEEDED = "ADDRESS_REVIEW_NEEDED", "Address must be reviewed"
    PRICE_REVIEW_NEEDED = "PRICE_REVIEW_NEEDED", "Price must be reviewed"
