"""The exported course of a sale: built from plain values, hashed whole, signed by the platform elsewhere.

The format is described in `docs/course-format.md`; `tools/verify_sale.py` checks it without this code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from .chain import canonical, digest, genesis, key_id
from .profiles import Profile

FORMAT = "zhiliu-course/1"
HEAD_LABEL = "zhiliu-course-head/1"


def lot_facts(
    profile: Profile,
    *,
    lot_code: str,
    round_no: int,
    title: str,
    format: str,
    currency: str,
    start_minor: int,
    increment_minor: int,
    deposit_minor: int,
    published_at: datetime,
    opens_at: datetime,
    ends_at: datetime,
    notice_sha256: str | None = None,
) -> dict[str, Any]:
    """What is frozen at publication; `chain.genesis` hashes it and the course carries it.

    `notice_sha256` binds the published notice (竞买公告 with its special warnings) to the sale.
    """
    return {
        "lot_code": lot_code,
        "round_no": round_no,
        "title": title,
        "format": format,
        "currency": currency,
        "start_minor": start_minor,
        "increment_minor": increment_minor,
        "deposit_minor": deposit_minor,
        "published_at": published_at,
        "opens_at": opens_at,
        "ends_at": ends_at,
        "notice_sha256": notice_sha256,
        "profile": profile.to_json(),
    }


def result_of(entries: Iterable[Mapping[str, Any]], protocol_sha256: str | None = None) -> dict[str, Any]:
    """The result block for a course whose last entry is ``closed`` or ``withdrawn``; None values otherwise.

    `protocol_sha256` is the SHA-256 of the published protocol file (lower-case hex).
    """
    last = list(entries)[-1]
    names = (
        "outcome",
        "price_minor",
        "winner_code",
        "winner_rank",
        "winner_seq",
        "backup_code",
        "backup_price_minor",
        "backup_seq",
        "bid_count",
        "extensions",
    )
    if last["kind"] not in ("closed", "withdrawn"):
        raise ValueError("a running sale has no result")
    if last["kind"] == "withdrawn":
        block: dict[str, Any] = dict.fromkeys(names)
        block["outcome"] = "withdrawn"
    else:
        block = {name: last[name] for name in names}
    return {
        **block,
        "ended_at": last["at"],
        "ends_at": last["ends_at"],
        "protocol_sha256": protocol_sha256,
    }


def course_document(
    lot: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
    result: Mapping[str, Any] | None,
    signature: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The course: `lot` by `lot_facts`, `entries` by `Entry.as_dict`, `result` by `result_of`, if any.

    Unsigned unless `signature` is given; see `head_payload` and `with_signature`.
    """
    rows = [dict(entry) for entry in entries]
    first = genesis(dict(lot))
    head = rows[-1]["hash"] if rows else first
    body = {"format": FORMAT, "lot": dict(lot), "entries": rows, "result": dict(result) if result else None}
    return {
        **body,
        "integrity": {"genesis": first, "head": head, "head_seq": len(rows), "digest": digest(body)},
        "signature": dict(signature) if signature else None,
    }


def head_payload(document: Mapping[str, Any], public_key: bytes) -> bytes:
    """The bytes that the platform's Ed25519 key signs for a course; `public_key` are its 32 raw bytes."""
    return canonical(
        {
            "label": HEAD_LABEL,
            "key_id": key_id(public_key),
            "lot_code": document["lot"]["lot_code"],
            "round_no": document["lot"]["round_no"],
            **document["integrity"],
        }
    )


def with_signature(document: Mapping[str, Any], public_key: bytes, signature: bytes) -> dict[str, Any]:
    """The course with its signature block (all hex lower-case)."""
    block = {
        "algorithm": "Ed25519",
        "key_id": key_id(public_key),
        "public_key": public_key.hex(),
        "value": signature.hex(),
    }
    return {**document, "signature": block}


def course_bytes(document: Mapping[str, Any]) -> bytes:
    """The file: canonical JSON and one line feed. Any other bytes of the same values do not verify."""
    return canonical(dict(document)) + b"\n"
