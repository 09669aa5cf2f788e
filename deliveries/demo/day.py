"""What happens on the demo's day: sixty-odd scenes, each told in minutes from the present."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from deliveries.demo.city import LISBON, PARIS, UNLISTED, Recipient
from deliveries.reasons import FailureReason
from stores.models import ServiceType


class Way(Enum):
    """How a delivery comes in."""

    TILL = auto()
    """The till's order; the store takes the house's quote."""
    PLUGIN = auto()
    """The web shop asks for it."""
    PHONE = auto()
    """Somebody calls the desk, and the dispatcher types it in."""
    OWNER = auto()
    """The store's owner types it in."""
    CARRIER = auto()
    """The till's order; an outside carrier makes and reports the delivery."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One delivery, from order to door.

    `due` is when it is promised; `late` is how long after that everything runs; without `courier` nobody of the house has
    it yet. `fails` is (reason, notes) at the door, `again` a later promise made after that; `cancelled` is how long before
    the promise it is called off; `until` stops an outside carrier's reports there.
    """

    shop: int
    to: Recipient
    due: int
    way: Way
    courier: str = ""
    late: int = 0
    fails: tuple[str, str] | None = None
    again: tuple[int, str] | None = None
    cancelled: int | None = None
    goods: dict[str, Any] = field(default_factory=dict)
    comments: str = ""


def _xl(quantity: int, weight: int) -> dict[str, Any]:
    return {"packages": {"XL": quantity}, "weight": weight}


def _small(quantity: int, weight: int) -> dict[str, Any]:
    return {"packages": {"SMALL": quantity}, "weight": weight}


COLD: dict[str, Any] = {"tags": ["cold"]}
FRAGILE: dict[str, Any] = {"tags": ["fragile"]}
TILL, PLUGIN, PHONE, OWNER, CARRIER = Way

