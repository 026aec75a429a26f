"""The journal: one append-only row for each thing that happened, and the rooms that listen.

Rooms lower in the house tell higher ones what happened by an event; a listener runs in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.db import db
from marketplace.core.models import Event

Listener = Callable[[int, dict[str, Any], Actor], None]
_listeners: dict[str, list[Listener]] = {}


def when(kind: str) -> Callable[[Listener], Listener]:
    """Register a listener ``(subject_id, data, actor)`` of a kind: ``@when("deposit.held")``."""

    def register(listener: Listener) -> Listener:
        _listeners.setdefault(kind, []).append(listener)
        return listener

    return register


def record(
    kind: str, subject: str, subject_id: int, actor: Actor = SYSTEM, *, public: bool = False, **data: Any
) -> None:
    """Write ``kind`` (``lot.closed``) about a subject and tell its listeners. ``public`` rows may be shown to
    everyone: put no name, amount under seal or personal data in their ``data``."""
    db.session.add(
        Event(
            kind=kind,
            subject=subject,
            subject_id=subject_id,
            user_id=actor.user_id,
            org_id=actor.org_id,
            via=actor.via,
            public=public,
            data=data,
        )
    )
    for listener in _listeners.get(kind, ()):
        listener(subject_id, data, actor)
