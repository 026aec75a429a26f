"""``flask demo --records``: a right out of each real file becomes an approved case and a published sandbox offer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.cases.models import Case
from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.demo import offers, people
from marketplace.demo.records import RecordsRefused, case_from_records
from marketplace.listings.models import Listing
from marketplace.rights.models import Right

CSV = "publication_no,title_zh,ipc_subclasses\n"


@pytest.fixture
def market(app: Zhiliu) -> Zhiliu:
    with unit_of_work():
        people.settle("demo-password")
    return app


def sold_case(market: Zhiliu, path: Path) -> tuple[Case, list[str]]:
    said: list[str] = []
    case_id = case_from_records(market, path, said.append)
    return db.session.get_one(Case, case_id), said


def publish(case: Case) -> Listing:
    at = now()
    with unit_of_work():
        offer = offers.draft(case, "sandbox", at + timedelta(seconds=20), at + timedelta(seconds=80), 1_120_000)
        offers.tell_parties(offer, at)
    with unit_of_work():
        offers.send(offer)
    with unit_of_work():
        offers.review(offer)
    with unit_of_work():
        return offers.publish(offer)


@pytest.mark.records
@pytest.mark.parametrize(
    ("name", "rows", "kind", "made_up"),
    [
        ("patents_cn_titles.csv", 9740, "invention_patent", ("权利人", "申请日", "授权日", "年费缴至")),
        ("patents.jsonl", 10122, "invention_patent", ("申请日", "授权日", "年费缴至")),
        ("software_works.jsonl", 936, "software_copyright", ("完成日", "首次发表日", "登记日")),
    ],
)
def test_a_right_of_each_real_file_can_be_sold(
    market: Zhiliu, records: Path, name: str, rows: int, kind: str, made_up: tuple[str, ...]
) -> None:
    case, said = sold_case(market, records / name)
    right = case.pledges[0].right
    assert case.state == "approved" and case.demo and right.demo and right.kind == kind
    assert f"新增 {rows} new" in "\n".join(said), said
    note = next(line for line in said if "演示补充" in line)
    assert all(fact in note for fact in made_up) and name in note
    assert right.extra["demo_note"] == case.notes == note.strip()
    if name != "patents_cn_titles.csv":
        assert right.holder_name and "演示" not in right.holder_name, "what the record says is kept"
    assert publish(case).state == "published"


def test_a_second_run_sells_the_next_right_and_changes_no_other(market: Zhiliu, tmp_path: Path) -> None:
    path = tmp_path / "three.csv"
    path.write_text(CSV + "CN114081026A,申请,A01M\nCN215792497U,甲装置,B41F\nCN215667380U,乙装置,B60S\n")
    first, _said = sold_case(market, path)
    second, said = sold_case(market, path)
    titles = [case.pledges[0].right.title for case in (first, second)]
    assert titles == ["甲装置", "乙装置"], "an application is passed over, a right in a case too"
    assert "不变 3 the same" in "\n".join(said)
    assert first.reference != second.reference
    assert db.session.scalar(select(func.count()).select_from(Right)) == 3
    with pytest.raises(RecordsRefused, match=r"three.csv 中没有可以质押出售的权利"):
        case_from_records(market, path, said.append)


def test_bad_rows_are_named_and_the_good_one_is_sold(market: Zhiliu, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text(CSV + "CN21579249,坏号,B41F\n,无号,B41F\nCN215667380U,乙装置,B60S\n")
    case, said = sold_case(market, path)
    assert case.pledges[0].right.title == "乙装置"
    assert "退回 2 refused" in "\n".join(said) and any("第 2 行" in line for line in said)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"a,b\n1,2\n", CSV.encode(), b"PK\x03\x04broken"])
def test_a_file_that_is_no_list_of_rights_is_refused_with_its_name(
    market: Zhiliu, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(RecordsRefused, match=r"^odd.csv"):
        case_from_records(market, path, lambda _text: None)
    assert db.session.scalar(select(func.count()).select_from(Right)) == 0
