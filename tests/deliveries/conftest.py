"""What tests of the core lean on."""

import pytest

from stores import places
from tests.deliveries.geocoding import FakeGeocoder


@pytest.fixture
def geocoder(monkeypatch: pytest.MonkeyPatch) -> FakeGeocoder:
    fake = FakeGeocoder()
    monkeypatch.setattr(places, "geocoder", lambda: fake)
    return fake
