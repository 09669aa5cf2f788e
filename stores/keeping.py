"""Carried out once: an answer is kept in the transaction of what it answers, and given again to whoever asks again.

Whoever carries out a request that must not be doubled claims it first (`claimed`), looks for an answer (`find`), and
otherwise keeps the new one (`keep`) inside `effects.kept_open()`. So the effect and the answer both exist or neither does,
wherever a process is killed. The claim is a lock of the database session, which ends with the process that held it: there
are no claims to clean up, but a connection pooler that hands sessions from one to another between statements will not do.
The unique constraint on the kept answers holds even then.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import IntegrityError, InterfaceError, OperationalError, connection

from stores import credentials, effects
from stores.actors import Actor
from stores.models import KeptAnswer
from stores.refusals import Refused

KEPT_FOR = timedelta(hours=24)


class InFlight(Refused):
    """The first request under this key is still being carried out."""

    code = "in_flight"


class OtherRequest(Refused):
    """The key was used for another request."""

    code = "other_request"


class AnswerLost(Refused):
    """The request was carried out, but what was answered cannot be read any more: the encryption key is another now."""

    code = "answer_lost"


class AlreadyKept(Exception):
    """Somebody else has kept an answer under this key in the meantime: what was done beside it must be undone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is to be carried out once: who sent it, under which key, and what tells it from others."""

    caller: str
    key: str
    fingerprint: str

    @property
    def lock(self) -> int:
        """The number of the lock that says that it is being carried out; of 64 bits, as PostgreSQL wants it."""
        hashed = hashlib.sha256(f"{self.caller}\n{self.key}".encode()).digest()
        return int.from_bytes(hashed[:8], signed=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, without the protocol it was said in."""

    status: int
    headers: dict[str, str]
    body: bytes


def caller(by: Actor) -> str:
    """Whose keys they are: a person's, or a program's for the store or the account that it speaks for.

    Another secret of the same program makes no other caller; another store does, as programs number their orders anew in
    each of them.
    """
    if by.client_id is None:
        return f"user {by.user_id}"
    within = f"account {by.account_id}" if by.account_id is not None else f"store {by.only_store_id}"
    return f"client {by.client_id} for {within}"


@contextmanager
def claimed(asked: Asked) -> Iterator[bool]:
    """Hold the request for the length of the block; gives False when somebody else is carrying it out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [asked.lock])
        ours: bool = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours:
            _let_go(asked)


def find(asked: Asked, *, at: datetime) -> Answer | None:
    """The answer kept for the request; None when there is none, or an old one. Raises `OtherRequest`, or `AnswerLost`."""
    kept = KeptAnswer.objects.filter(caller=asked.caller, key=asked.key).first()
    if kept is None:
        return None
    if kept.kept_at <= at - KEPT_FOR:
        KeptAnswer.objects.filter(pk=kept.pk).delete()
        return None
    if kept.fingerprint != asked.fingerprint:
        raise OtherRequest("The idempotency key was used for another request.")
    try:
        body = credentials.unseal(kept.sealed_body)
    except InvalidToken as error:
        raise AnswerLost("The request was carried out before, but its answer cannot be read any more.") from error
    return Answer(kept.status, kept.headers, body.encode())


def keep(asked: Asked, answer: Answer, *, at: datetime) -> None:
    """Keep an answer, in the transaction that is open; raises `AlreadyKept`."""
    row = KeptAnswer(
        caller=asked.caller,
        key=asked.key,
        fingerprint=asked.fingerprint,
        status=answer.status,
        headers=answer.headers,
        sealed_body=credentials.seal(answer.body.decode()),
        kept_at=at,
    )
    try:
        with effects.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyKept from error


def purge(*, at: datetime) -> int:
    """Delete the answers that are older than `KEPT_FOR`; returns how many."""
    deleted, _ = KeptAnswer.objects.filter(kept_at__lte=at - KEPT_FOR).delete()
    return deleted


def _let_go(asked: Asked) -> None:
    """A connection that is lost has taken its locks with it, and must not hide why it was lost."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [asked.lock])
    except (OperationalError, InterfaceError):
        connection.close()
