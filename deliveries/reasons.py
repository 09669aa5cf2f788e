"""Why a task can fail, in the codes that clients know."""

from django.db import models


class FailureReason(models.TextChoices):
    """What a courier, the desk or a client may give as the reason of a failure."""

    DAMAGED = "DAMAGED", "Damaged"
    LOST = "LOST", "Lost"
    LATE = "LATE", "Too late"
    NOT_AT_HOME = "NOT_AT_HOME", "Nobody at home"
    CLOSED_STORE = "CLOSED_STORE", "Store closed"
    WRONG_ADDR = "WRONG_ADDR", "Wrong address"
    REFUSED = "REFUSED", "Refused by the recipient"
    ITEM_MISSING = "ITEM_MISSING", "Item missing"
    INCORRECT_ITEM = "INCORRECT_ITEM", "Incorrect item"
    WEATHER = "WEATHER", "Weather"
    VEHICLE_BREAKDOWN = "VEHICLE_BREAKDOWN", "Vehicle breakdown"
    TRAFFIC = "TRAFFIC", "Traffic"
    ROUTE_ISSUE = "ROUTE_ISSUE", "Problem with the route"
    CUSTOMS_ISSUE = "CUSTOMS_ISSUE", "Problem at customs"
    INVENTORY_ISSUE = "INVENTORY_ISSUE", "Problem with the stock"
    ADDRESS_UNREACHABLE = "ADDRESS_UNREACHABLE", "Address cannot be reached"
    INSUFFICIENT_FUND = "INSUFFICIENT_FUND", "Not enough money"
    DATA_ERROR = "DATA_ERROR", "Error in the data"
    PACKAGING_ISSUE = "PACKAGING_ISSUE", "Problem with the packaging"
    HOLIDAY = "HOLIDAY", "Holiday"
    ADDRESS_REVIEW_NEEDED = "ADDRESS_REVIEW_NEEDED", "Address to be reviewed"
    PRICE_REVIEW_NEEDED = "PRICE_REVIEW_NEEDED", "Price to be reviewed"
