"""Loading the demo: what it shows, that it is made once, and that its keys open its doors."""

import json
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections, transaction

from deliveries.demo import city, day, keys, loading
from deliveries.demo.clock import Clock
from deliveries.models import Courier, Delivery, Event, Task
from deliveries.statuses import DeliveryStatus, TaskStatus, agree
from quotes.models import PricingRuleSet
from stores import credentials
from stores.actors import Role
from stores.models import Account, Address, ApiClient, Connection, Dialect, Order, Store, User

NOW = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8000"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="class")
def loaded(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a demo that all tests of a class look at."""
    path = tmp_path_factory.mktemp("demo") / "demo.json"
    with django_db_blocker.unblock(), transaction.atomic():
        assert load(path) is loading.Outcome.LOADED
        yield path
        transaction.set_rollback(True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo.json"


def load(path: Path, *, at: datetime = NOW, base_url: str = BASE_URL) -> loading.Outcome:
    return loading.load(path, base_url=base_url, at=at)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the project."""
    models = [model for model in apps.get_models() if model._meta.managed and model._meta.app_label != "procrastinate"]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def secrets_of(content: dict[str, Any]) -> list[tuple[str, Dialect]]:
    hubrise = [row["token"] for kind in ("accounts", "stores", "carriers") for row in content[kind]]
    hubrise += [store["read_token"] for store in content["stores"]]
    return [(token, Dialect.HUBRISE) for token in hubrise] + [(store["api_key"], Dialect.COOPCYCLE) for store in content["stores"]]


def logins(content: dict[str, Any]) -> list[dict[str, str]]:
    people = content["people"]
    return [people["admin"], people["dispatcher"], *people["couriers"], *people["owners"]]


def assert_keys_work(content: dict[str, Any]) -> None:
    for secret, dialect in secrets_of(content):
        assert credentials.by_connection(secret, dialect=dialect) is not None
    for login in logins(content):
        assert authenticate(username=login["username"], password=login["password"]) is not None
    for store in content["stores"]:
        for prefix, dialect in (("", Dialect.COOPCYCLE), ("hubrise_", Dialect.HUBRISE)):
            client = ApiClient.objects.get(client_id=store[f"{prefix}client_id"], dialect=dialect)
            assert check_password(store[f"{prefix}client_secret"], client.client_secret)


@pytest.mark.usefixtures("loaded")
class TestTheDay:
    def test_shows_every_status(self) -> None:
        deliveries = list(Delivery.objects.prefetch_related("tasks"))
        assert 55 <= len(deliveries) <= 70
        assert {delivery.status for delivery in deliveries} == set(DeliveryStatus.values)
        assert {delivery.status for delivery in deliveries if not delivery.by_house} == set(DeliveryStatus.values)
        assert set(Task.objects.values_list("status", flat=True)) == set(TaskStatus.values)
        assert all(agree(DeliveryStatus(delivery.status), delivery.tasks.all()) for delivery in deliveries)

    def test_gives_a_dispatcher_something_to_do(self) -> None:
        waiting = Task.objects.still_open().filter(delivery__by_house=True)
        assert waiting.filter(courier__isnull=True).exists()
        assert 2 <= waiting.filter(type="DROPOFF", before__lt=NOW).count() <= 8
        assert Task.objects.still_open().filter(address__needs_review=True).count() == len(city.UNLISTED)
        assert Event.objects.filter(kind="task.rescheduled").exists()
        assert Event.objects.filter(kind="delivery.failed").exists()
        assert Order.objects.filter(quotes__isnull=False, delivery__isnull=True).exists()
        assert Order.objects.exclude(service_type="delivery").count() == 3

    def test_knows_the_accounts_and_stores_by_name(self) -> None:
        assert dict(Account.objects.values_list("public_id", "currency")) == {"3r4s3": "EUR", "8c2vd": "EUR"}
        stores = dict(Store.objects.values_list("public_id", "timezone"))
        assert stores == {"3r4s3-1": "Europe/Paris", "3r4s3-2": "Europe/Paris", "8c2vd-1": "Europe/Lisbon"}
        assert not Store.objects.exclude(default_courier=None, default_tags=None).exists()
        assert not Store.objects.filter(pricing_rule_set=None).exists()
        first = Store.objects.get(public_id="3r4s3-1")
        assert first.package_set is not None
        assert set(first.package_set.packages.values_list("name", flat=True)) == {"SMALL", "XL"}

    def test_prices_what_was_asked_for(self) -> None:
        asked = Order.objects.filter(made_for_delivery=True)
        assert {order.pricing["rule_set"] for order in asked} == set(PricingRuleSet.objects.values_list("pk", flat=True))
        assert PricingRuleSet.objects.count() == 2
        for order in asked:
            assert order.total_cents == sum(line["amount"] for line in order.pricing["lines"]) > order.tax_cents > 0

    def test_has_six_couriers_on_the_road(self) -> None:
        riders = Courier.objects.filter(located_at__gt=NOW - timedelta(minutes=10), latitude__range=(48.7, 49), longitude__range=(2.2, 2.5))
        assert riders.count() == 6
        assert Task.objects.filter(status=TaskStatus.DOING, courier__isnull=False).count() >= 5

    def test_people_are_what_they_are(self) -> None:
        for person in city.PEOPLE:
            user = User.objects.get(username=person.username)
            assert person.role in credentials.user_actor(user).roles
            assert user.is_staff is (person.role != Role.COURIER)
            assert user.is_superuser is (person.role == Role.ADMIN)
            assert set(user.stores.values_list("public_id", flat=True)) == set(person.stores)

    def test_nothing_happened_in_the_future(self) -> None:
        assert not Event.objects.filter(happened_at__gt=NOW).exists()
        assert not Delivery.objects.filter(created_at__gt=NOW).exists()
        assert not Order.objects.filter(created_at__gt=NOW).exists()
        assert all(kinds[0] == "order.created" for kinds in _kinds_by_order().values())

    def test_asks_no_geocoder_for_what_it_knows(self) -> None:
        assert Address.objects.filter(needs_review=False, tasks__isnull=False).exclude(postal_code="").exists()
        assert Address.objects.filter(needs_review=True).count() == 3


@pytest.mark.parametrize("hour", [0, 5, 12, 23])
def test_is_the_present_day_at_any_hour(path: Path, hour: int) -> None:
    now = datetime(2026, 11, 20, hour, 20, tzinfo=ZoneInfo("Europe/Paris"))
    load(path, at=now)
    assert set(Delivery.objects.values_list("status", flat=True)) == set(DeliveryStatus.values)
    midnight = now.replace(hour=0, minute=0)
    off_day = Task.objects.filter(before__lt=midnight) | Task.objects.filter(after__gte=midnight + timedelta(days=1))
    assert off_day.count() == 0 or hour in (0, 23)


def _kinds_by_order() -> dict[int, list[str]]:
    kinds: dict[int, list[str]] = {}
    for order_id, kind in Event.objects.order_by("happened_at", "id").values_list("order_id", "kind"):
        assert order_id is not None
        kinds.setdefault(order_id, []).append(kind)
    return kinds


class TestTheFile:
    def test_has_the_shape_that_others_read(self, loaded: Path) -> None:
        content = json.loads(loaded.read_text())
        assert list(content) == ["base_url", "people", "accounts", "stores", "carriers"]
        assert list(content["people"]) == ["admin", "dispatcher", "couriers", "owners"]
        assert len(content["people"]["couriers"]) >= 2
        assert all(set(login) - {"store"} == {"username", "password"} for login in logins(content))
        assert all(list(account) == ["id", "name", "currency", "token"] for account in content["accounts"])
        assert [store["location_id"] for store in content["stores"]] == ["3r4s3-1", "3r4s3-2", "8c2vd-1"]
        assert {owner["store"] for owner in content["people"]["owners"]} == {store["id"] for store in content["stores"]}
        for store in content["stores"]:
            assert " ".join(store) == (
                "id location_id account_id name timezone client_id client_secret api_key token read_token "
                "hubrise_client_id hubrise_client_secret"
            )
            assert store["api_key"].startswith("ak_")
        assert all(list(carrier) == ["name", "ref", "token"] for carrier in content["carriers"])
        assert stat.S_IMODE(loaded.stat().st_mode) == 0o600

    def test_opens_every_door(self, loaded: Path) -> None:
        assert_keys_work(json.loads(loaded.read_text()))

    def test_tokens_reach_what_they_say(self, loaded: Path) -> None:
        content = json.loads(loaded.read_text())

        def connected(token: str) -> Connection:
            found = credentials.by_connection(token, dialect=Dialect.HUBRISE)
            assert found is not None
            return found[0]

        first, account, carrier = content["stores"][0], content["accounts"][0], content["carriers"][0]
        till, office, outside = connected(first["token"]), connected(account["token"]), connected(carrier["token"])
        assert len({till.client_id, office.client_id, outside.client_id}) == 3
        assert (till.store_id, till.scopes, till.client.client_id) == (first["id"], "orders.write", first["hubrise_client_id"])
        assert (office.account and office.account.public_id, office.scopes) == ("3r4s3", "orders.write")
        assert (outside.store_id, outside.scopes, outside.client.carrier_ref) == (first["id"], "orders.write", carrier["ref"])
        reader = connected(first["read_token"])
        assert (reader.store_id, reader.scopes) == (first["id"], "orders.read")

    def test_passwords_are_other_ones_in_every_instance_and_can_be_read_aloud(self) -> None:
        assert len({keys.new_password() for _ in range(50)}) == 50
        assert keys.new_password().count("-") == 3
        assert len(keys.WORDS) == len(set(keys.WORDS)) > 128


class TestLoadingAgain:
    def test_changes_nothing(self, path: Path) -> None:
        load(path)
        before, said = everything(), path.read_bytes()
        touched = path.stat().st_mtime_ns
        assert load(path, at=NOW + timedelta(days=1)) is loading.Outcome.KEPT
        assert everything() == before
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (said, touched)
        assert_keys_work(json.loads(said))

    def test_makes_new_keys_when_the_file_is_damaged(self, path: Path) -> None:
        load(path)
        for damage in ("", "[]", "{}", '{"accounts": [], "stores": [], "carriers": []}', '{"accounts": 3}'):
            path.write_text(damage)
            assert load(path) is loading.Outcome.RENEWED, damage
            assert_keys_work(json.loads(path.read_text()))
            assert load(path) is loading.Outcome.KEPT

    def test_makes_new_keys_when_the_file_is_gone(self, path: Path) -> None:
        load(path)
        old, days = json.loads(path.read_text()), everything()
        path.unlink()
        assert load(path) is loading.Outcome.RENEWED
        new = json.loads(path.read_text())
        assert_keys_work(new)
        assert [credentials.by_connection(secret, dialect=dialect) for secret, dialect in secrets_of(old)] == [None] * len(secrets_of(old))
        assert authenticate(**old["people"]["admin"]) is None
        after = everything()
        for label in ("deliveries.Delivery", "deliveries.Task", "deliveries.Event", "stores.Order", "stores.Store"):
            assert after[label] == days[label]
        assert len(after["stores.ApiClient"]) == len(days["stores.ApiClient"])
        assert load(path) is loading.Outcome.KEPT

    def test_replaces_the_file_of_another_database(self, path: Path) -> None:
        load(path)
        foreign = path.read_text()
        path.unlink()
        load(path)
        path.write_text(foreign)
        assert load(path) is loading.Outcome.RENEWED
        assert_keys_work(json.loads(path.read_text()))

    def test_a_stale_file_does_not_hold_up_a_fresh_database(self, path: Path) -> None:
        path.write_text('{"base_url": "http://127.0.0.1:1", "accounts": [{"token": "0"}], "stores": [], "carriers": []}')
        assert load(path) is loading.Outcome.LOADED
        assert_keys_work(json.loads(path.read_text()))

    def test_follows_the_address(self, path: Path) -> None:
        load(path)
        before, old = everything(), json.loads(path.read_text())
        assert load(path, base_url="http://127.0.0.1:8124") is loading.Outcome.MOVED
        assert json.loads(path.read_text()) == {**old, "base_url": "http://127.0.0.1:8124"}
        assert everything() == before

    def test_brings_back_a_program_that_was_deleted(self, path: Path) -> None:
        load(path)
        ApiClient.objects.filter(name="Lavandin Opéra till").delete()
        assert load(path) is loading.Outcome.RENEWED
        assert_keys_work(json.loads(path.read_text()))


class TestTrouble:
    def test_an_interrupted_load_leaves_nothing(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = everything()

        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(keys, "issue", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(path)
        monkeypatch.undo()
        assert everything() == before
        assert not path.exists()
        assert load(path) is loading.Outcome.LOADED
        assert Store.objects.get(public_id="3r4s3-1").pk == 1

    def test_leaves_people_of_the_same_name_alone(self, path: Path, settings: Any, tmp_path: Path) -> None:
        settings.DATA_DIR = tmp_path
        User.objects.create_user("admin", password="my own")
        with pytest.raises(CommandError, match="a user “admin”"):
            call_command("load_demo")
        assert authenticate(username="admin", password="my own") is not None
        assert not Account.objects.exists()

    def test_only_a_demo_is_filled_with_a_demo(self, settings: Any) -> None:
        settings.DEMO = False
        with pytest.raises(CommandError, match="RELAIS_DEMO=1"):
            call_command("load_demo")
        assert not Account.objects.exists()

    def test_the_command_says_what_it_did_and_keeps_quiet_when_it_did_nothing(
        self, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.DATA_DIR = tmp_path
        call_command("load_demo")
        assert capsys.readouterr().out == "Loaded the demo's day.\n"
        call_command("load_demo")
        assert capsys.readouterr().out == ""
        assert json.loads((tmp_path / "demo.json").read_text())["base_url"] == settings.BASE_URL


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_of_two_loads_at_once_one_does_it(path: Path) -> None:
    outcomes: list[loading.Outcome] = []

    def run() -> None:
        try:
            outcomes.append(load(path))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == Counter([loading.Outcome.LOADED, loading.Outcome.KEPT])
    assert Account.objects.count() == 2
    assert_keys_work(json.loads(path.read_text()))


class TestTheClock:
    @pytest.mark.parametrize("hour", range(24))
    def test_keeps_the_order_of_things(self, hour: int) -> None:
        clock = Clock.at(datetime(2026, 11, 20, hour, 7, 31, tzinfo=UTC), ZoneInfo("Europe/Paris"))
        moments = [clock.moment(minutes) for minutes in range(-540, 331, 2)]
        assert moments == sorted(set(moments))
        assert clock.moment(0) == clock.now
        promises = [clock.promise(minutes) for minutes in range(-540, 331, 30)]
        assert promises == sorted(set(promises))
        assert all(promise.minute % 5 == 0 and promise.second == 0 for promise in promises)

    def test_takes_minutes_for_minutes_in_the_middle_of_the_day(self) -> None:
        clock = Clock.at(NOW, ZoneInfo("Europe/Paris"))
        assert clock.moment(-90) == NOW - timedelta(minutes=90)
        assert clock.moment(200) == NOW + timedelta(minutes=200)


def test_the_day_is_long_enough_for_its_scenes() -> None:
    scenes = day.SCENES
    assert {scene.way for scene in scenes} == set(day.Way)
    assert min(scene.due for scene in scenes) - 75 >= -540
    assert max(scene.due for scene in scenes) <= 330
