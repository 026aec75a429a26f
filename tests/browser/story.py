"""The acts of a whole sale as people do them in the pages: one function an act, each ends at what the page then says.

Each takes the page of the person who acts; ``at`` is the site's address.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fpdf import FPDF
from playwright.sync_api import Locator, Page, expect

from marketplace.core.clock import SHANGHAI
from marketplace.parties.models import Organisation
from tests.factories.money import row, statement
from tests.factories.parties import make_uscc

expect.set_options(timeout=15_000)  # a busy machine
SLOW = 40_000  # ms: for what workers do in the background
DOCUMENTS = ("借款合同", "质押合同或担保条款", "质押登记通知书", "质权实现协议或自行拍卖、变卖的约定", "定价依据")


@dataclass(frozen=True)
class Demand:
    """What a pay box asks for."""

    reference: str
    amount_minor: int


def now() -> datetime:
    """The machine's clock: asking the database would leave a transaction open while people click."""
    return datetime.now(SHANGHAI)


def paper(folder: Path, title: str) -> Path:
    """A one-page PDF; each title gives other bytes."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=20)
    pdf.cell(text=f"DEMO {title.encode().hex()[:24]}")
    path = folder / f"{title}.pdf"
    path.write_bytes(bytes(pdf.output()))
    return path


def moment(at: datetime) -> str:
    """As a person types it into a field for date and time, Asia/Shanghai. The browser drops seconds of zero."""
    local = at.astimezone(SHANGHAI)
    return local.strftime("%Y-%m-%dT%H:%M:%S" if local.second else "%Y-%m-%dT%H:%M")


def told(page: Page, text: str) -> None:
    """The page confirms the act in its notice on top."""
    expect(page.locator(".zl-flashes")).to_contain_text(text)


def confirm(page: Page | Locator, name: str) -> None:
    """Open the second look of an act and press its button."""
    box = page.locator("details.zl-confirm").filter(has=page.locator("summary", has_text=re.compile(f"^{name}$")))
    box.locator("summary").click()
    box.get_by_role("button", name=name, exact=True).click()


# --- the bank --------------------------------------------------------------------------------------------------


def enter_case(page: Page, at: str, number: str, folder: Path) -> str:
    """A banker types the case, lists the right as collateral, adds the papers, submits. Returns its address."""
    day = now().date()
    page.goto(f"{at}/cases")
    page.get_by_role("link", name="录入案件").first.click()
    for label, value in (
        ("案件编号", "BL-2026-0017"),
        ("债务人", "武汉江夏智感科技有限公司"),
        ("债务人统一社会信用代码", make_uscc()),
        ("借款合同号", "借字2023第017号"),
        ("贷款本金", "400万"),
        ("贷款起始日", str(day - timedelta(days=720))),
        ("贷款到期日", str(day - timedelta(days=120))),
        ("违约日", str(day - timedelta(days=119))),
        ("债权计算日", str(day - timedelta(days=5))),
        ("债权本金", "3,600,000.00"),
        ("债权利息", "240,000"),
        ("违约金、罚息", "4万"),
        ("处置依据", "质押合同第 12 条"),
        ("价值基准日", str(day - timedelta(days=30))),
    ):
        page.get_by_label(re.compile(f"^{label}( （选填）)?$")).fill(value)
    page.get_by_label(re.compile("^处置路径")).select_option("agreed_sale")
    page.get_by_label(re.compile("^价值依据")).select_option("bank_internal")
    page.locator("#valuation").fill("520万")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("BL-2026-0017")
    address = page.url
    page.get_by_role("link", name="列入权利").click()
    page.get_by_label("号码、名称或权利人").fill(number)
    page.get_by_role("button", name="查找").click()
    page.get_by_label("质押登记号").fill("Y2024420000123")
    page.get_by_label("质押登记日").fill(str(day - timedelta(days=700)))
    page.get_by_role("button", name="列入").click()
    if page.url != address:
        page.goto(address)
    for title in DOCUMENTS:
        page.get_by_label(re.compile("^材料类型")).select_option(label=title)
        page.get_by_label(re.compile("^文件")).set_input_files(paper(folder, title))
        page.get_by_role("button", name="上传").click()
        expect(page.get_by_role("link", name=f"{title}.pdf")).to_be_visible()
    page.get_by_role("button", name="提交复核").click()
    expect(page.get_by_text("已提交，等待本行另一名有复核权限的成员复核")).to_be_visible()
    return address


def approve_first(page: Page, at: str) -> None:
    """The second person agrees to what waits on the desk's list."""
    page.goto(f"{at}/desk")
    page.get_by_role("link", name="去复核").click()
    page.get_by_role("button", name="批准").click()
    told(page, "已批准")


