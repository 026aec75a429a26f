"""Imports: good rows kept, bad ones named, the same file twice, a killed run."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask_babel import force_locale
from sqlalchemy import func, select, update

from jobs import queues, tick, worker
from marketplace import Zhiliu
from marketplace.cases import handlers, service
from marketplace.cases.imports import create_run, run_chunk, running, set_mapping, start
from marketplace.cases.imports.export import bad_rows
from marketplace.cases.imports.faults import kind_text, text_of
from marketplace.cases.models import Case, CaseRight, ImportFault, ImportKey, ImportRow, ImportRun
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, Refused
from marketplace.core.models import Event, Outbox
from marketplace.rights.models import Right, RightChange
from marketplace.rights.rules.number_types import REFUSALS
from tests.factories.cases import make_case, make_collateral, make_patent_number
from tests.factories.parties import make_actor, make_org

Counts = tuple[str, int, int, int, int, int]


def bring(actor: Actor, content: str | bytes, target: str = "rights", name: str = "f.csv", dry_run: bool = False,
          chunk: int = 2000) -> ImportRun:  # fmt: skip
    """Upload, take the guessed mapping, and work all chunks."""
    raw = content.encode() if isinstance(content, str) else content
    run = create_run(actor, target, name, raw, allow_jsonl=True)
    set_mapping(actor, run.id, run.mapping, run.defaults)
    start(actor, run.id, dry_run=dry_run, by_worker=False)
    db.session.commit()
    while run_chunk(run.id, chunk):
        db.session.commit()
    db.session.commit()
    return db.session.get_one(ImportRun, run.id)


def counts(run: ImportRun) -> Counts:
    return run.state, run.rows_read, run.rows_new, run.rows_changed, run.rows_same, run.rows_bad


def faults(run: ImportRun) -> list[tuple[int, str | None, str]]:
    rows = db.session.scalars(select(ImportFault).where(ImportFault.run_id == run.id).order_by(ImportFault.id))
    return [(f.row_no, f.field, f.code) for f in rows]


@pytest.mark.records
@pytest.mark.parametrize(
    ("name", "rows", "kinds"),
    [
        ("patents_cn_titles.csv", 9740, {"patent_application", "invention_patent", "utility_model"}),
        ("patents.jsonl", 10122, {"patent_application", "invention_patent", "design_patent"}),
        ("software_works.jsonl", 936, {"software_copyright"}),
    ],
)
def test_the_real_records_come_in_by_their_presets_and_twice_changes_nothing(
    app: Zhiliu, records: Path, name: str, rows: int, kinds: set[str]
) -> None:
    actor = make_actor("bank")
    content = (records / name).read_bytes()
    assert counts(bring(actor, content, name=name)) == ("done", rows, rows, 0, 0, 0)
    assert counts(bring(actor, content, name=name)) == ("done", rows, 0, 0, rows, 0)
    assert db.session.scalar(select(func.count()).select_from(Right)) == rows
    assert set(db.session.scalars(select(Right.kind).distinct())) == kinds
    assert db.session.scalar(select(func.count()).where(Right.title == "")) == 0
    assert db.session.scalar(select(func.count()).select_from(RightChange)) == 0


def patents(count: int, **changes: str) -> tuple[str, list[str]]:
    numbers = [make_patent_number() for _ in range(count)]
    return "专利号,名称,申请日\n" + "".join(f"{n},装置{i},2020-03-27\n" for i, n in enumerate(numbers)), numbers


def test_good_rows_are_kept_and_bad_ones_named_by_row_and_column(app: Zhiliu) -> None:
    actor = make_actor("bank")
    good, numbers = patents(3)
    run = bring(
        actor, good + f"202010123456.7,错,2020-03-27\n{numbers[0]},重复,2020-03-27\n{make_patent_number()},,昨天\n"
    )
    assert counts(run) == ("done", 6, 3, 0, 0, 3)
    assert set(faults(run)) == {
        (5, "number", "patent.check_digit"),
        (6, None, "duplicate_in_file"),
        (7, "title", "required_missing"),
        (7, "filing_date", "date_format"),
    }
    texts = [text_of(f) for f in db.session.scalars(select(ImportFault).where(ImportFault.row_no == 6))]
    assert texts == ["与第 2 行重复，只采用前一行"]
    assert db.session.scalar(select(func.count()).select_from(Right)) == 3
    kept = set(db.session.scalars(select(ImportRow.row_no).where(ImportRow.run_id == run.id)))
    assert kept == {5, 6, 7}, "only the rows for the download are kept"
    assert bad_rows(run).decode("utf-8-sig").count("\r\n") == 4


def test_an_empty_number_is_told_once(app: Zhiliu) -> None:
    run = bring(make_actor("bank"), "专利号,名称,申请日\n,装置,2020-03-27\n,,昨天\n")
    assert faults(run) == [
        (2, "number", "required_missing"),
        (3, "filing_date", "date_format"),
        (3, "number", "required_missing"),
        (3, "title", "required_missing"),
    ]


@pytest.mark.parametrize(
    ("lang", "code", "message", "params", "kind"),
    [
        ("zh", "patent.check_digit", REFUSALS["patent.check_digit"], {"found": "7", "expected": "5"},
         "专利号校验位不符，请核对每一位"),
        ("zh", "duplicate_in_file", None, {"row": 2}, "与第 … 行重复，只采用前一行"),
        ("zh", "too_long", None, {"length": 600, "max": 500}, "内容过长"),
        ("zh", "date_in_future", None, {"label": "default_date"}, "违约日在今天之后"),
        ("en", "number_range", None, {"low": 1, "high": 99}, "Must be from … to …"),
        ("zh", "right_unknown", None, {"number": "ZL100%"}, "本行没有登记这项权利"),
    ],
)  # fmt: skip
def test_a_kind_of_fault_is_told_without_the_figures_of_one_row(
    app: Zhiliu, lang: str, code: str, message: str | None, params: dict[str, object], kind: str
) -> None:
    fault = ImportFault(run_id=1, row_no=3, code=code, message=message, params=params, severity="error")
    with app.test_request_context(f"/?lang={lang}"):
        assert kind_text(fault) == kind


def test_a_check_tells_the_same_counts_and_keeps_nothing(app: Zhiliu) -> None:
    actor = make_actor("bank")
    content, _ = patents(5)
    bring(actor, content)
    changed = content.replace("装置0", "新名称").replace("装置1", "另一名称")
    more, _ = patents(1)
    checked = bring(actor, changed + more.partition("\n")[2], dry_run=True, chunk=2)
    assert counts(checked) == ("checked", 6, 1, 2, 3, 0)
    assert db.session.scalar(select(func.count()).select_from(Right)) == 5
    assert db.session.scalar(select(func.count()).select_from(RightChange)) == 0
    start(actor, checked.id, dry_run=False, by_worker=False)
    while run_chunk(checked.id, 4):
        db.session.commit()
    db.session.commit()
    assert counts(checked) == ("done", 6, 1, 2, 3, 0)
    change = db.session.scalars(select(RightChange).order_by(RightChange.id)).first()
    assert change is not None and (change.before, change.after) == ({"title": "装置0"}, {"title": "新名称"})


def test_an_empty_cell_erases_nothing(app: Zhiliu) -> None:
    actor = make_actor("bank")
    content, numbers = patents(1)
    bring(actor, content)
    assert counts(bring(actor, f"专利号,名称,申请日\n{numbers[0]},装置0,\n")) == ("done", 1, 0, 0, 1, 0)
    right = db.session.scalars(select(Right)).one()
    assert right.filing_date is not None and right.term_end is not None


def test_a_killed_run_goes_on_where_it_stopped(app: Zhiliu) -> None:
    """A chunk commits, the next one dies before its commit, the worker's message comes back after its lease."""
    actor = make_actor("bank")
    content, _ = patents(25)
    run = create_run(actor, "rights", "f.csv", content.encode())
    set_mapping(actor, run.id, run.mapping, run.defaults)
    start(actor, run.id, dry_run=False)
    run_id = run.id
    db.session.commit()
    tick.tick(app)  # claimed and queued, but the worker dies in its second chunk
    assert run_chunk(run_id, 10)
    db.session.commit()
    assert run_chunk(run_id, 10)
    db.session.rollback()
    db.session.remove()
    assert db.session.get_one(ImportRun, run_id).cursor == 11
    queues.connect(app).flushall()
    tick.tick(app)
    worker.work(app, queues.IMPORTS, burst=True)
    assert db.session.get_one(ImportRun, run_id, populate_existing=True).state == "running", "its lease still runs"
    db.session.execute(update(Outbox).values(available_at=now() - timedelta(seconds=1)))
    db.session.commit()
    tick.tick(app)
    worker.work(app, queues.IMPORTS, burst=True)
    db.session.rollback()
    assert counts(db.session.get_one(ImportRun, run_id, populate_existing=True)) == ("done", 25, 25, 0, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(Right)) == 25
    assert not run_chunk(run_id), "a message that comes twice finds nothing to do"
    assert db.session.scalar(select(func.count()).where(Event.kind == "import.done")) == 1


