"""JSON of the rights room: a bank's system brings rights in and reads their health."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from marketplace.core.access import access, current_actor, token
from marketplace.core.api import Answer, PageQuery, Strict
from marketplace.rights import queries, service
from marketplace.rights.models import Right
from marketplace.rights.rules.kinds import KINDS

blp = Blueprint("rights_api", __name__, url_prefix="/api/v1/rights", description="Rights of a bank")


class RightInput(Strict):
    """Texts and ISO dates. ``number`` in any common way of writing; its check digit is verified."""

    kind = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in KINDS]))
    number = fields.String(required=True, validate=validate.Length(1, 200))
    publication_no = fields.String(allow_none=True)
    title = fields.String(required=True, validate=validate.Length(1, 300))
    title_en = fields.String(allow_none=True)
    abstract = fields.String(allow_none=True)
    abstract_en = fields.String(allow_none=True)
    holder_name = fields.String(allow_none=True)
    holder_uscc = fields.String(allow_none=True)
    co_owners = fields.List(fields.String())
    filing_date = fields.Date(allow_none=True)
    grant_date = fields.Date(allow_none=True)
    registration_date = fields.Date(allow_none=True)
    first_publication = fields.Date(allow_none=True)
    completion_date = fields.Date(allow_none=True)
    renewed_until = fields.Date(allow_none=True)
    ipc = fields.List(fields.String())
    nice = fields.List(fields.String())
    industry = fields.String(allow_none=True)
    region_code = fields.String(allow_none=True)
    fee_reduction = fields.Integer(validate=validate.Range(0, 100))
    fees_paid_through = fields.Integer(allow_none=True, validate=validate.Range(0, 25))


class RightChange(RightInput):
    """The same fields; what is not sent keeps its value."""


class RightAnswer(Answer):
    """The facts of a right with its term, fees, burdens and health (`verdict` ok, warn or blocked, with reasons)."""

    id = fields.Integer()
    kind = fields.String()
    number = fields.String()
    number_warnings = fields.List(fields.String())
    publication_no = fields.String(allow_none=True)
    title = fields.String()
    title_en = fields.String(allow_none=True)
    holder = fields.String(allow_none=True)
    co_owners = fields.List(fields.String())
    status = fields.String()
    filing_date = fields.String(allow_none=True)
    grant_date = fields.String(allow_none=True)
    registration_date = fields.String(allow_none=True)
    term_end = fields.String(allow_none=True)
    term_confirmed = fields.Boolean()
    days_left = fields.Integer(allow_none=True)
    ipc = fields.List(fields.String())
    nice = fields.List(fields.String())
    fees = fields.Dict(allow_none=True)
    encumbrances = fields.List(fields.Dict())
    health = fields.Dict()
    as_of = fields.String()


class RightList(Answer):
    rights = fields.List(fields.Nested(RightAnswer))
    total = fields.Integer()
    page = fields.Integer()
    pages = fields.Integer()


class RightQuery(PageQuery):
    text = fields.String(load_default="")
    kind = fields.String(load_default=None, validate=validate.OneOf([str(kind) for kind in KINDS]))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100000))


@blp.get("")
@blp.arguments(RightQuery, location="query")
@blp.response(200, RightList)
@access(token("rights:read"))
def list_rights(query: dict[str, Any]) -> Any:
    """The bank's rights, newest first; `text` is a number in any writing, or words."""
    asked = queries.Filters(kind=query["kind"], text=query["text"])
    found = queries.search_rights(current_actor().org_id, asked, query["page"])
    rights = [queries.right_snapshot(right) for right, _health in found.rows]
    return {"rights": rights, "total": found.total, "page": found.number, "pages": found.pages}


@blp.post("")
@blp.arguments(RightInput)
@blp.response(201, RightAnswer)
@access(token("rights:write"))
def create_right(data: dict[str, Any]) -> Any:
    """Enter a right. All faults come back at once, each at its field."""
    return queries.right_snapshot(service.create_right(current_actor(), data, source="api"))


@blp.get("/<int:right_id>")
@blp.response(200, RightAnswer)
@access(token("rights:read"))
def read_right(right_id: int) -> Any:
    """One right of the bank."""
    return queries.right_snapshot(_right(right_id))


@blp.patch("/<int:right_id>")
@blp.arguments(RightChange(partial=True))
@blp.response(200, RightAnswer)
@access(token("rights:write"))
def change_right(data: dict[str, Any], right_id: int) -> Any:
    """Correct a right; every change is noted."""
    return queries.right_snapshot(service.update_right(current_actor(), right_id, data))


def _right(right_id: int) -> Right:
    return queries.right_for(current_actor(), right_id)
