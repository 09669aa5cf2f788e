"""How the queue of jobs stands, who works on it, and what a worker that died leaves to the others."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

HEARTBEAT_S = 3.0
"""How often a worker says that it lives."""
DEAD_AFTER_S = 15.0
"""How long it says nothing until it counts as dead."""
LOOK_EVERY_S = 5.0
"""How often each worker looks for jobs of dead ones."""
AT_ONCE = 100

# When a job was put into the queue is only told by its first event. Of those without a date, the lowest number is the oldest.
STATE = """
WITH open AS MATERIALIZED (
    SELECT id, scheduled_at, status = 'doing' AS doing, status = 'todo' AND coalesce(scheduled_at <= now(), true) AS due, worker_id
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
), alive AS (
    SELECT id FROM procrastinate_workers WHERE last_heartbeat >= now() - make_interval(secs => %(dead_after)s)
), since AS (
    SELECT min(scheduled_at) AS at FROM open WHERE due
    UNION ALL
    SELECT min(at) FROM procrastinate_events
    WHERE type = 'deferred' AND job_id = (SELECT min(id) FROM open WHERE due AND scheduled_at IS NULL)
)
SELECT
    coalesce(extract(epoch FROM now() - (SELECT min(at) FROM since)), 0)::float AS lag_s,
    count(*) FILTER (WHERE due) AS waiting,
    count(*) FILTER (WHERE NOT due AND NOT doing) AS scheduled,
    count(*) FILTER (WHERE doing) AS doing,
    count(*) FILTER (WHERE doing AND NOT EXISTS (SELECT FROM alive WHERE alive.id = open.worker_id)) AS stalled,
    (SELECT count(*) FROM alive) AS workers
FROM open
"""
STILL_HERE = """
INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE VALUES (%s, now())
ON CONFLICT (id) DO UPDATE SET last_heartbeat = excluded.last_heartbeat
"""
# Their jobs lose their worker with it.
FORGET_THE_DEAD = "SELECT procrastinate_prune_stalled_workers_v1(%s)"
LEFT_BEHIND = """
SELECT id, task_name FROM procrastinate_jobs
WHERE status = 'doing' AND worker_id IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
PUT_BACK = "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)"
DROP = "SELECT procrastinate_finish_job_v1(%s, 'aborted', true)"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Counts of jobs: `waiting` could begin at once, `scheduled` only later; `stalled` are those `doing` whose worker is dead.

    `lag_s` is how many seconds the oldest of the waiting ones has waited, and `workers` how many are alive.
    """

    lag_s: float
    waiting: int
    scheduled: int
    doing: int
    stalled: int
    workers: int


def state(connection: "psycopg.Connection[Any]") -> State:
    """Read how the queue stands, in one statement."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(STATE, {"dead_after": DEAD_AFTER_S}).fetchone()
    assert row is not None
    return State(**{**row, "lag_s": max(0.0, round(row["lag_s"], 1))})


async def say_still_here(connection: "psycopg.AsyncConnection[Any]", worker_id: int) -> None:
    """Keep a worker alive, also one that was silent for so long that it was forgotten: a machine may sleep and wake up."""
    async with connection.transaction():
        await connection.execute(STILL_HERE, [worker_id])


async def take_up(connection: "psycopg.AsyncConnection[Any]") -> list[str]:
    """Put the jobs of dead workers back into the queue, a hundred at most; return their names.

    Any number of workers may do so at once: each job is put back by one of them, and only while nobody works on it. A job
    of which another waits already, and one is enough, is dropped.
    """
    async with connection.transaction():
        await connection.execute(FORGET_THE_DEAD, [DEAD_AFTER_S])
    async with connection.transaction():
        found = await (await connection.execute(LEFT_BEHIND, [AT_ONCE])).fetchall()
        for job_id, _ in found:
            try:
                async with connection.transaction():
                    await connection.execute(PUT_BACK, [job_id])
            except UniqueViolation:
                await connection.execute(DROP, [job_id])
    return [task_name for _, task_name in found]
