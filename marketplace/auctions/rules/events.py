"""Published events in the course besides bids: suspend, resume, prolong, bar, withdraw (网拍规定 art. 28, 34).

Each is pure, appends one entry with its reason, and never moves the end back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from .profiles import Profile, span
from .state import Accepted, LotPhase, LotState, Refused, lot_time, make_entry

_SOURCE = "网拍规定 art. 28"
_ENDED = ("withdrawn", "closed")


def suspend(state: LotState, now: datetime, reason: str) -> Accepted | Refused:
    """暂缓/中止: no bids until resumed. Codes ``reason_missing``, ``closed``, ``withdrawn``, ``suspended``.

    A lot whose end has come cannot be suspended: it has to be closed.
    """
    now = lot_time(state, now)
    refusal = _refusal(state, reason)
    if refusal:
        return refusal
    if state.state == "suspended":
        return Refused("suspended", {}, _SOURCE)
    if now >= state.ends_at:
        return Refused("closed", {"ends_at": state.ends_at}, _SOURCE)
    after = replace(state, state="suspended", suspended_at=now)
    return _append(after, "suspended", now, state.ends_at, {"reason": reason})


def resume_end(state: LotState, now: datetime, profile: Profile) -> datetime:
    """The earliest end after a resumption: the bidding time left at suspension, at least one extension."""
    if state.suspended_at is None:
        raise ValueError("the lot is not suspended")
    left = state.ends_at - max(state.suspended_at, state.opens_at)
    left = max(left, span(profile.extension_length, profile))
    return max(state.ends_at, max(now, state.opens_at) + left)


def resume(
    state: LotState, now: datetime, reason: str, profile: Profile, ends_at: datetime | None = None
) -> Accepted | Refused:
    """恢复: bidding goes on for at least the time that was left; a later `ends_at` may be given.

    Codes ``reason_missing``, ``closed``, ``withdrawn``, ``not_suspended``, ``end_too_early``.
    """
    now = lot_time(state, now)
    refusal = _refusal(state, reason)
    if refusal:
        return refusal
    if state.state != "suspended":
        return Refused("not_suspended", {}, _SOURCE)
    least = resume_end(state, now, profile)
    end = least if ends_at is None else ends_at
    if end < least:
        return Refused("end_too_early", {"earliest": least}, _SOURCE)
    phase: LotPhase = "scheduled" if now < state.opens_at else "running"
    after = replace(state, state=phase, suspended_at=None, ends_at=end, scheduled_ends_at=end)
    return _append(after, "resumed", now, end, {"reason": reason})


def prolong(state: LotState, now: datetime, ends_at: datetime, reason: str) -> Accepted | Refused:
    """顺延 by decision, for example after an outage across the end (not yet closed): only forwards.

    Codes ``reason_missing``, ``closed``, ``withdrawn``, ``suspended``, ``end_too_early``.
    """
    now = lot_time(state, now)
    refusal = _refusal(state, reason)
    if refusal:
        return refusal
    if state.state == "suspended":
        return Refused("suspended", {}, _SOURCE)
    if ends_at <= max(state.ends_at, now):
        return Refused("end_too_early", {"earliest": max(state.ends_at, now)}, _SOURCE)
    after = replace(state, ends_at=ends_at, scheduled_ends_at=ends_at)
    return _append(after, "prolonged", now, ends_at, {"reason": reason})


def bar(state: LotState, now: datetime, code: str, reason: str) -> Accepted | Refused:
    """限制参加: this bidder code bids no more; what it has bid stands. Codes ``reason_missing``, ``closed``,
    ``withdrawn``, ``leader``.

    The leader cannot be barred, not even while suspended: its bid could neither be taken back nor won.
    """
    now = lot_time(state, now)
    refusal = _refusal(state, reason)
    if refusal:
        return refusal
    if state.leader_code == code:
        return Refused("leader", {}, _SOURCE)
    return _append(state, "barred", now, state.ends_at, {"code": code, "reason": reason})


def withdraw(state: LotState, now: datetime, reason: str) -> Accepted | Refused:
    """撤回: the sale of the lot ends without a buyer. Codes ``reason_missing``, ``closed``, ``withdrawn``.

    Not after the end of bidding with a leader: that lot is sold and has to be closed.
    """
    now = lot_time(state, now)
    refusal = _refusal(state, reason)
    if refusal:
        return refusal
    if now >= state.ends_at and state.leader_code is not None and state.state != "suspended":
        return Refused("closed", {"ends_at": state.ends_at}, "拍变规定 art. 17")
    after = replace(state, state="withdrawn")
    return _append(after, "withdrawn", now, state.ends_at, {"reason": reason})


def _refusal(state: LotState, reason: str) -> Refused | None:
    if state.state in _ENDED:
        return Refused(state.state, {"ends_at": state.ends_at}, _SOURCE)
    if not reason.strip():
        return Refused("reason_missing", {}, _SOURCE)
    return None


def _append(after: LotState, kind: str, at: datetime, ends_at: datetime, body: dict[str, Any]) -> Accepted:
    record = make_entry(after.last_hash, after.seq + 1, kind, at, ends_at, body)
    return Accepted(replace(after, seq=record.seq, last_hash=record.hash, last_at=at), record)
