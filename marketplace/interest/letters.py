"""The signed link at the end of an alert that ends it, without sign-in."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

SALT = "interest.stop"


def stop_link(search_id: int, user_id: int) -> str:
    """The path that ends this reader's mail of this search; it never expires and can do nothing else."""
    return "/saved-searches/stop/" + _serializer().dumps([search_id, user_id])


def read_stop(token: str) -> tuple[int, int] | None:
    """(search, user) of a link that we signed; None for any other."""
    try:
        search_id, user_id = _serializer().loads(token[:500])
    except (BadSignature, TypeError, ValueError):
        return None
    return int(search_id), int(user_id)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=SALT)
