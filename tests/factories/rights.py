"""Rights entered through the service, with fresh Chinese patent numbers."""

from __future__ import annotations

import io
import itertools
from datetime import date
from typing import Any

from werkzeug.datastructures import FileStorage

from marketplace.core.actor import BANK, Actor
from marketplace.core.calendar import add_years
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.parties.models import Organisation
from marketplace.rights import service
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import patent_year, term_years
from marketplace.rights.rules.number_patents import check_digit

_serials = itertools.count(1)
_TYPES = {"invention_patent": "1", "patent_application": "1", "utility_model": "2", "design_patent": "3"}
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def fresh_number(kind: str = "invention_patent", year: int = 2021) -> str:
    """A number of this kind that no other test used, with its check digit where the kind has one."""
    n = next(_serials)
    if kind in _TYPES:
        digits = f"{year}{_TYPES[kind]}{n:07d}"
        prefix = "" if kind == "patent_application" else "ZL"
        return f"{prefix}{digits}.{check_digit(digits)}"
    if kind == "software_copyright":
        return f"{year}SR{n:07d}"
    if kind == "plant_variety":
        return f"CNA{year}{n:07d}"
    if kind == "ic_layout":
        return f"BS.{year % 100}5{n:06d}"
    if kind in ("trademark", "collective_mark", "certification_mark"):
        return str(30_000_000 + n)
    return f"登记{n:06d}"


def right_data(kind: str = "invention_patent", **fields: Any) -> dict[str, Any]:
    """What a bank types about a right; granted, paid and in force."""
    day = today()
    filed = add_years(day, -4).replace(day=1)
    data: dict[str, Any] = {
        "kind": kind,
        "number": fresh_number(kind, filed.year),
        "title": f"一种高效水处理装置{next(_serials)}",
        "holder_name": "武汉江夏水务科技有限公司",
        "filing_date": filed,
        "grant_date": add_years(filed, 1),
        "registration_date": add_years(filed, 1),
        "first_publication": filed,
        "completion_date": filed,
    }
    if kind in ("invention_patent", "utility_model", "design_patent"):
        data["fees_paid_through"] = min(patent_year(filed, day) + 1, term_years(kind, filed))
    if kind == "data_right":  # its certificate lasts three years
        data["registration_date"] = add_years(filed, 3)
    return {**data, **fields}


def make_right(
    org: Organisation,
    kind: str = "invention_patent",
    healthy: bool = True,
    *,
    actor: Actor | None = None,
    **fields: Any,
) -> Right:
    """One right of the organisation; not ``healthy``: its last annual fee is three years overdue."""
    data = right_data(kind, **fields)
    if not healthy:
        filed = date(today().year - 8, 1, 1)
        data |= {"filing_date": filed, "grant_date": add_years(filed, 1), "fees_paid_through": 4}
    by = actor or Actor(org_id=org.id, org_kind=BANK, org_verified=True, via="command")
    right = service.create_right(by, data)
    db.session.commit()
    return right


def pdf_upload(name: str = "同意书.pdf", content: bytes = PDF) -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name)
