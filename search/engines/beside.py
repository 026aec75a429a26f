"""Parts of one question at once: the library answers without holding Python's lock, so a second core can help."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_helpers = max(0, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) - 1)
_pool: ThreadPoolExecutor | None = None


def _forget() -> None:
    """A forked process has none of the threads of its parent."""
    global _pool
    _pool = None


os.register_at_fork(after_in_child=_forget)


def side_by_side(parts: Sequence[Callable[[], Any]]) -> list[Any]:
    """The answers of all parts, in their order. This thread works through them; helpers take some off it when they
    are free, and nobody waits for a helper that has not begun. The first error ends it and is raised."""
    global _pool
    answers: list[Any] = [None] * len(parts)
    left = deque(enumerate(parts))

    def work() -> None:
        while True:
            try:
                at, part = left.popleft()
            except IndexError:
                return
            answers[at] = part()

    helpers = min(_helpers, len(parts) - 1)
    if helpers > 0 and _pool is None:
        _pool = ThreadPoolExecutor(_helpers, thread_name_prefix="search")
    asked = [_pool.submit(work) for _ in range(helpers)] if _pool is not None else []
    try:
        work()
    finally:
        left.clear()
        for helper in asked:
            if not helper.cancel():
                helper.result()
    return answers
