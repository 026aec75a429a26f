"""Pages of the discovery room: the public list with its search, suggestions; the managers' desk of the index."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, current_app, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor, policy_of, public
from marketplace.core.actor import BANK
from marketplace.discovery import find, marks, shown, texts, trees, wanted
from marketplace.discovery.engines import searching
from marketplace.listings import views as listings
from marketplace.listings.queries import Offer
from marketplace.rights import queries as rights
from search.language import words_to_try

bp = Blueprint("discovery", __name__)
log = structlog.get_logger("search")
LONGEST_START = 60
SUGGESTIONS = 8


@listings.shown_by
def search_page() -> ResponseReturnValue:
    """The public list: what is wanted stands in the address, the index orders, the database tells."""
    asked = wanted.read(request.args)
    found = find.find(asked)
    return render_template(
        "discovery/search.html",
        asked=asked,
        found=found,
        page=shown.page(asked, found),
        own=own_rights(asked.q),
        texts=texts,
        ipc_source=trees.IPC_SOURCE,
        matches=marks.matches(found.corrected or wanted.as_asked(asked.q), found.offers, found.shots, found.synonyms),
        words=words_to_try(asked.q) if not found.offers else [],
        elsewhere=elsewhere(asked.query()),
    )


def elsewhere(query: str) -> dict[str, str]:
    """Addresses in the rooms above, as far as they are there and the reader may go: ``save`` this search, ``need`` to
    post, the result as a ``table``. Who is not signed in may save after signing in."""
    known = {"save": "interest.new_saved", "need": "interest.new_need", "table": "interest.result_table"}
    found = {}
    for name, endpoint in known.items():
        policy = policy_of(current_app, endpoint) if endpoint in current_app.view_functions else None
        if policy is not None and (policy.allows(current_actor()) or current_actor().user_id is None):
            found[name] = url_for(endpoint) + (f"?{query}" if query and name != "need" else "")
    return found


def own_rights(text: str) -> list[Any]:
    """Rights in the signed-in bank's own book that bear a number typed here: an exact look-up in the database."""
    actor = current_actor()
    if actor.org_kind != BANK or actor.org_id is None or not any(c.isdigit() for c in text):
        return []
    return rights.by_number(actor.org_id, text[:LONGEST_START])


@bp.get("/search/suggest")
@access(public)
def suggest() -> ResponseReturnValue:
    """Titles and holders that go on from what was typed; an empty list when the index does not answer."""
    start = "".join(c for c in request.args.get("q", "") if c.isprintable()).strip()[:LONGEST_START]
    found = searching().suggest(start, SUGGESTIONS) if start else []
    answer = jsonify({"suggestions": found})
    answer.cache_control.max_age = 60
    answer.cache_control.public = True
    return answer


@bp.app_context_processor
def for_other_rooms() -> dict[str, Any]:
    """``more_like(listing)``: for the offer's page, which stands in a room below."""
    return {"more_like": more_like}


def more_like(listing_id: int) -> list[Offer]:
    """Offers like this one; none when anything goes wrong, since the page can do without."""
    try:
        return find.alike(listing_id)
    except Exception as error:
        log.error("more like this failed", exc_info=error)
        return []


from marketplace.discovery import views_manage  # noqa: E402  (it adds its part of the URL map)

__all__ = ["bp", "views_manage"]
