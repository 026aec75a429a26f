"""The papers of a sale: made once, public, named by their hashes, readable; names only where the rule says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions import queries, service
from marketplace.auctions.models import LotResult
from marketplace.auctions.protocol import build, make_protocol
from marketplace.auctions.rules.catalogue import COMMERCIAL
from marketplace.auctions.seals import public_key
from marketplace.core import files
from marketplace.core.actor import PUBLIC
from marketplace.core.db import db
from marketplace.core.models import Document
from tests.factories.auctions import MadeLot, make_lot, make_short_lot
from tests.unit.auctions.sale import verify_sale

START, STEP = 100_000_00, 1_000_00


def sold_lot() -> MadeLot:
    lot = make_short_lot(seconds=3)
    for number in range(4):
        assert lot.bid(number % 2, START + number * STEP).accepted
    lot.wait_for_end()
    service.close_lot(lot.id)
    db.session.commit()
    return lot


def text_of(content: bytes, folder: Path) -> str:
    """What a reader of the PDF sees, by poppler."""
    if shutil.which("pdftotext") is None:
        if os.environ.get("ZHILIU_NO_SKIPS"):
            pytest.fail("pdftotext is not on this machine")
        pytest.skip("pdftotext is not on this machine")
    path = folder / "paper.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True).stdout


def test_the_papers_are_published_once_and_their_hashes_verify(app: Zhiliu, tmp_path: Path) -> None:
    lot = sold_lot()
    make_protocol(lot.id)
    make_protocol(lot.id)
    assert db.session.scalar(select(func.count(Document.id))) == 3
    result = db.session.scalars(select(LotResult)).one()
    papers = [result.protocol_pdf_id, result.protocol_json_id, result.confirmation_pdf_id]
    assert all(papers) and result.published_at is not None
    protocol, course, confirmation = (files.read(document_id or 0, PUBLIC)[1] for document_id in papers)
    code, lines = verify_sale.verify(course, public_key(), protocol=protocol)
    assert code == 0, lines
    assert queries.course_document(lot.id)["result"]["protocol_sha256"] == queries.protocol_sha256(lot.id)
    assert verify_sale.verify(course, public_key(), protocol=protocol + b" ")[0] == 1
    shown = text_of(protocol, tmp_path)
    assert lot.lot.code in shown and "¥103,000.00" in shown and lot.bidders[1].code in shown
    assert lot.bidders[0].org.name not in shown  # the record knows codes only
    named = text_of(confirmation, tmp_path)
    assert lot.bidders[1].org.name in named and "成交确认书" in named
    assert lot.bidders[0].org.name not in named


def test_the_same_result_makes_the_same_bytes(app: Zhiliu) -> None:
    lot = sold_lot()
    assert build(lot.id) == build(lot.id)


def test_an_unsold_lot_has_a_protocol_and_no_confirmation(app: Zhiliu, tmp_path: Path) -> None:
    lot = make_lot(0)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    make_protocol(lot.id)
    result = queries.public_result(lot.id)
    assert result is not None and result["protocol_pdf_id"] and result["confirmation_pdf_id"] is None


def test_a_commercial_sale_does_not_publish_the_buyers_name(app: Zhiliu, tmp_path: Path) -> None:
    lot = make_lot(1, profile=COMMERCIAL)
    lot.bid(0, START)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    papers = build(lot.id)
    shown = text_of(papers.confirmation or b"", tmp_path) + text_of(papers.protocol, tmp_path)
    assert lot.bidders[0].org.name not in shown and lot.bidders[0].code in shown
    result = queries.public_result(lot.id)
    assert result is not None and result["winner_name"] is None
