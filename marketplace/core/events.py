"""The journal: one append-only row for each thing that happened."""

from __future__ import annotations

from typing import Any

from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.db import db
from marketplace.core.models import Event


def record(
    kind: str, subject: str, subject_id: int, actor: Actor = SYSTEM, *, public: bool = False, **data: Any
) -> None:
    """Write ``kind`` (``lot.closed``) about a subject. ``public`` rows may be shown to everyone: put no
    name, amount under seal or personal data in their ``data``."""
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