def test_a_long_run_makes_room_for_others(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor("bank")
    content, _ = patents(6)
    run = create_run(actor, "rights", "f.csv", content.encode())
    set_mapping(actor, run.id, run.mapping, run.defaults)
    start(actor, run.id, dry_run=False)
    run_id = run.id
    db.session.commit()
    monkeypatch.setattr(handlers, "BOX_SECONDS", -1.0)
    monkeypatch.setattr(running.run_chunk, "__defaults__", (2,))
    for turn in range(1, 5):
        tick.tick(app)
        worker.work(app, queues.IMPORTS, burst=True)
        db.session.rollback()
        run = db.session.get_one(ImportRun, run_id, populate_existing=True)
        assert run.rows_read == min(2 * turn, 6)
    assert run.state == "done"


def test_a_run_that_always_breaks_is_given_up_and_says_so(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor("bank")
    content, _ = patents(1)
    run = create_run(actor, "rights", "f.csv", content.encode())
    set_mapping(actor, run.id, run.mapping, run.defaults)
    start(actor, run.id, dry_run=False)
    run_id = run.id
    db.session.commit()
    monkeypatch.setattr(running, "_work", lambda *args: 1 / 0)
    for _ in range(3):
        db.session.execute(update(Outbox).values(available_at=now() - timedelta(seconds=1)))
        db.session.commit()
        tick.tick(app)
        worker.work(app, queues.IMPORTS, burst=True)
    db.session.rollback()
    run = db.session.get_one(ImportRun, run_id, populate_existing=True)
    assert (run.state, run.failure) == ("failed", "ZeroDivisionError")
    monkeypatch.undo()
    start(actor, run.id, dry_run=False, by_worker=False)
    assert not run_chunk(run.id)
    assert counts(run)[:3] == ("done", 1, 1)


def test_a_row_repeated_in_another_chunk_is_still_found(app: Zhiliu) -> None:
    actor = make_actor("bank")
    content, numbers = patents(5)
    run = bring(actor, content + f"ZL {numbers[0][2:]},其他,2020-03-27\n", chunk=2)
    assert counts(run) == ("done", 6, 5, 0, 0, 1)
    assert faults(run) == [(7, None, "duplicate_in_file")]
    assert db.session.scalar(select(func.count()).select_from(ImportKey)) == 0


def test_rows_in_any_order_give_the_same_rights(app: Zhiliu) -> None:
    content, _ = patents(40)
    head, *rows = content.splitlines()
    for seed in range(2):
        random.Random(seed).shuffle(rows)
        run = bring(make_actor("bank"), "\n".join([head, *rows]), chunk=7)
        assert counts(run) == ("done", 40, 40, 0, 0, 0)


CASES = "案件编号,债务人,贷款本金（万元）,债权本金（万元）,处置路径,违约日,权利号码,质押登记号,质押登记日\n"


def test_cases_come_in_with_their_rights_and_a_second_file_updates_them(app: Zhiliu) -> None:
    actor = make_actor("bank")
    assert actor.org_id is not None
    first, second = make_collateral(actor.org_id, 2)
    numbers = f"{first.number_display}；{second.number}"
    row = f"A-1,债务人甲,500,420.5,约定自行拍卖、变卖,2026/1/10,{numbers},Y2022420000123,2022-05-18\n"
    run = bring(actor, CASES + row, "cases")
    assert counts(run) == ("done", 1, 1, 0, 0, 0), faults(run)
    case = db.session.scalars(select(Case)).one()
    assert (case.loan_principal_minor, case.claim_principal_minor) == (5_000_000_00, 4_205_000_00)
    assert {link.right_id for link in case.pledges} == {first.id, second.id}
    assert counts(bring(actor, CASES + row, "cases")) == ("done", 1, 0, 0, 1, 0)
    assert counts(bring(actor, CASES + row.replace("420.5", "400"), "cases")) == ("done", 1, 0, 1, 0, 0)
    db.session.expire_all()
    assert db.session.scalars(select(Case)).one().claim_principal_minor == 4_000_000_00


def test_what_other_rooms_refuse_is_told_in_the_readers_language(app: Zhiliu) -> None:
    """A fault is kept as its template and figures; the names in it are words of the rules, so they are put into
    English too."""
    actor = make_actor("bank")
    head = "案件编号,债务人,统一社会信用代码,贷款本金(万元),处置路径\n"
    bring(actor, head + "A-1,债务人甲,9142,500,自行拍卖\n", "cases")
    bring(actor, "权利类型,号码,名称\n商标,CN101234567A,装置\n", "rights")
    told = {}
    for lang in ("zh", "en"):
        with force_locale(lang):
            told[lang] = [text_of(f) for f in db.session.scalars(select(ImportFault).order_by(ImportFault.id))]
    assert "统一社会信用代码应为 18 位；这里有 4 位" in told["zh"]
    assert "这是专利公开（公告）号，不是商标的号码" in told["zh"]
    assert len(told["en"]) == len(told["zh"]) and not re.search("[\u4e00-\u9fff]", "".join(told["en"])), told["en"]


def test_a_case_that_left_the_draft_is_not_changed_by_a_file(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor, approved=True)
    row = f"{case.reference},另一债务人,500,,自行拍卖,,,,\n"
    run = bring(actor, CASES + row, "cases")
    assert counts(run)[2:] == (0, 0, 0, 1)
    assert faults(run)[-1][2] == "case_not_draft"
    db.session.expire_all()
    assert case.debtor_name == "武汉江夏测试科技有限公司"


def test_rights_name_the_draft_they_belong_to(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor, rights=0, documents=False)
    head = "专利号,名称,案件编号,质押登记号,质押登记日\n"
    number = make_patent_number()
    row = f"{number},装置,{case.reference},Y2022420000123,2022-05-18\n"
    lost = f"{make_patent_number()},装置,没有此案,,\n"
    run = bring(actor, head + row + lost)
    assert counts(run) == ("done", 2, 1, 0, 0, 1)
    assert faults(run) == [(3, "case_reference", "case_unknown")]
    link = db.session.scalars(select(CaseRight).where(CaseRight.case_id == case.id)).one()
    assert (link.pledge_no, str(link.pledge_date)) == ("Y2022420000123", "2022-05-18")


def test_imports_of_two_banks_do_not_meet(app: Zhiliu) -> None:
    content, _ = patents(3)
    for _ in range(2):
        assert counts(bring(make_actor("bank"), content))[2] == 3
    assert db.session.scalar(select(func.count()).select_from(Right)) == 6


def test_the_limits_on_who_and_when(app: Zhiliu) -> None:
    actor = make_actor("bank")
    content, _ = patents(1)
    run = create_run(actor, "rights", "f.csv", content.encode())
    with pytest.raises(Refused, match="import_not_mapped"):
        start(actor, run.id, dry_run=True)
    with pytest.raises(DomainError, match="import_unknown"):
        start(make_actor("bank"), run.id, dry_run=True)
    with pytest.raises(DomainError, match="bank_needed"):
        create_run(make_actor("operator"), "rights", "f.csv", content.encode())
    with pytest.raises(DomainError, match="role_needed"):
        create_run(make_actor("bank", ("viewer",)), "rights", "f.csv", content.encode())
    with pytest.raises(Invalid, match="column_unknown"):
        set_mapping(actor, run.id, {"number": "没有这列", "title": "名称"}, {})
    set_mapping(actor, run.id, run.mapping, run.defaults)
    start(actor, run.id, dry_run=False, by_worker=False)
    with pytest.raises(Refused, match="import_running"):
        start(actor, run.id, dry_run=False)


def command(app: Zhiliu, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["cases", "import", *args])


def test_the_command_imports_checks_and_tells_the_faults(app: Zhiliu, tmp_path: Path) -> None:
    org = make_org("bank", name="江夏银行")
    content, _ = patents(2)
    file = tmp_path / "权利.csv"
    file.write_text(content + "202010123456.7,错,2020-03-27\n", encoding="gb18030")
    checked = command(app, str(file), "--bank", "江夏银行", "--dry-run")
    assert checked.exit_code == 1 and "2 would be new" in checked.output and "patent.check_digit" in checked.output
    assert db.session.scalar(select(func.count()).select_from(Right)) == 0
    done = command(app, str(file), "--bank", str(org.id), "--set", "kind=invention_patent")
    assert "2 new" in done.output and "1 refused" in done.output
    assert "2 the same" in command(app, str(file), "--bank", org.uscc or "").output
    assert "no bank" in command(app, str(file), "--bank", "不存在").output
    bad = tmp_path / "x.csv"
    bad.write_bytes(b"")
    assert "file_empty" in command(app, str(bad), "--bank", "江夏银行").output
    jsonl = tmp_path / "x.jsonl"
    jsonl.write_text('{"编码": "2020SR0109251", "名字": "软件"}\n', encoding="utf-8")
    done = command(app, str(jsonl), "--bank", "江夏银行", "--map", "number=编码", "--map", "title=名字")
    assert done.exit_code == 0 and "1 new" in done.output
    assert service.FIELDS
