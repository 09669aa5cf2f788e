"""The pages in a real browser: a courier's round on a phone, and tracking without JavaScript."""

import shutil
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from deliveries import transitions
from deliveries.models import Delivery, Event
from stores.actors import SYSTEM
from tests.factories import PASSWORD
from tests.pages import scenes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = {"width": 390, "height": 844}
SMALLEST_TAP = 44

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """The system's Chromium. Playwright keeps a loop running, in which Django would refuse to ask the database."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        )
        yield opened
        opened.close()


def on_phone(browser: Browser, live_server: LiveServer, *, script: bool = True) -> Page:
    context = browser.new_context(viewport=PHONE, java_script_enabled=script, base_url=live_server.url)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def errors_of(page: Page) -> list[str]:
    """What the console complains of from now on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def log_in(page: Page) -> None:
    page.goto("/courier/")
    page.get_by_label("User name").fill("jeanne")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


@pytest.fixture
def round_of_two() -> list[Delivery]:
    """Two deliveries given to jeanne, due before midnight: the browser has a clock of its own, so this is the real today."""
    at, rider = timezone.now(), scenes.rider("jeanne")
    midnight = at.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(hour=23, minute=59)
    made = [scenes.parcel(due=midnight) for _ in range(2)]
    for one in made:
        transitions.assign(scenes.stops_of(one)[0], rider, by=SYSTEM, at=at)
    return made


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_round_on_a_phone(browser: Browser, live_server: LiveServer, round_of_two: list[Delivery], script: bool) -> None:
    page = on_phone(browser, live_server, script=script)
    complaints = errors_of(page)
    log_in(page)
    (pickup, dropoff), (other, _) = (scenes.stops_of(one) for one in round_of_two)

    card = page.locator(f"#task-{pickup.pk}")
    card.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text(f"Task #{pickup.pk} is under way.")
    card.locator("summary", has_text="Done").click()
    card.get_by_role("button", name="Yes, picked up").click()
    expect(page.get_by_role("status")).to_contain_text(f"Task #{pickup.pk} is done.")

    card = page.locator(f"#task-{dropoff.pk}")
    card.locator("summary", has_text="Done").click()
    card.get_by_label("Who received it?").fill("Mme Verdurin")
    card.locator("details[open]").get_by_label("A note").fill("Left with the porter")
    card.get_by_role("button", name="Yes, delivered").click()
    expect(page.get_by_role("status")).to_contain_text(f"Task #{dropoff.pk} is done.")
    assert Event.objects.get(kind="task.done", task=dropoff).data["notes"] == "Left with the porter"

    card = page.locator(f"#task-{other.pk}")
    card.locator("summary", has_text="Failed").click()
    card.get_by_label("Why?").select_option("CLOSED_STORE")
    card.get_by_role("button", name="Mark as failed").click()
    expect(page.get_by_role("status")).to_contain_text(f"Task #{other.pk} is marked as failed")
    assert Event.objects.get(kind="task.failed", task=other).data["reason"] == "CLOSED_STORE"
    assert complaints == []


@pytest.mark.parametrize(("pressed", "confirm"), [("Done", "Yes, delivered"), ("Failed", "Mark as failed")])
@pytest.mark.parametrize("edge", ["start", "center", "end"])
def test_two_taps_without_scrolling_wherever_the_button_stands(
    browser: Browser, live_server: LiveServer, round_of_two: list[Delivery], pressed: str, confirm: str, edge: str
) -> None:
    page = on_phone(browser, live_server, script=True)
    log_in(page)
    card = page.locator(f"#task-{scenes.stops_of(round_of_two[0])[1].pk}")
    button = card.locator("summary", has_text=pressed)
    button.evaluate("(element, edge) => element.scrollIntoView({block: edge})", edge)
    before, scrolled = button.bounding_box(), page.evaluate("scrollY")
    button.click()
    assert button.bounding_box() == before
    assert page.evaluate("scrollY") == scrolled
    expect(card.get_by_role("button", name=confirm)).to_be_in_viewport(ratio=1)
    page.mouse.click(PHONE["width"] / 2, 5)
    expect(card.get_by_role("button", name=confirm)).to_be_hidden()


def test_keys_reach_the_answer_right_after_the_question(browser: Browser, live_server: LiveServer, round_of_two: list[Delivery]) -> None:
    page = on_phone(browser, live_server, script=False)
    log_in(page)
    pickup = scenes.stops_of(round_of_two[0])[0]
    page.locator(f"#task-{pickup.pk} summary", has_text="Done").focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text(f"Task #{pickup.pk} is done.")


def test_thumbs_find_every_button_and_nothing_hangs_over(browser: Browser, live_server: LiveServer, round_of_two: list[Delivery]) -> None:
    page = on_phone(browser, live_server)
    log_in(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    buttons = page.locator("main .button:visible, main nav a:visible, header button:visible").all()
    assert len(buttons) > 10
    boxes = [button.bounding_box() for button in buttons]
    assert [box for box in boxes if box is None or box["height"] < SMALLEST_TAP or box["width"] < SMALLEST_TAP] == []


def test_following_a_delivery_needs_no_javascript(browser: Browser, live_server: LiveServer, round_of_two: list[Delivery]) -> None:
    page = on_phone(browser, live_server, script=False)
    complaints = errors_of(page)
    path = f"/en/pub/d/{round_of_two[0].tracking_token}"
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your delivery is booked")
    transitions.pick(round_of_two[0], by=SYSTEM, at=timezone.now())
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("It is on its way to you")
    expect(page.locator("[aria-current=step]")).to_have_text("On its way")
    assert complaints == []
    assert page.locator("main").evaluate("element => element.scrollWidth") <= PHONE["width"]
