"""What the rooms' JSON shares: answer schemas, strict reading of what is sent, paging and money."""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import EXCLUDE, RAISE, Schema, fields, validate
from webargs.core import missing
from webargs.flaskparser import FlaskParser, is_json_request

from marketplace.core.errors import DomainError
from marketplace.core.i18n import _l

MAX_JSON = 1_000_000  # bytes; the largest document a caller has to send is a few kilobytes


class BadJson(DomainError):
    """The body cannot be read as one JSON document."""

    status = 400


class JsonNeeded(DomainError):
    """The body is of another type."""

    status = 415


class TooLarge(DomainError):
    """The body is larger than any that is asked for."""

    status = 413


def strict_json(raw: bytes) -> Any:
    """One JSON document (RFC 8259) in UTF-8. Refused with 400 ``json_malformed``, ``json_duplicate_key`` (which of
    two values counts would be luck) or ``json_too_deep``; 413 ``json_too_large``."""
    if len(raw) > MAX_JSON:
        raise TooLarge("json_too_large", _l("内容过大"))
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise BadJson("json_too_deep", _l("JSON 嵌套过深")) from None
    except ValueError:  # also bytes that are no UTF-8 and numbers of thousands of digits
        raise BadJson("json_malformed", _l("内容不是有效的 JSON")) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadJson("json_duplicate_key", _l("JSON 中有重复的字段"))
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are no JSON


class StrictParser(FlaskParser):
    """Reads bodies by ``strict_json``; a body of another type is refused with 415 ``json_needed``."""

    def _raw_load_json(self, req: Request) -> Any:
        raw = req.get_data(cache=True)
        if not is_json_request(req):
            if raw or req.content_type:
                raise JsonNeeded("json_needed", _l("请以 application/json 发送 JSON"))
            return missing
        return strict_json(raw)


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """The library's blueprint with strict reading of bodies."""

    ARGUMENTS_PARSER = StrictParser()


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


class LanguageQuery(Schema):
    """Every operation takes ``lang``: the language of messages."""

    class Meta:
        unknown = EXCLUDE

    lang = fields.String(load_default=None, validate=validate.OneOf(["zh", "en"]))


class PageQuery(LanguageQuery):
    """Pages are numbered from 1; one beyond the last gives the last."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 100000))


def minor(description: str, **options: Any) -> fields.Integer:
    """An amount in minor units."""
    return fields.Integer(
        strict=True, validate=validate.Range(min=0, max=10**15), metadata={"description": description}, **options
    )