def write_offer(page: Page, at: str, folder: Path, starts: datetime, lasts: timedelta) -> str:
    """The first banker makes the offer step by step under the sandbox rules and submits it. Returns its address."""
    page.goto(f"{at}/listings/mine")
    page.get_by_role("link", name="建立挂牌").click()
    page.get_by_label("规则").select_option("sandbox")
    page.get_by_role("button", name="建立草稿").click()
    address = page.url.split("?")[0]
    for label, value in (
        ("标题", "桥梁振动光纤监测发明专利"),
        ("英文标题", "Patent: monitoring bridge vibration by optical fibre"),
        ("标的物说明", "发明专利一件，已用于三座桥梁的长期监测，权属清楚。"),
        ("已知瑕疵", "未发现。"),
        ("查看和查询", "工作日 9:00–17:00 可以查看资料。"),
        ("交付和权利变更", "付清价款后 15 日内移交资料并办理变更登记。"),
        ("税费及其负担", "依法由双方各自承担。"),
        ("竞买人条件", "依法设立的法人或者其他组织。"),
        ("优先购买权人及权利性质", "未发现。"),
        ("通知方式和结果", "书面送达。"),
        ("联系方式和监督方式", "王经理 027-0000000；监督 027-1111111"),
    ):
        page.get_by_label(re.compile(f"^{label}( （选填）)?$")).fill(value)
    page.locator("#parties_notified_at").fill(moment(now() - timedelta(days=5)))
    page.get_by_role("button", name="保存并继续").click()
    for name, value in (("appraisal", "520万"), ("start", "364万"), ("increment", "2万"), ("deposit", "36.4万")):
        page.locator(f"#{name}").fill(value)
    page.get_by_label(re.compile("^价值依据")).select_option("bank_internal")
    page.locator("#appraisal_date").fill(str((now() - timedelta(days=30)).date()))
    page.locator("#balance_days").fill("15")
    page.locator("#opens_at").fill(moment(starts))
    page.locator("#ends_at").fill(moment(starts + lasts))
    page.get_by_role("button", name="保存并继续").click()
    for box in page.locator("#warnings input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="保存并继续").click()
    page.get_by_label("文件类型").select_option("price_basis")
    page.get_by_label(re.compile("^文件$")).set_input_files(paper(folder, "挂牌定价依据"))
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_text("内容齐全，可以提交第二人复核")).to_be_visible()
    confirm(page, "提交复核")
    expect(page.get_by_text("等待第二人复核，复核前不能修改")).to_be_visible()
    return address


def agree_to_offer(page: Page, address: str) -> None:
    """The second banker reads the notice and sends the offer to the platform."""
    page.goto(address)
    page.get_by_role("link", name="预览公告").click()
    expect(page.locator("main")).to_contain_text("竞买公告")
    page.goto(address)
    confirm(page, "同意提交平台")
    expect(page.get_by_text("平台正在审核")).to_be_visible()


# --- the managers ----------------------------------------------------------------------------------------------


