"""Parts of a question at once: the order stays, the first error is raised, a busy or forked process answers alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from search.engines import beside
from search.engines.beside import side_by_side


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(beside, "_helpers", 1)
    monkeypatch.setattr(beside, "_pool", None)
    yield
    if beside._pool is not None:
        beside._pool.shutdown()


def test_answers_come_in_the_order_of_the_parts_and_from_two_threads():
    met = threading.Barrier(2, timeout=10)  # passes only when two parts run at once
    parts = [lambda: met.wait() is not None and 1, lambda: met.wait() is not None and 2, lambda: 3]
    assert side_by_side(parts) == [1, 2, 3]
    assert side_by_side([]) == []


def test_an_error_of_any_part_is_raised_once_all_have_ended():
    def broken() -> int:
        raise ValueError("damaged")

    for at in range(3):
        parts = [lambda: 1, lambda: 2, lambda: 3]
        parts[at] = broken
        with pytest.raises(ValueError, match="damaged"):
            side_by_side(parts)
    assert side_by_side([lambda: 1, lambda: 2]) == [1, 2]


def test_nobody_waits_for_a_helper_that_is_busy_elsewhere():
    free = threading.Event()
    side_by_side([lambda: 0, lambda: 0])
    assert beside._pool is not None
    elsewhere = beside._pool.submit(free.wait, 10)
    assert side_by_side([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
    assert not elsewhere.done()
    free.set()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # threads and fork: what workers do
def test_a_forked_process_has_helpers_of_its_own():
    side_by_side([lambda: 0, lambda: 0])
    child = os.fork()
    if child == 0:
        met = threading.Barrier(2, timeout=10)
        try:
            side_by_side([met.wait, met.wait])
        finally:
            os._exit(0 if not met.broken else 1)
    assert os.waitpid(child, 0)[1] == 0
