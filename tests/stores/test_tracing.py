"""The id of a request stays with what is done for it, and with nothing else."""

import threading

import pytest

from stores import tracing


@pytest.mark.parametrize("text", ["a", "A1._-z", "x" * 64])
def test_what_clients_may_send(text: str) -> None:
    assert tracing.accepted(text) == text


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a\n", "é", '{"a":1}', "a/b", "\u0661"])
def test_what_is_replaced(text: str) -> None:
    made = tracing.accepted(text)
    assert made != text
    assert tracing.accepted(made) == made


def test_it_lasts_as_long_as_the_block() -> None:
    assert tracing.current() == ""
    with tracing.under("outer"):
        with tracing.under("inner"):
            assert tracing.current() == "inner"
        assert tracing.current() == "outer"
    assert tracing.current() == ""


def test_threads_do_not_share_it() -> None:
    both_inside = threading.Barrier(2, timeout=10)
    seen = {}

    def work(name: str) -> None:
        with tracing.under(name):
            both_inside.wait()
            seen[name] = tracing.current()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"one": "one", "two": "two"}
