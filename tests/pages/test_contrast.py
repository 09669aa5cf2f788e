"""The style sheet can be read by tired eyes: text stands out from its ground by at least 4.5 to 1, by day and by night."""

import re
from pathlib import Path

import pytest
from django.conf import settings

SHEET = (Path(settings.BASE_DIR) / "deliveries/static/relais/relais.css").read_text()
PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("ground", "panel")),
    *(("ink", wash) for wash in ("control", "accent-wash")),
    *(("soft", wash) for wash in ("control",)),
    *(("bad", wash) for wash in ("panel", "control", "bad-wash")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent", "accent-wash"),
    ("accent-strong", "panel"),
    ("warn-ink", "warn-wash"),
    ("on-bad", "bad"),
]


def colours(scheme: str) -> dict[str, str]:
    """The named colours of "light" or "dark"."""
    light, dark = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_stands_out(scheme: str, ink: str, ground: str) -> None:
    named = colours(scheme)
    lighter, darker = sorted((luminance(named[ink]), luminance(named[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_night_has_a_colour_for_each_of_the_day() -> None:
    assert set(colours("light")) == set(colours("dark"))


def test_the_sheet_names_its_colours_once() -> None:
    rules = SHEET[SHEET.index("*, *::before") :]
    assert re.findall(r"#[0-9a-f]{3,8}\b", rules) == []
