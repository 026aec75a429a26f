"""JSON of the rights room: a bank's system brings rights in and reads their health."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from marketplace.core.access import access, current_actor, token
from marketplace.core.api import Answer, Blueprint, LanguageQuery, PageQuery, Strict
from marketplace.core.clock import today
from marketplace.core.errors import Invalid, Problem
from marketplace.rights import burdens, queries, service
from marketplace.rights.models import ENCUMBRANCES, Right
from marketplace.rights.rules.kinds import KINDS
from marketplace.rights.rules.numbers import NumberRefused, parse_number
from marketplace.rights.words import say

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
    text = fields.String(load_default="", validate=validate.Length(max=200))
    kind = fields.String(load_default=None, validate=validate.OneOf([str(kind) for kind in KINDS]))


class NumberQuery(LanguageQuery):
    kind = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in KINDS]))
    number = fields.String(required=True, validate=validate.Length(1, 200))


class NumberAnswer(Answer):
    canonical = fields.String(metadata={"description": "The same for every way of writing it"})
    display = fields.String()
    family = fields.String()
    warnings = fields.List(fields.String(), metadata={"description": "Codes of what a person should look at"})


class BurdenInput(Strict):
    """A pledge, a court's preservation or a licence on the right."""

    kind = fields.String(required=True, validate=validate.OneOf(ENCUMBRANCES))
    holder = fields.String(
        required=True, validate=validate.Length(1, 300), metadata={"description": "Pledgee, court or licensee"}
    )
    own = fields.Boolean(load_default=False, metadata={"description": "Your bank itself is the pledgee"})
    registration_no = fields.String(allow_none=True)
    case_no = fields.String(allow_none=True, metadata={"description": "Needed for a preservation"})
    from_date = fields.Date(required=True)
    until_date = fields.Date(allow_none=True)
    recorded = fields.Boolean(load_default=False, metadata={"description": "Entered in the register"})
    scope = fields.String(allow_none=True)


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


@blp.get("/check-number")
@blp.arguments(NumberQuery, location="query")
@blp.response(200, NumberAnswer)
@access(token("rights:read"))
def check_number(query: dict[str, Any]) -> Any:
    """Read a number without storing anything: its canonical form, or 422 with what is wrong with it."""
    try:
        found = parse_number(query["kind"], query["number"], today=today())
    except NumberRefused as refused:
        text = say(refused.template, refused.params)
        raise Invalid([Problem(refused.code, text, "number", dict(refused.params))]) from None
    return {"canonical": found.canonical, "display": found.display, "family": found.kind_family,
            "warnings": list(found.warnings)}  # fmt: skip


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


@blp.post("/<int:right_id>/encumbrances")
@blp.arguments(BurdenInput)
@blp.response(201, RightAnswer)
@access(token("rights:write"))
def add_encumbrance(data: dict[str, Any], right_id: int) -> Any:
    """Put a burden on a right; the answer carries the new health. Releasing it takes a document, on the pages."""
    burdens.add_encumbrance(current_actor(), right_id, data)
    return queries.right_snapshot(_right(right_id))


def _right(right_id: int) -> Right:
    return queries.right_for(current_actor(), right_id)
