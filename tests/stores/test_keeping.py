"""Answers are kept for a day for whoever asks again, and claims end with whoever held them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from stores import keeping
from stores.actors import Actor, ActorKind
from stores.keeping import AlreadyKept, Answer, Asked, OtherRequest
from stores.models import KeptAnswer
from tests.factories import NOON

ASKED = Asked("client 1 for store 2", "k", "f" * 64)
ANSWER = Answer(201, {"Location": "/api/deliveries/1"}, '{"name": "Zoé"}'.encode())


def program(**fields: object) -> Actor:
    return Actor(kind=ActorKind.CLIENT, name="Till", client_id=7, **fields)  # type: ignore[arg-type]  # as the test names them


def test_whose_keys_they_are() -> None:
    assert keeping.caller(Actor(kind=ActorKind.USER, name="bob", user_id=3, store_ids=frozenset([1]))) == "user 3"
    assert keeping.caller(program(store_ids=frozenset([2]))) == "client 7 for store 2"
    assert keeping.caller(program(account_id=5)) == "client 7 for account 5"


def test_locks_are_told_apart_and_fit() -> None:
    locks = {Asked(caller, key, "").lock for caller in ("user 1", "user 2") for key in ("a", "b")}
    assert len(locks) == 4
    assert all(-(2**63) <= lock < 2**63 for lock in locks)


@pytest.mark.django_db
def test_an_answer_is_found_as_it_was_kept() -> None:
    assert keeping.find(ASKED, at=NOON) is None
    keeping.keep(ASKED, ANSWER, at=NOON)
    assert keeping.find(ASKED, at=NOON + timedelta(hours=23)) == ANSWER
    assert keeping.find(Asked("user 1", "k", "f" * 64), at=NOON) is None
    with pytest.raises(OtherRequest):
        keeping.find(Asked(ASKED.caller, "k", "e" * 64), at=NOON)
    assert "Zo" not in KeptAnswer.objects.get().sealed_body
    assert str(KeptAnswer.objects.get()) == "201 to client 1 for store 2"


@pytest.mark.django_db
def test_an_old_answer_is_forgotten_when_it_is_asked_for() -> None:
    keeping.keep(ASKED, ANSWER, at=NOON)
    assert keeping.find(Asked(ASKED.caller, "k", "other"), at=NOON + keeping.KEPT_FOR) is None
    assert KeptAnswer.objects.count() == 0


@pytest.mark.django_db
def test_old_answers_are_purged() -> None:
    for hours in (0, 1, 2):
        keeping.keep(Asked("user 1", str(hours), "f"), ANSWER, at=NOON + timedelta(hours=hours))
    assert keeping.purge(at=NOON + keeping.KEPT_FOR + timedelta(hours=1)) == 2
    assert [row.key for row in KeptAnswer.objects.all()] == ["2"]


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_one_is_kept_and_the_other_is_undone_with_its_effect() -> None:
    keeping.keep(ASKED, ANSWER, at=NOON)

    @transaction.atomic
    def both() -> None:
        keeping.keep(Asked("user 1", "k", "f"), ANSWER, at=NOON)
        keeping.keep(ASKED, ANSWER, at=NOON)

    with pytest.raises(AlreadyKept):
        both()
    assert KeptAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_one_sessions_and_ends_with_its_block() -> None:
    def elsewhere() -> bool:
        try:
            with keeping.claimed(ASKED) as ours:
                return ours
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with keeping.claimed(ASKED) as ours:
            assert (ours, threads.submit(elsewhere).result()) == (True, False)
        assert threads.submit(elsewhere).result()
        with pytest.raises(RuntimeError), keeping.claimed(ASKED):
            raise RuntimeError
        assert threads.submit(elsewhere).result()


@pytest.mark.django_db(transaction=True)
def test_a_claim_ends_with_the_connection_that_held_it() -> None:
    with keeping.claimed(ASKED) as ours, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(_kill, pid).result()
    assert ours
    with keeping.claimed(ASKED) as again:
        assert again


def _kill(pid: int) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            done: bool = cursor.fetchone()[0]
            return done
    finally:
        connections.close_all()
