"""Canonical JSON, the hash chain of a lot's course, and the payload of a bidder's receipt.

The chain: ``genesis`` hashes the frozen facts of the lot; each accepted bid or published event adds
``SHA-256(canonical({"prev": previous hash, "entry": entry}))``. Signing (Ed25519) is done elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

GENESIS_LABEL = "zhiliu-genesis/1"
RECEIPT_LABEL = "zhiliu-receipt/1"

_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_AS_IT_IS = frozenset({str, int, bool, type(None)})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def rfc3339(moment: datetime) -> str:
    """UTC with six decimals and ``Z``; ValueError for a moment without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be recorded")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """The inverse of `rfc3339`; nothing but that one form is read."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError(f"not a recorded moment: {text!r}")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value: sorted keys, no spaces, UTF-8, no floats, times by `rfc3339`."""
    return _WRITER.encode(_plain(value)).encode("utf-8")


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def genesis(lot_facts: dict[str, Any]) -> str:
    """The hash before the first entry: over the frozen facts of the lot and its profile."""
    return digest({"label": GENESIS_LABEL, "lot": lot_facts})


def link(prev_hash: str, entry: dict[str, Any]) -> str:
    """The hash of an entry that follows `prev_hash`."""
    return digest({"prev": prev_hash, "entry": entry})


def receipt_payload(
    *,
    lot_code: str,
    round_no: int,
    seq: int,
    code: str,
    amount_minor: int,
    currency: str,
    at: datetime,
    prev_hash: str,
    hash: str,
    key_id: str,
) -> dict[str, Any]:
    """What the platform signs for the bidder: enough to find and prove the bid in the published course."""
    return {
        "label": RECEIPT_LABEL,
        "lot_code": lot_code,
        "round_no": round_no,
        "seq": seq,
        "code": code,
        "amount_minor": amount_minor,
        "currency": currency,
        "at": rfc3339(at),
        "prev_hash": prev_hash,
        "hash": hash,
        "key_id": key_id,
    }


def key_id(public_key: bytes) -> str:
    """The name of an Ed25519 public key (32 raw bytes): first 16 hex digits of its SHA-256."""
    if len(public_key) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return hashlib.sha256(public_key).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        found = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("canonical JSON has text keys only")
            found[key] = item if type(item) in _AS_IT_IS else _plain(item)
        return found
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value
    raise ValueError(f"canonical JSON cannot hold {type(value).__name__}")


def receipt_document(payload: dict[str, Any], public_key: bytes, signature: bytes) -> dict[str, Any]:
    """The receipt that the bidder keeps: the payload and the signature over ``canonical(payload)``."""
    block = {
        "algorithm": "Ed25519",
        "key_id": key_id(public_key),
        "public_key": public_key.hex(),
        "value": signature.hex(),
    }
    return {"receipt": payload, "signature": block}
