"""Wrong passwords lock an account for a while, longer each time. Nothing said depends on whether it exists."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.parties.models import User

FREE_TRIES = 4
LONGEST = timedelta(hours=1)


def lock_after(failures: int) -> timedelta | None:
    """How long an account is locked after this many failures in a row: none for four, then 1, 2, 4 … 60 min."""
    if failures <= FREE_TRIES:
        return None
    return min(timedelta(minutes=2 ** min(failures - FREE_TRIES - 1, 6)), LONGEST)


def hold(user_id: int) -> None:
    """Take the account's row, so that attempts made at once are tried one after the other, not all together."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def locked(user_id: int) -> bool:
    """Whether the account takes no password or code now. Call after ``hold``."""
    until = db.session.scalar(select(User.locked_until).where(User.id == user_id))
    return until is not None and until > now()


def note_failure(user_id: int) -> None:
    """Count one wrong password or code. The answer is a page, so the request's transaction keeps the count."""
    hold(user_id)
    failures = (db.session.scalar(select(User.failed_sign_ins).where(User.id == user_id)) or 0) + 1
    wait = lock_after(failures)
    db.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(failed_sign_ins=failures, locked_until=now() + wait if wait else None)
    )


def note_success(user_id: int) -> None:
    """A whole sign-in, second factor included, starts the count again."""
    db.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(failed_sign_ins=0, locked_until=None, last_sign_in_at=func.clock_timestamp())
    )


def forgive(user_id: int) -> None:
    """The owner of the mailbox set a new password: the wrong guesses before it no longer count."""
    db.session.execute(update(User).where(User.id == user_id).values(failed_sign_ins=0, locked_until=None))