MORNING = (
    Scene(0, PARIS[0], -465, PLUGIN, "ines", goods=_small(2, 1800)),
    Scene(0, PARIS[15], -440, TILL, "malik"),
    Scene(1, PARIS[33], -430, PLUGIN, "tomas", goods={"weight": 4200}),
    Scene(0, PARIS[1], -420, PHONE, "hugo", goods=_small(6, 3600), comments="Breakfast meeting, must be there on time"),
    Scene(1, PARIS[14], -405, OWNER, "jeanne"),
    Scene(0, PARIS[23], -390, TILL, "aya", late=12),
    Scene(0, PARIS[16], -375, PLUGIN, "malik", goods=_xl(1, 5200)),
    Scene(1, PARIS[31], -360, TILL, "tomas"),
    Scene(0, PARIS[9], -345, PLUGIN, "ines", goods=_small(1, 700) | COLD),
    Scene(0, PARIS[18], -330, OWNER, "hugo", goods=_xl(2, 9000) | FRAGILE, comments="Three-tier cake, keep it level"),
    Scene(
        1,
        PARIS[12],
        -320,
        PLUGIN,
        "jeanne",
        fails=(FailureReason.NOT_AT_HOME, "Rang twice, nobody; phone goes to voicemail"),
        again=(-140, "hugo"),
    ),
    Scene(0, PARIS[26], -300, TILL, "aya"),
    Scene(0, PARIS[17], -285, PLUGIN, "malik", cancelled=55),
)
NOON = (
    Scene(0, PARIS[19], -265, TILL, "malik"),
    Scene(0, PARIS[7], -255, TILL, "ines", late=9),
    Scene(1, PARIS[32], -245, PLUGIN, "tomas", goods=COLD),
    Scene(0, PARIS[2], -235, PHONE, "jeanne", comments="Leave with the caretaker if nobody answers"),
    Scene(0, PARIS[25], -225, TILL, "aya"),
    Scene(0, PARIS[11], -215, PLUGIN, "hugo", goods=_small(3, 2100)),
    Scene(0, PARIS[21], -205, CARRIER),
    Scene(1, PARIS[30], -195, OWNER, "tomas", goods={"weight": 11000}, comments="Trolley at the goods entrance"),
    Scene(0, PARIS[34], -185, CARRIER),
    Scene(0, PARIS[4], -175, TILL, "ines"),
    Scene(1, PARIS[38], -165, TILL, "jeanne", fails=(FailureReason.WRONG_ADDR, "No such name on the bells, store does not know more")),
    Scene(0, PARIS[22], -150, PLUGIN, "aya", goods=_small(1, 900)),
    Scene(2, LISBON[0], -140, CARRIER),
    Scene(0, PARIS[36], -130, CARRIER, cancelled=20),
    Scene(2, LISBON[1], -125, CARRIER),
)
AFTERNOON = (
    Scene(0, PARIS[5], -115, TILL, "ines"),
    Scene(0, PARIS[20], -105, PLUGIN, "malik", goods=_xl(1, 4800) | COLD),
    Scene(1, PARIS[29], -95, TILL, "tomas", late=6),
    Scene(0, PARIS[8], -80, PHONE, "hugo"),
    Scene(0, PARIS[24], -70, PLUGIN, "aya", goods=_small(2, 1500)),
    Scene(0, PARIS[35], -60, CARRIER),
    Scene(1, PARIS[13], -50, TILL, "jeanne"),
    Scene(0, PARIS[10], -35, TILL, "ines"),
    Scene(2, LISBON[2], -30, CARRIER),
    Scene(0, PARIS[3], -20, PLUGIN, goods=_small(2, 1700), comments="Please call the store if late"),
    Scene(1, PARIS[27], -14, TILL, "tomas", late=26),
    Scene(0, PARIS[28], -6, TILL, "aya", late=14),
)
PRESENT = (
    Scene(0, PARIS[37], 2, CARRIER),
    Scene(0, PARIS[38], 5, CARRIER),
    Scene(0, PARIS[6], 9, TILL, "ines"),
    Scene(2, LISBON[3], 12, CARRIER),
    Scene(0, PARIS[21], 15, CARRIER),
    Scene(0, PARIS[16], 18, PLUGIN, "malik", goods=_small(4, 2600) | FRAGILE),
    Scene(1, PARIS[39], 22, PHONE),
    Scene(1, PARIS[14], 29, TILL, "jeanne"),
    Scene(0, PARIS[34], 28, CARRIER),
    Scene(0, PARIS[13], 31, TILL, "hugo"),
    Scene(0, PARIS[36], 32, CARRIER),
    Scene(0, PARIS[31], 37, CARRIER),
    Scene(0, UNLISTED[1], 44, TILL),
    Scene(0, PARIS[28], 50, CARRIER),
)
LATER = (
    Scene(1, PARIS[33], 70, PLUGIN, "tomas", goods=COLD),
    Scene(0, PARIS[0], 80, PLUGIN, "ines", goods=_small(1, 800)),
    Scene(0, PARIS[18], 95, OWNER, "malik", goods=_xl(3, 12500), comments="Opening night: ask for Margaux"),
    Scene(2, LISBON[4], 100, CARRIER),
    Scene(1, PARIS[9], 120, PLUGIN),
    Scene(0, UNLISTED[0], 130, PLUGIN, goods=_small(2, 1600)),
    Scene(0, PARIS[15], 150, PHONE, "malik", comments="Room 412, under the name of Weiss"),
    Scene(1, UNLISTED[2], 165, OWNER),
    Scene(0, PARIS[2], 190, PLUGIN, cancelled=200),
    Scene(0, PARIS[26], 210, PLUGIN, goods=_small(3, 2400)),
    Scene(1, PARIS[30], 240, PHONE, goods={"weight": 8000}),
    Scene(0, PARIS[17], 270, PLUGIN, goods=_xl(1, 5000) | COLD),
)
SCENES = MORNING + NOON + AFTERNOON + PRESENT + LATER

UNDECIDED: tuple[tuple[int, Recipient, int], ...] = ((0, PARIS[7], -9), (1, PARIS[12], -16), (2, LISBON[5], -4))
"""Orders that have quotes and no delivery yet: shop, recipient, minutes since the order."""

NOT_CARRIED: tuple[tuple[int, ServiceType, int], ...] = (
    (0, ServiceType.COLLECTION, -40),
    (1, ServiceType.EAT_IN, -65),
    (2, ServiceType.COLLECTION, -22),
)
"""Orders that nobody carries: shop, service type, minutes since the order."""
