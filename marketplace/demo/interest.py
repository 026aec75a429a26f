"""What the demo market looks for: needs in three states and saved searches. All made up, all marked as demo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.demo.people import actor
from marketplace.interest import service
from marketplace.interest.models import Need, SavedSearch

CONTACTS = {
    who: f"演示联系人：{name}，电话 000-0000-0000" for who, name in (("enterprise", "孙企业"), ("bidder", "赵竞买"))
}
#: Fields of the need, and who posts it; the last one waits for a manager.
NEEDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("enterprise", {
        "title": "污泥低温干化技术", "title_en": "Low-temperature drying of sludge",
        "details": "演示需求：污水处理厂污泥含水率从 80% 降到 40%，能耗要低，装置可以车载。",
        "details_en": "Demo need: bring sludge from 80 % to 40 % water at low energy; a unit that fits on a lorry.",
        "ipc": "C02F11", "industry": "N7721", "region_code": "420100", "wanted": "either",
        "budget_high_minor": 8_000_000_00, "anonymous": True,
    }),
    ("bidder", {
        "title": "桥梁健康监测用光纤传感", "title_en": "Optical fibre sensing for bridge monitoring",
        "details": "演示需求：为在役桥梁的振动监测寻找光纤传感和防水接头方面的专利，可以购买也可以许可。",
        "details_en": "Demo need: patents on fibre sensing and waterproof joints to watch the vibration of bridges.",
        "ipc": "G01H", "industry": "C4014", "region_code": "420000", "wanted": "either",
        "budget_high_minor": 5_000_000_00, "anonymous": False,
    }),
    ("enterprise", {
        "title": "矿山安全巡检软件", "title_en": "Software for safety rounds in mines",
        "details": "演示需求：井下巡检路线和隐患上报的软件著作权，须可以二次开发。",
        "details_en": "Demo need: copyright in software for inspection rounds underground, open to further work.",
        "ipc": "", "industry": "I6513", "region_code": None, "wanted": "licence",
        "budget_high_minor": 300_000_00, "anonymous": True,
    }),
)  # fmt: skip
SEARCHES = (
    ("bidder", "q=光纤", "光纤传感", "at_once"),
    ("enterprise", "q=污泥", "污泥处理", "daily"),
    ("enterprise", "kind=invention_patent&region=420000", "湖北的发明专利", "never"),
)


def settle() -> None:
    """Post, publish and save what is not there yet. The caller commits."""
    known = set(db.session.scalars(select(Need.title).where(Need.demo)))
    for number, (who, fields) in enumerate(NEEDS, 1):
        if fields["title"] in known:
            continue
        poster = actor(who)
        fixed = {"budget_low_minor": None, "contact": CONTACTS[who], "valid_until": today() + timedelta(days=180)}
        need = service.save(poster, fields | fixed)
        service.submit(poster, need.id)
        if number < len(NEEDS):
            service.publish(actor("manager"), need.id)
    saved = set(db.session.scalars(select(SavedSearch.name).where(SavedSearch.demo)))
    for who, query, name, often in SEARCHES:
        if name not in saved:
            service.save_search(actor(who), query, name, often)
