"""Typed refusals: services raise them, the web edge alone turns them into pages and JSON.

Each carries a stable ``code`` (part of the API contract), a message in the user's language, the field it
belongs to where there is one, parameters, and the ``source`` of the rule (``网拍规定 art. 20``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what was sent: at ``field`` (None = the whole), with its rule's source."""

    code: str
    message: Any  # str or lazy string
    field: str | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    source: str | None = None


class DomainError(Exception):
    """A refusal that a user can understand and act on. ``status`` is the HTTP meaning, used at the edge only."""

    status = 409

    def __init__(self, code: str, message: Any, *, source: str | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.source = source
        self.params = params
        self.problems: list[Problem] = [Problem(code, message, None, params, source)]


class Refused(DomainError):
    """The act is not allowed in the present state (409)."""


class Invalid(DomainError):
    """The input has faults; all of them at once, each at its field (422)."""

    status = 422

    def __init__(self, problems: Iterable[Problem]) -> None:
        self_problems = list(problems)
        first = self_problems[0]
        super().__init__(first.code, first.message, source=first.source, **first.params)
        self.problems = self_problems
        self.args = (", ".join(f"{p.code} ({p.field})" if p.field else p.code for p in self_problems),)


class Forbidden(DomainError):
    """Signed in, but this actor may not do it (403)."""

    status = 403


class NotFound(DomainError):
    """There is no such thing, or the actor may not know of it (404)."""

    status = 404
