"""What the home page and the explaining page show."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from redis.exceptions import RedisError

from marketplace.core.i18n import _l
from marketplace.listings import desk, queries

STATES = {
    "scheduled": _l("即将开始"),
    "running": _l("竞价中"),
    "suspended": _l("暂缓"),
    "withdrawn": _l("撤回"),
    "sold": _l("成交"),
    "unsold": _l("流拍"),
}


def sales(limit: int = 6) -> list[Any]:
    """What is offered now, newest first."""
    return list(queries.latest_public(limit))


def results(limit: int = 5) -> list[Any]:
    """How the latest sales ended."""
    return list(queries.latest_results(limit))


def figures() -> list[Any]:
    """How the rounds stand, for those who watch the market."""
    return desk.figures()


def queue_lengths() -> dict[str, int] | None:
    """Jobs waiting in each queue; None while Redis is away."""
    from rq import Queue

    from jobs.queues import QUEUES, connect

    connection = connect(current_app)  # type: ignore[arg-type]
    try:
        return {name: Queue(name, connection=connection).count for name in QUEUES}
    except RedisError:
        return None


def mail_page() -> str | None:
    """Where a demo site shows the mail that it wrote to a folder; None on any other site."""
    settings = current_app.settings  # type: ignore[attr-defined]
    return url_for("parties.mail_list") if settings.demo and not settings.mail_server else None


def stages() -> list[dict[str, Any]]:
    """An auction from the notice to the protocol, each rule with its source."""
    return [
        {
            "title": _l("公告"),
            "text": _l(
                "知识产权的首次拍卖须在开始前至少 30 日公告，再次拍卖至少 15 日；"
                "公告写明权属、负担、已知瑕疵、起拍价、保证金、竞价规则和联系方式。"
            ),
            "source": "网拍规定 art. 12–14, 26",
        },
        {
            "title": _l("通知当事人和优先购买权人"),
            "text": _l("公告发布至少 3 日前通知；经通知未参加的，视为放弃优先购买权。"),
            "source": "网拍规定 art. 16",
        },
        {
            "title": _l("报名并缴纳保证金"),
            "text": _l(
                "保证金为起拍价的 5% 到 20%。先显示您是否符合条件，再缴款；"
                "申请执行的债权人可以不交，债权数额小于保证金的，补足差额。"
            ),
            "source": "网拍规定 art. 17–18",
        },
        {
            "title": _l("竞价"),
            "text": _l(
                "竞价时间不少于 24 小时，只显示竞买代码。最后 5 分钟内有出价的，"
                "自该次出价起顺延 5 分钟，次数不限。以服务器收到的时间为准。"
            ),
            "source": "网拍规定 art. 18, 20",
        },
        {
            "title": _l("优先购买权"),
            "text": _l(
                "经确认的优先购买权人可以以相同价格出价；没有更高出价的，由其买受。顺序在先的优先，同一顺序的先出价者优先。"
            ),
            "source": "网拍规定 art. 19, 21",
        },
        {
            "title": _l("结果"),
            "text": _l("一人出价不低于起拍价即成交。结束后生成确认书并公开；未成交者的保证金在 24 小时内退还。"),
            "source": "网拍规定 art. 11, 22–23",
        },
        {
            "title": _l("支付余款"),
            "text": _l(
                "保证金抵作价款，余款在公告写明的期限内支付。逾期不付的，保证金不退，依次用于拍卖费用、差价和债务，悔拍人不得参加重新拍卖。"
            ),
            "source": "网拍规定 art. 24–25",
        },
        {
            "title": _l("权利变更"),
            "text": _l("司法拍卖自成交裁定送达时转移；协议变卖的专利权自登记时转移。所需文件列在拍卖页面。"),
            "source": "网拍规定 art. 22；专利法 art. 10",
        },
        {
            "title": _l("流拍"),
            "text": _l("30 日内再次拍卖，降价不超过上一次的 20%；再次流拍的，可以以物抵债，或以固定价变卖 60 日。"),
            "source": "网拍规定 art. 26；拍变规定 art. 16, 25",
        },
    ]