def review_offer(page: Page, at: str, title: str) -> None:
    page.goto(f"{at}/manage/listings")
    page.get_by_role("link", name=re.compile(title)).click()
    for box in page.locator("#items input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="审核通过").click()
    expect(page.get_by_text("须由审核人以外的管理人员发布")).to_be_visible()


def publish_offer(page: Page, at: str, title: str) -> None:
    page.goto(f"{at}/manage/listings")
    page.get_by_role("link", name=re.compile(title)).click()
    confirm(page, "发布公告")
    expect(page.get_by_role("link", name="公开页面")).to_be_visible()


def money_arrives(
    maker: Page,
    second: Page,
    at: str,
    what: str,
    paid: list[tuple[Demand, Organisation]],
    folder: Path,
    look: Callable[[Page], None] = lambda page: None,
) -> None:
    """One manager imports the bank's statement and proposes its credits, the other confirms them. ``look`` sees the
    page of proposals before it is sent."""
    day = now().date()
    rows = [row(demand.amount_minor, f"{what} {demand.reference}", payer, day=day) for demand, payer in paid]
    path = folder / f"{what}.csv"
    path.write_bytes(statement(*rows))
    maker.goto(f"{at}/manage/money/statements")
    maker.get_by_label("网银导出的文件").set_input_files(path)
    maker.get_by_role("button", name="查看（暂不导入）").click()
    maker.get_by_role("button", name=f"导入 {len(rows)} 笔来款").click()
    maker.goto(f"{at}/manage/money/lines")
    expect(maker.get_by_label("处理这笔来款")).to_have_count(len(rows))
    for box in maker.get_by_label("处理这笔来款").all():
        expect(box).to_be_checked()
    look(maker)
    maker.get_by_role("button", name="提交确认").click()
    expect(maker.locator(".zl-flashes")).to_be_visible()
    decide_money(second, at)


def decide_money(page: Page, at: str) -> None:
    """The second manager looks at what waits and approves it."""
    page.goto(f"{at}/manage/money")
    page.get_by_role("region", name="等待复核").get_by_role("link").first.click()
    page.get_by_role("button", name="复核通过").click()
    expect(page.locator(".zl-flashes")).to_be_visible()


def refund(maker: Page, second: Page, at: str, folder: Path) -> Path:
    """Payouts due become one order: made, approved, exported, answered by the bank. Returns the exported file."""
    maker.goto(f"{at}/manage/money/payouts")
    maker.get_by_role("button", name="用勾选的款项生成付款单").click()
    expect(maker.get_by_role("heading", level=1)).to_contain_text("付款单")
    order = maker.url
    second.goto(order)
    second.locator(".zl-main a.btn-primary").click()
    second.get_by_role("button", name="复核通过").click()
    maker.goto(order)
    with maker.expect_download() as download:
        maker.get_by_role("button", name="导出 CSV").click()
    path = folder / "order.csv"
    download.value.save_as(path)
    maker.goto(order)
    maker.get_by_role("button", name="提交银行结果").click()
    second.goto(order)
    second.locator(".zl-main a.btn-primary").click()
    second.get_by_role("button", name="复核通过").click()
    maker.goto(order)
    return path


# --- the bidders -----------------------------------------------------------------------------------------------


def sign_up(page: Page, lot: str, words: dict[str, str]) -> Demand:
    """Read the conditions, tick every warning, register; returns what the pay box asks for."""
    page.goto(lot)
    page.get_by_role("link", name=words["register"], exact=True).click()
    for box in page.locator("main input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name=words["confirm"]).click()
    return demand(page)


def demand(page: Page) -> Demand:
    """What the pay box asks for: reference and amount."""
    box = page.locator(".zl-card").filter(has=page.locator(".zl-copy"))
    amount = box.locator("dd").first.inner_text()
    reference = box.locator("code").first.inner_text()
    return Demand(reference, int(re.sub(r"[^\d]", "", amount.splitlines()[0])))
