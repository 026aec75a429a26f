"""A cursor says where a page ended and belongs to one question; any other is refused."""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any

from search.engine import CursorRefused
from search.query import Query

LONGEST = 4_000  # characters
_SIGN = 6  # bytes


def fingerprint(query: Query) -> bytes:
    """What makes two questions the same for paging: all but page size, facets and kept synonyms."""
    asked = [
        query.text,
        sorted((name, sorted(values)) for name, values in query.filters.items()),
        sorted((name, list(ends)) for name, ends in query.ranges.items()),
        query.sort,
        query.like,
        query.match,
        sorted(query.ids) if query.ids is not None else None,
    ]
    return blake2b(json.dumps(asked, default=str).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode(query: Query, place: Any) -> str:
    """``place``: what the engine needs to go on, in JSON types."""
    body = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(query, body) + body).decode().rstrip("=")


def decode(query: Query) -> Any:
    """The place that ``query.cursor`` names. Raises ``CursorRefused``."""
    try:
        if len(query.cursor) > LONGEST or not query.cursor.isascii():
            raise ValueError
        raw = base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True)
        if raw[:_SIGN] != _sign(query, raw[_SIGN:]):
            raise ValueError
        return json.loads(raw[_SIGN:])
    except (ValueError, binascii.Error, RecursionError):
        raise CursorRefused("this cursor belongs to another search") from None


def _sign(query: Query, body: bytes) -> bytes:
    """Ties the place to its question; a guard against mistakes, not a secret."""
    return blake2b(body, key=fingerprint(query), digest_size=_SIGN).digest()
