"""Plain words for the codes of the journal, the deadline table and approvals, and the page of each subject.

A kind without words here is shown by its code; ``tests/web/test_web_words.py`` names every such kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, url_for
from werkzeug.routing import BuildError

from marketplace.core.access import current_actor, policy_of
from marketplace.core.i18n import _l, _lp


class Due(NamedTuple):
    """What falls due, and what happens then."""

    title: Any
    then: Any


APPROVAL_TEXT: dict[str, Any] = {
    "case.approve": _l("批准不良案件"),
    "listing.submit": _l("提交挂牌"),
    "listing.publish": _l("发布挂牌"),
    "listing.withdraw": _l("撤回挂牌"),
    "listing.round_submit": _l("提交下一轮"),
    "listing.round_publish": _l("发布下一轮公告"),
    "registration.bar": _l("限制竞买人参加"),
    "lot.withdraw": _l("撤回拍卖"),
    "lot.default": _l("认定悔拍"),
    "lot.complete": _l("办结拍卖"),
    "money.confirm_line": _l("确认到账"),
    "money.return_line": _l("退回来款"),
    "money.approve_order": _l("签发付款单"),
    "money.confirm_order": _l("确认付款结果"),
    "organisation.account": _l("变更收款账户"),
}
DEADLINE_TEXT: dict[str, Due] = {
    "lot.open": Due(_l("竞价开始"), _l("到时自动开始，无需操作。")),
    "lot.close": Due(_l("竞价结束"), _l("临近结束有出价会自动延时；结束后自动得出结果。")),
    "lot.next_round_due": Due(_l("最迟再次处置"), _l("流拍后须在此之前安排下一轮，或转入其他渠道。")),
    "award.answer": Due(_l("候补买受人答复"), _l("逾期未答复视为放弃。")),
    "balance.due": Due(_l("支付余款"), _l("逾期未付按悔拍处理。")),
    "balance.settle": Due(_l("结算余款"), _l("到时自动核对余款是否付清。")),
    "deposit.release": Due(_l("退还保证金"), _l("平台须在此之前退还未成交者的保证金。")),
    "need.expire": Due(_l("技术需求到期"), _l("到时自动停止征集。")),
    "interest.again": Due(_l("补做订阅比对"), _l("搜索恢复后自动补做，不会遗漏。")),
    "interest.digest": Due(_l("每日订阅汇总"), _l("到时自动发出邮件。")),
    "interest.digest_org": Due(_l("每日订阅汇总"), _l("到时自动发出邮件。")),
    "search.sweep": Due(_l("核对竞价中的拍品"), _l("每几秒自动进行：把价格和时间的变动写入搜索索引。")),
    "search.nightly": Due(_l("核对搜索索引"), _l("每天凌晨自动核对并补齐。")),
    "listing.follow": Due(_l("更新挂牌"), _l("到时自动更新挂牌状态。")),
    "listing.objection": Due(_l("答复异议"), _l("平台须在此之前处理异议。")),
    "right.annuity": Due(_l("缴纳年费"), _l("逾期进入六个月宽限期，并加收滞纳金。")),
    "right.expiry": Due(_l("权利期限届满"), _l("届满后不能再挂牌。")),
    "right.preservation": Due(_l("保全到期"), _l("到期前未续行的，保全失效。")),
}
EVENT_TEXT: dict[str, Any] = {
    "case.created": _lp("journal", "录入了案件"),
    "case.edited": _lp("journal", "修改了案件"),
    "case.submitted": _lp("journal", "提交了案件复核"),
    "case.approved": _lp("journal", "批准了案件"),
    "case.returned": _lp("journal", "退回了案件"),
    "case.withdrawn": _lp("journal", "撤回了案件"),
    "case.listed": _lp("journal", "案件已挂牌"),
    "case.closed": _lp("journal", "案件已结"),
    "case.right_added": _lp("journal", "为案件加入了权利"),
    "case.right_edited": _lp("journal", "更改了案件中权利的质押信息"),
    "case.right_removed": _lp("journal", "从案件移除了权利"),
    "right.created": _lp("journal", "录入了权利"),
    "right.changed": _lp("journal", "更新了权利"),
    "import.uploaded": _lp("journal", "上传了导入文件"),
    "import.checking": _lp("journal", "开始检查导入文件"),
    "import.started": _lp("journal", "开始导入"),
    "import.done": _lp("journal", "完成了导入"),
    "import.failed": _lp("journal", "导入未能完成"),
    "document.kept": _lp("journal", "上传了文件"),
    "document.removed": _lp("journal", "移除了文件"),
    "document.visibility": _lp("journal", "更改了文件的公开范围"),
    "listing.created": _lp("journal", "新建了挂牌"),
    "listing.edited": _lp("journal", "修改了挂牌"),
    "listing.discarded": _lp("journal", "删除了挂牌草稿"),
    "listing.submitted": _lp("journal", "提交了挂牌审核"),
    "listing.returned": _lp("journal", "退回了挂牌"),
    "listing.reviewed": _lp("journal", "审核通过了挂牌"),
    "listing.published": _lp("journal", "发布了挂牌"),
    "listing.corrected": _lp("journal", "更正了公告"),
    "listing.suspended": _lp("journal", "暂缓了挂牌"),
    "listing.resumed": _lp("journal", "恢复了挂牌"),
    "listing.withdrawal_asked": _lp("journal", "申请撤回挂牌"),
    "listing.withdrawn": _lp("journal", "撤回了挂牌"),
    "listing.closed": _lp("journal", "挂牌已结束"),
    "listing.question_asked": _lp("journal", "提出了问题"),
    "listing.question_answered": _lp("journal", "答复了问题"),
    "listing.question_hidden": _lp("journal", "隐藏了问题"),
    "listing.objection_filed": _lp("journal", "提出了异议"),
    "listing.objection_under_review": _lp("journal", "受理了异议"),
    "listing.objection_rejected": _lp("journal", "驳回了异议"),
    "listing.objection_upheld": _lp("journal", "认可了异议"),
    "lot.scheduled": _lp("journal", "排定了竞价"),
    "lot.opened": _lp("journal", "竞价已开始"),
    "lot.sold": _lp("journal", "已成交"),
    "lot.unsold": _lp("journal", "已流拍"),
    "lot.suspended": _lp("journal", "暂停了竞价"),
    "lot.resumed": _lp("journal", "恢复了竞价"),
    "lot.prolonged": _lp("journal", "顺延了竞价"),
    "lot.withdrawn": _lp("journal", "撤回了拍卖"),
    "lot.paid": _lp("journal", "余款已付清"),
    "lot.balance_overdue": _lp("journal", "余款逾期未付"),
    "lot.defaulted": _lp("journal", "认定为悔拍"),
    "lot.completed": _lp("journal", "拍卖已办结"),
    "lot.backup_offered": _lp("journal", "征询候补买受人"),
    "lot.backup_confirmed": _lp("journal", "候补买受人接受"),
    "lot.backup_declined": _lp("journal", "候补买受人放弃"),
    "lot.names_viewed": _lp("journal", "查看了竞买人名称"),
    "lot.protocol_published": _lp("journal", "公布了成交记录"),
    "registration.made": _lp("journal", "报名竞买"),
    "registration.qualified": _lp("journal", "取得竞买资格"),
    "registration.barred": _lp("journal", "被取消竞买资格"),
    "preemption.filed": _lp("journal", "申报了优先购买权"),
    "preemption.confirmed": _lp("journal", "确认了优先购买权"),
    "preemption.refused": _lp("journal", "未确认优先购买权"),
    "deposit.opened": _lp("journal", "生成了保证金缴款单"),
    "deposit.held": _lp("journal", "保证金已到账"),
    "deposit.cancelled": _lp("journal", "取消了保证金缴款单"),
    "deposit.applied": _lp("journal", "保证金抵作价款"),
    "deposit.forfeited": _lp("journal", "没收了保证金"),
    "deposit.release_due": _lp("journal", "保证金应退还"),
    "deposit.released": _lp("journal", "保证金已退还"),
    "balance.paid": _lp("journal", "余款已到账"),
    "balance.cancelled": _lp("journal", "取消了余款缴款单"),
    "line.confirmed": _lp("journal", "确认了一笔到账"),
    "line.returned": _lp("journal", "退回了一笔来款"),
    "statement.imported": _lp("journal", "导入了银行流水"),
    "release_order.exported": _lp("journal", "导出了付款单"),
    "release_order.cancelled": _lp("journal", "取消了付款单"),
    "payout.paid.deposit_release": _lp("journal", "已退还保证金"),
    "payout.paid.line_return": _lp("journal", "已退回来款"),
    "payout.paid.balance_return": _lp("journal", "已退还余款"),
    "payout.paid.proceeds": _lp("journal", "已支付处置价款"),
    "payout.failed": _lp("journal", "付款未成功"),
    "payout.overdue": _lp("journal", "付款已逾期"),
    "payout.payee_corrected": _lp("journal", "更正了收款账户"),
    "proceeds.owed": _lp("journal", "价款应付给处置方"),
    "organisation.registered": _lp("journal", "登记了机构"),
    "organisation.edited": _lp("journal", "修改了机构资料"),
    "organisation.submitted": _lp("journal", "提交了机构审核"),
    "organisation.verified": _lp("journal", "机构审核通过"),
    "organisation.rejected": _lp("journal", "机构审核未通过"),
    "organisation.suspended": _lp("journal", "暂停了机构"),
    "organisation.reinstated": _lp("journal", "恢复了机构"),
    "organisation.account_set": _lp("journal", "设置了收款账户"),
    "organisation.affiliated": _lp("journal", "登记了关联关系"),
    "organisation.affiliation_ended": _lp("journal", "解除了关联关系"),
    "organisation.code_released": _lp("journal", "释放了统一社会信用代码"),
    "organisation.document_removed": _lp("journal", "移除了机构文件"),
    "organisation.barred": _lp("journal", "限制了机构竞买"),
    "organisation.bar_lifted": _lp("journal", "解除了竞买限制"),
    "listing.round_proposed": _lp("journal", "拟定了下一轮"),
    "listing.round_dropped": _lp("journal", "放弃了下一轮的草稿"),
    "listing.round_submitted": _lp("journal", "提交了下一轮"),
    "listing.round_reviewed": _lp("journal", "审核通过了下一轮"),
    "listing.round_returned": _lp("journal", "退回了下一轮"),
    "listing.round_published": _lp("journal", "发布了下一轮公告"),
    "qualification.filed": _lp("journal", "提交了受让资格证明"),
    "qualification.confirmed": _lp("journal", "确认了受让资格"),
    "qualification.refused": _lp("journal", "未确认受让资格"),
    "member.invited": _lp("journal", "邀请了成员"),
    "member.invitation_revoked": _lp("journal", "撤回了邀请"),
    "member.joined": _lp("journal", "加入了机构"),
    "member.roles": _lp("journal", "更改了成员权限"),
    "member.deactivated": _lp("journal", "停用了成员"),
    "member.reactivated": _lp("journal", "恢复了成员"),
    "token.created": _lp("journal", "新建了接口令牌"),
    "token.revoked": _lp("journal", "撤销了接口令牌"),
    "user.second_factor_reset": _lp("journal", "重置了两步验证"),
    "search.rebuild_asked": _lp("journal", "申请重建搜索索引"),
    "search.synonyms_added": _lp("journal", "添加了同义词"),
    "search.synonyms_removed": _lp("journal", "删除了同义词"),
    "search.retried": _lp("journal", "重新写入搜索文档"),
    "need.created": _lp("journal", "新建了技术需求"),
    "need.edited": _lp("journal", "修改了技术需求"),
    "need.submitted": _lp("journal", "提交了技术需求审核"),
    "need.taken_back": _lp("journal", "撤回了技术需求"),
    "need.discarded": _lp("journal", "删除了技术需求草稿"),
    "need.returned": _lp("journal", "退回了技术需求"),
    "need.published": _lp("journal", "发布了技术需求"),
    "need.taken_down": _lp("journal", "结束了技术需求（平台）"),
    "need.matched": _lp("journal", "技术需求已对接"),
    "need.closed": _lp("journal", "结束了技术需求"),
    "need.expired": _lp("journal", "技术需求已到期"),
    "need.answered": _lp("journal", "响应了技术需求"),
    "need.response_accepted": _lp("journal", "接受了响应"),
    "need.response_declined": _lp("journal", "未接受响应"),
    "need.response_withdrawn": _lp("journal", "撤回了响应"),
    "saved_search.made": _lp("journal", "订阅了搜索"),
    "saved_search.removed": _lp("journal", "删除了订阅"),
    "deadline.retried": _lp("journal", "重试了到期任务"),
    "message.retried": _lp("journal", "重发了消息"),
}
SUBJECT_TEXT: dict[str, Any] = {
    "case": _lp("subject", "案件"),
    "right": _lp("subject", "权利"),
    "listing": _lp("subject", "挂牌"),
    "objection": _lp("subject", "异议"),
    "lot": _lp("subject", "拍卖"),
    "deposit": _lp("subject", "保证金"),
    "receivable": _lp("subject", "应收款"),
    "payout": _lp("subject", "付款"),
    "organisation": _lp("subject", "机构"),
    "registration": _lp("subject", "竞买登记"),
    "release_order": _lp("subject", "付款单"),
    "statement_import": _lp("subject", "银行流水"),
    "statement_line": _lp("subject", "来款"),
    "import": _lp("subject", "导入"),
    "import_run": _lp("subject", "导入"),
    "document": _lp("subject", "文件"),
    "message": _lp("subject", "消息"),
    "need": _lp("subject", "技术需求"),
    "saved_search": _lp("subject", "订阅"),
    "market": _lp("subject", "订阅比对"),
    "house": _lp("subject", "搜索索引"),
    "search_synonym": _lp("subject", "同义词"),
    "search_rebuild": _lp("subject", "索引重建"),
    "user": _lp("subject", "用户"),
}
# the first page that exists and that the actor may open
SUBJECT_PAGES: dict[str, tuple[str, ...]] = {
    "case": ("cases.case_page",),
    "right": ("rights.right_page",),
    "listing": ("listings.manage_page", "listings.listing_page"),
    "objection": ("listings.manage_list",),
    "lot": ("auctions.manage_lot", "auctions.lot_page"),
    "deposit": ("money.desk", "money.my_deposits"),
    "payout": ("money.payout_page",),
    "release_order": ("money.release_order",),
    "statement_import": ("money.statement_page",),
    "statement_line": ("money.line_list",),
    "registration": ("auctions.bar_page",),
    "organisation": ("parties.manage_detail", "parties.settings"),
    "import": ("cases.import_page",),
    "import_run": ("cases.import_page",),
    "need": ("interest.manage_need", "interest.my_need", "interest.need_page"),
    "saved_search": ("interest.saved_page",),
    "house": ("discovery.manage_search",),
    "search_synonym": ("discovery.manage_search",),
    "search_rebuild": ("discovery.manage_search",),
}


def approval_text(kind: str) -> Any:
    return APPROVAL_TEXT.get(kind, kind)


def event_text(kind: str) -> Any:
    """Words for a journal kind; approvals are put together from their own words by the template."""
    return EVENT_TEXT.get(kind, kind)


def due_text(kind: str) -> Due:
    return DEADLINE_TEXT.get(kind, Due(kind, ""))


def subject_text(subject: str) -> Any:
    return SUBJECT_TEXT.get(subject, subject)


def subject_href(subject: str, subject_id: int) -> str | None:
    """The page of a subject that this actor may open, or None."""
    for endpoint in SUBJECT_PAGES.get(subject, ()):
        if endpoint not in current_app.view_functions:
            continue
        policy = policy_of(current_app, endpoint)
        if policy is None or not policy.allows(current_actor()):
            continue
        names = next(iter(current_app.url_map.iter_rules(endpoint))).arguments
        values: dict[str, Any] = dict.fromkeys(names, subject_id)
        try:
            return url_for(endpoint, **values) if len(names) <= 1 else None
        except BuildError:
            continue
    return None
