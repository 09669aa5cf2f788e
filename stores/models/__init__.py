"""The tables of those who send, one module for each noun."""

from stores.models.account import Account, Address, Store
from stores.models.client import ApiClient, Connection, Dialect
from stores.models.kept import KeptAnswer
from stores.models.offering import Package, PackageSet, Tag, TimeSlot
from stores.models.order import Order, OrderStatus, ServiceType
from stores.models.user import User

__all__ = [
    "Account",
    "Address",
    "ApiClient",
    "Connection",
    "Dialect",
    "KeptAnswer",
    "Order",
    "OrderStatus",
    "Package",
    "PackageSet",
    "ServiceType",
    "Store",
    "Tag",
    "TimeSlot",
    "User",
]
