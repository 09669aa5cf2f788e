"""The recipient's page in French: every sentence, dates as French people write them, and a way to the other language."""

import gettext
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from time_machine import Traveller

from deliveries.pages import wording
from deliveries.tracking_links import tracking_url
from tests import factories
from tests.pages import scenes
from tests.pages.markup import Page, read

CATALOGUE: Path = settings.BASE_DIR / "deliveries/locale/fr/LC_MESSAGES/django.po"
PARIS = ZoneInfo("Europe/Paris")
SATURDAY = datetime(2026, 11, 21, 9, 0, tzinfo=PARIS)
CONTEXT_ENDS = "\x04"


def compiled(path: Path) -> dict[str, str]:
    """What a compiled catalogue holds: each sentence, after its context if it has one, and its translation."""
    with path.open("rb") as file:
        catalogue: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # there is no public way
    return {id_: text for id_, text in catalogue.items() if isinstance(id_, str) and id_}


def seen(client: Client, token: str, *, language: str = "fr") -> Page:
    response = client.get(f"/{language}/pub/d/{token}")
    assert response.headers["Content-Language"] == language
    page = read(response)
    assert f'<html lang="{language}">' in page.html
    return page


@pytest.fixture
def _at_noon(noon: Traveller) -> None:
    """The clock of every page stands at noon."""


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
@pytest.mark.parametrize("state", scenes.STATES)
def test_no_english_is_left_on_any_page(client: Client, state: str) -> None:
    make, headline = scenes.STATES[state]
    page = seen(client, make().tracking_token)
    assert page.problems() == []
    assert page.headings[1] == [compiled(CATALOGUE.with_suffix(".mo"))[headline].replace("\N{NO-BREAK SPACE}", " ")]
    english = re.compile(
        r"\b(the|you|your|it|was|is|from|to|by|of|booked|collected|delivered|today|tomorrow|planned|done)\b", re.IGNORECASE
    )
    assert english.findall(page.text) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_the_window_is_said_as_in_france(client: Client) -> None:
    assert "Aujourd’hui, entre 12 h 15 et 12 h 30" in seen(client, scenes.parcel().tracking_token).plain


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_where_it_was_seen_is_said_in_french(client: Client) -> None:
    assert "Dernière position connue il y a 3 min" in seen(client, scenes.collecting().tracking_token).plain


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_each_language_leads_to_the_other(client: Client) -> None:
    token = scenes.booked().tracking_token
    assert f"/en/pub/d/{token}" in seen(client, token).links
    assert f"/fr/pub/d/{token}" in seen(client, token, language="en").links


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_one_page_leaves_the_next_in_its_own_language(client: Client) -> None:
    made = scenes.uncollected()
    assert "n’a pas encore pu être retirée" in seen(client, made.tracking_token).text
    assert "could not be collected" in seen(client, made.tracking_token, language="en").text
    assert translation.get_language() == "en"


@pytest.mark.django_db
def test_an_unknown_link_is_answered_in_french(client: Client) -> None:
    response = client.get("/fr/pub/d/abc")
    assert response.status_code == 404
    assert read(response).headings[1] == ["Nous ne trouvons pas cette livraison"]


@pytest.mark.parametrize(
    ("days", "minutes", "words"),
    [
        (0, 0, "Aujourd’hui, entre 12 h et 12 h 30"),
        (1, 5, "Demain, entre 12 h 05 et 12 h 35"),
        (-1, 0, "Hier, entre 12 h et 12 h 30"),
        (7, 0, "Samedi 28 novembre, entre 12 h et 12 h 30"),
        (10, 0, "Mardi 1er décembre, entre 12 h et 12 h 30"),
        (41, 0, "1er janvier 2027, entre 12 h et 12 h 30"),
    ],
)
def test_windows(days: int, minutes: int, words: str) -> None:
    after = SATURDAY.replace(hour=12, minute=minutes) + timedelta(days=days)
    with translation.override("fr"):
        said = wording.window_words(after, after + timedelta(minutes=30), zone=PARIS, at=SATURDAY)
    assert said.replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(("hours", "words"), [(0.5, "30 min"), (3, "3 h"), (48, "2 jours")])
def test_spans(hours: float, words: str) -> None:
    with translation.override("fr"):
        assert wording.span_words(timedelta(hours=hours)).replace("\N{NO-BREAK SPACE}", " ") == words


def test_no_other_catalogue_speaks_over_ours() -> None:
    ours = compiled(CATALOGUE.with_suffix(".mo"))
    assert len(ours) > 60
    with translation.override("fr"):
        heard = {id_: translation.pgettext(*id_.split(CONTEXT_ENDS)) if CONTEXT_ENDS in id_ else translation.gettext(id_) for id_ in ours}
    assert heard == ours


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="no gettext on this machine")
def test_the_compiled_catalogue_is_that_of_the_text(tmp_path: Path) -> None:
    fresh = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", str(fresh), str(CATALOGUE)], check=True)  # noqa: S607 - the system's own
    assert compiled(fresh) == compiled(CATALOGUE.with_suffix(".mo"))


@pytest.mark.django_db
def test_recipients_get_links_in_their_language(client: Client, settings: Any) -> None:
    settings.RELAIS_RECIPIENT_LANGUAGE = "fr"
    path = tracking_url(factories.delivery()).removeprefix(settings.BASE_URL)
    assert path.startswith("/fr/pub/d/")
    assert '<html lang="fr"' in client.get(path).content.decode()
