"""A new draft: what it still lacks is folded away and said once; what came back from review lies open."""

from __future__ import annotations

import re

from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.listings import facts, rules
from marketplace.listings.models import Listing
from tests.factories.cases import make_case
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
