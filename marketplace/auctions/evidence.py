"""The files behind a priority claim or a proof of qualification, over all rounds of the listing: a claim that was
carried over to the next round keeps what was filed in the one before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from marketplace.auctions.models import Lot, PreemptionClaim, Qualification
from marketplace.core.db import db
from marketplace.core.models import Document

SUBJECTS: dict[type[Any], str] = {PreemptionClaim: "preemption_claim", Qualification: "bidder_qualification"}


def files_of(row: PreemptionClaim | Qualification) -> list[Document]:
    """Files of the organisation's claims of this kind on the listing, oldest first. The caller has decided that the
    reader may see the claim; the bytes are guarded by ``core.files``."""
    kind: Any = type(row)
    listing = select(Lot.listing_id).where(Lot.id == row.lot_id).scalar_subquery()
    claims = (
        select(kind.id).join(Lot, Lot.id == kind.lot_id).where(kind.org_id == row.org_id, Lot.listing_id == listing)
    )
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.subject == SUBJECTS[kind], Document.subject_id.in_(claims), Document.removed_at.is_(None))
            .order_by(Document.id)
        )
    )
