"""A new draft: what it still lacks is folded away and said once; what came back from review lies open."""

from __future__ import annotations

import re
from datetime import date, timedelta

from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core.calendar import HOLIDAYS_KNOWN_UNTIL, day_starts
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.listings import facts, rules
from marketplace.listings.models import Listing
from marketplace.listings.texts import TIMELINE
from marketplace.listings.views import timeline_steps
from marketplace.parties.models import User
from tests.factories.cases import make_case
from tests.factories.listings import make_listing
from tests.factories.parties import client_for, make_actor, make_org, make_user


def test_a_new_draft_folds_what_it_lacks_below_the_steps_and_says_it_once(app: Zhiliu) -> None:
    org = make_org("bank")
    user = make_user(org)
    case = make_case(
        make_actor("bank", ("maker",), org=org), approved=True, approver=make_actor("bank", ("approver",), org=org)
    )
    client = client_for(app, user)
    rights = [link.right_id for link in case.pledges]
    sent = client.post(f"/listings/new?case={case.id}", data={"right_ids": rights, "profile_code": "pledgee_agreed"})
    assert sent.status_code == 302
    listing = db.session.scalars(select(Listing)).one()
    page = client.get(f"/listings/mine/{listing.id}").text
    fold = re.search(r'<details id="lacks"([^>]*)>.*?</details>', page, re.S)
    assert fold is not None and "open" not in fold[1]
    assert "须更正才能提交" not in page.replace(fold[0], "") and page.index("2 说明") < fold.start()
    shown = re.findall(r'data-code="(\w+)"', fold[0].split("请留意")[0])
    assert f"提交前还须补正 {len(shown)} 项" in fold[0]
    assert "text_missing" in shown and "term_missing" in shown
    found = facts.findings(listing)
    said = rules.said_once(found)
    assert len(said) < len(found) and {f.code for f in found} - {f.code for f in said} <= {"notice_item_missing"}
    missing = {f.params["item"] for f in said if f.code == "notice_item_missing"}
    assert not missing & {"price", "deposit", "time", "balance", "known_defects", "taxes", "contact", "title_media"}
    listing.state_reason = "价格依据不清楚"
    db.session.commit()
    assert re.search(r'<details id="lacks"[^>]* open', client.get(f"/listings/mine/{listing.id}").text)


def test_a_rehearsal_is_told_what_a_real_sale_needs_not_bounds_it_does_not_have(app: Zhiliu) -> None:
    made = make_listing("draft", profile_code="sandbox")
    listing = db.session.get_one(Listing, made.id)
    listing.planned_opens_at = now() + timedelta(minutes=2)
    listing.planned_ends_at = listing.planned_opens_at + timedelta(minutes=3)
    listing.parties_notified_at = now()
    db.session.commit()
    assert not [f for f in facts.findings(listing) if f.severity == "refuse"]
    page = client_for(app, db.session.get_one(User, made.maker.user_id)).get(f"/listings/mine/{made.id}").text
    assert "沙盒不受公告期约束" in page and "真实处置须公告至少 30 日" in page and "最早可于" not in page
    assert "沙盒不受通知期限约束" in page


def test_working_days_beyond_the_known_holidays_are_told_as_such(app: Zhiliu) -> None:
    """State-owned sales count notice and balance in working days; next year's holidays come with the calendar."""
    listing = db.session.get_one(Listing, make_listing("draft").id)
    year = HOLIDAYS_KNOWN_UNTIL.year + 1
    for published, unsure in ((day_starts(HOLIDAYS_KNOWN_UNTIL), True), (day_starts(date(year - 1, 3, 2)), False)):
        listing.profile_code, listing.planned_opens_at = "state_owned", published + timedelta(days=45)
        listing.planned_ends_at = listing.planned_opens_at + timedelta(days=1)
        with app.test_request_context():
            steps = {str(step["title"]): str(step["text"] or "") for step in timeline_steps(listing, published)}
        told = {title for title, text in steps.items() if f"{year} 年的放假安排尚未载入" in text}
        assert told == ({str(TIMELINE["notice_satisfied"]), str(TIMELINE["balance"])} if unsure else set())
        found = {f.code for f in facts.findings(listing, published)}
        assert ("holidays_unknown" in found) == unsure
    db.session.rollback()
