"""The request and ``g`` themselves, for what runs with every request: each read through Flask's
proxies costs as much as a dozen direct ones."""

from __future__ import annotations

from typing import Any, cast

from flask import Request, g, request
from flask.globals import request_ctx


def this_request() -> Request:
    return cast(Request, cast(Any, request)._get_current_object())


def this_g() -> dict[str, Any]:
    """The names in ``g`` and their values."""
    return vars(cast(Any, g)._get_current_object())


def this_context() -> Any:
    """What Flask keeps for the length of a request; libraries hang their own things on it."""
    return cast(Any, request_ctx)._get_current_object()
