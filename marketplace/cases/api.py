"""JSON of the cases room: a bank's system brings cases in and follows them."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import fields, validate

from marketplace.cases import queries, service
from marketplace.cases.models import CASE_STATES, LEGAL_PATHS, VALUATION_BASES, Case
from marketplace.cases.rules.documents import DOCUMENTS
from marketplace.core.access import access, current_actor, token
from marketplace.core.api import Answer, Blueprint, LanguageQuery, PageQuery, Strict, minor

blp = Blueprint("cases_api", __name__, url_prefix="/api/v1/cases", description="Defaulted loans and their pledges")


class CaseInput(Strict):
    """Amounts in minor units, dates ISO 8601. ``reference`` is the bank's own number, unique in the bank."""

    reference = fields.String(required=True, validate=validate.Length(1, 80))
    debtor_name = fields.String(required=True, validate=validate.Length(1, 200))
    debtor_uscc = fields.String(allow_none=True)
    region_code = fields.String(allow_none=True)
    industry = fields.String(allow_none=True)
    currency = fields.String(validate=validate.OneOf(["CNY"]))
    loan_contract_no = fields.String(allow_none=True)
    loan_principal_minor = minor("Loan principal", required=True)
    loan_start = fields.Date(allow_none=True)
    loan_due = fields.Date(allow_none=True)
    default_date = fields.Date(allow_none=True)
    claim_date = fields.Date(allow_none=True)
    claim_principal_minor = minor("Claimed principal on claim_date")
    claim_interest_minor = minor("Claimed interest on claim_date")
    claim_penalty_minor = minor("Claimed penalty on claim_date")
    legal_path = fields.String(required=True, validate=validate.OneOf(LEGAL_PATHS))
    path_basis = fields.String(allow_none=True)
    valuation_basis = fields.String(allow_none=True, validate=validate.OneOf(VALUATION_BASES))
    valuation_minor = minor("Value of the collateral", allow_none=True)
    valuation_date = fields.Date(allow_none=True)
    valuer = fields.String(allow_none=True)
    notes = fields.String(allow_none=True, validate=validate.Length(max=10000))


class CaseChange(CaseInput):
    """The same fields; what is not sent keeps its value."""


class PledgeInput(Strict):
    right_id = fields.Integer(required=True, validate=validate.Range(1, 2**62))
    pledge_no = fields.String(allow_none=True)
    pledge_date = fields.Date(allow_none=True)
    rank = fields.Integer(load_default=1)


class PledgeAnswer(Answer):
    right_id = fields.Integer()
    pledge_no = fields.String(allow_none=True)
    pledge_date = fields.Date(allow_none=True)
    rank = fields.Integer()


class CaseAnswer(Answer):
    id = fields.Integer()
    reference = fields.String()
    state = fields.String()
    state_reason = fields.String(allow_none=True)
    debtor_name = fields.String()
    debtor_uscc = fields.String(allow_none=True)
    legal_path = fields.String()
    currency = fields.String()
    loan_principal_minor = fields.Integer()
    claim_date = fields.Date(allow_none=True)
    claim_principal_minor = fields.Integer()
    claim_interest_minor = fields.Integer()
    claim_penalty_minor = fields.Integer()
    default_date = fields.Date(allow_none=True)
    valuation_basis = fields.String(allow_none=True)
    valuation_minor = fields.Integer(allow_none=True)
    pledges = fields.List(fields.Nested(PledgeAnswer))


class CaseList(Answer):
    cases = fields.List(fields.Nested(CaseAnswer))
    total = fields.Integer()
    page = fields.Integer()
    pages = fields.Integer()


class CaseQuery(PageQuery):
    state = fields.String(load_default="", validate=validate.OneOf(["", *CASE_STATES]))
    text = fields.String(load_default="", validate=validate.Length(max=200))


class DocumentKind(LanguageQuery):
    kind = fields.String(required=True, validate=validate.OneOf(list(DOCUMENTS)))


class DocumentFile(Strict):
    file = Upload(required=True, metadata={"description": "PDF, PNG, JPEG, TIFF, DOCX, XLSX, CSV or TXT"})


class DocumentAnswer(Answer):
    id = fields.Integer()
    kind = fields.String()
    filename = fields.String()
    media_type = fields.String()
    size = fields.Integer(metadata={"description": "Bytes"})
    sha256 = fields.String()
    created_at = fields.AwareDateTime()


class DocumentList(Answer):
    documents = fields.List(fields.Nested(DocumentAnswer))


@blp.get("")
@blp.arguments(CaseQuery, location="query")
@blp.response(200, CaseList)
@access(token("cases:read"))
def list_cases(query: dict[str, Any]) -> Any:
    """The bank's cases, newest first."""
    return queries.list_cases(current_actor(), state=query["state"], text=query["text"], page=query["page"])


@blp.post("")
@blp.arguments(CaseInput)
@blp.response(201, CaseAnswer)
@access(token("cases:write"))
def create_case(data: dict[str, Any]) -> Case:
    """Enter a case as a draft. It is submitted and approved by two bankers on the pages."""
    return service.create_case(current_actor(), data)


@blp.get("/<int:case_id>")
@blp.response(200, CaseAnswer)
@access(token("cases:read"))
def read_case(case_id: int) -> Case:
    """One case of the bank."""
    return queries.case_for(current_actor(), case_id)


@blp.patch("/<int:case_id>")
@blp.arguments(CaseChange(partial=True))
@blp.response(200, CaseAnswer)
@access(token("cases:write"))
def edit_case(data: dict[str, Any], case_id: int) -> Case:
    """Correct a draft; fields that are not sent keep their value."""
    return service.edit_case(current_actor(), case_id, data)


@blp.post("/<int:case_id>/rights")
@blp.arguments(PledgeInput)
@blp.response(201, PledgeAnswer)
@access(token("cases:write"))
def add_right(data: dict[str, Any], case_id: int) -> Any:
    """Put a right into a draft, with its pledge registration."""
    return service.add_right(current_actor(), case_id, data.pop("right_id"), **data)


@blp.delete("/<int:case_id>/rights/<int:right_id>")
@blp.response(204)
@access(token("cases:write"))
def remove_right(case_id: int, right_id: int) -> None:
    """Take a right out of a draft."""
    service.remove_right(current_actor(), case_id, right_id)


@blp.get("/<int:case_id>/documents")
@blp.response(200, DocumentList)
@access(token("cases:read"))
def list_documents(case_id: int) -> Any:
    """The documents of a case, newest first, by name and hash."""
    return {"documents": queries.documents_of(queries.case_for(current_actor(), case_id).id)}


@blp.post("/<int:case_id>/documents")
@blp.arguments(DocumentKind, location="query")
@blp.arguments(DocumentFile, location="files")
@blp.response(201, DocumentAnswer)
@access(token("cases:write"))
def add_document(data: dict[str, Any], given: dict[str, Any], case_id: int) -> Any:
    """Add a document (`multipart/form-data`). The same file again for the same kind is the same document."""
    return service.add_document(current_actor(), case_id, data["kind"], given["file"])
