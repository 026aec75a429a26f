"""What the rooms' JSON shares: answer schemas, paging, instants and money."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate


class Strict(Schema):
    """Input: an unknown field is an error, so that a misspelt one is not silently ignored."""

    class Meta:
        unknown = RAISE


class Answer(Schema):
    """Output: only the fields named here leave the server."""

    class Meta:
        unknown = EXCLUDE


class ProblemAnswer(Answer):
    code = fields.String(required=True, metadata={"description": "Stable code"})
    message = fields.String(metadata={"description": "In the language asked for by ?lang="})
    field = fields.String(allow_none=True)
    params = fields.Dict()
    source = fields.String(allow_none=True, metadata={"description": "The rule it comes from"})


class ErrorBody(ProblemAnswer):
    problems = fields.List(fields.Nested(ProblemAnswer))


class ErrorAnswer(Answer):
    error = fields.Nested(ErrorBody)
    request_id = fields.String(allow_none=True)


class PageQuery(Schema):
    """``after`` is the last id of the page before; a stable cursor."""

    class Meta:
        unknown = EXCLUDE

    after = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=0, max=2**62))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    lang = fields.String(load_default=None, validate=validate.OneOf(["zh", "en"]))


def minor(description: str, **options: Any) -> fields.Integer:
    """An amount in minor units."""
    return fields.Integer(
        strict=True, validate=validate.Range(min=0, max=10**15), metadata={"description": description}, **options
    )
