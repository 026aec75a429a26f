"""Public pages of the interest room: the board and open data. The other parts of the URL map stand in ``views_saved``,
``views_needs``, ``views_answers`` and ``views_manage``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor, org, public
from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR
from marketplace.core.clock import now
from marketplace.core.i18n import get_locale
from marketplace.interest import places, queries, texts
from marketplace.interest.filters import read_filters
from marketplace.interest.forms import ResponseForm
from marketplace.interest.models import Need
from marketplace.listings import public as offers
from marketplace.listings.texts import CHANNELS

bp = Blueprint("interest", __name__)
poster = org(ENTERPRISE, OPERATOR)
owner = org(BANK, OPERATOR)


@bp.app_context_processor
def words() -> dict[str, Any]:
    """Names of states and reasons for the templates of this room."""
    return {
        "interest_texts": texts,
        "reason_said": texts.reason_text,
        "reasons_said": texts.said,
        "budget_said": texts.budget_text,
        "interest_channels": CHANNELS,
    }


def in_words(thing: Any, name: str) -> str:
    """A text in the reader's language: the English one where there is one and the reader reads English."""
    english = getattr(thing, f"{name}_en", None) if str(get_locale() or "zh") == "en" else None
    return str(english or getattr(thing, name))


bp.add_app_template_global(in_words, "in_words")


@bp.get("/needs")
@access(public)
def board() -> ResponseReturnValue:
    """Every published need, narrowed by the filters in the address."""
    wanted = read_filters(request.args)
    found = queries.board(wanted)
    return render_template(
        "interest/board.html",
        found=found,
        filters=wanted,
        regions=places.provinces(),
        code_names=places.names(found.needs),
        may_post=poster.allows(current_actor()),
    )


@bp.get("/needs/<int:need_id>")
@access(public)
def need_page(need_id: int) -> ResponseReturnValue:
    return public_page(need_id, None)


def public_page(need_id: int, form: ResponseForm | None, status: int = 200) -> ResponseReturnValue:
    """A need as the one who looks may see it; owners find their answers and the form to answer."""
    actor = current_actor()
    need, posted = queries.public_need(need_id)
    answers, choices = [], []
    may_answer = owner.allows(actor) and actor.org_verified and actor.may("maker") and need.org_id != actor.org_id
    if owner.allows(actor) and actor.org_id is not None:
        answers = [answer for _posted, answer in queries.own_answers(actor.org_id, need_id)]
        if may_answer and need.state == "published":
            used = {answer.offer.listing_id for answer in answers if answer.offer and answer.state != "withdrawn"}
            choices = [offer for offer in offers.offered_by(actor.org_id) if offer.listing_id not in used]
    return render_template(
        "interest/need.html",
        need=posted,
        own=need.org_id == actor.org_id and actor.org_id is not None,
        answers=answers,
        form=filled(form, need, choices) if choices else None,
        may_answer=may_answer,
        code_names=places.names([need]),
        now=now(),
    ), status


def filled(form: ResponseForm | None, need: Need, choices: list[Any]) -> ResponseForm:
    """The form to answer, its offers named."""
    from wtforms.fields.choices import SelectChoice

    form = form or ResponseForm(formdata=None, listing_id=request.args.get("listing", 0, type=int))
    form.listing_id.choices = [
        SelectChoice(offer.listing_id, f"{offer.number} {in_words(offer, 'title')}") for offer in choices
    ]
    return form


from marketplace.interest import views_answers, views_data, views_manage, views_needs, views_saved  # noqa: E402

__all__ = ["bp", "views_answers", "views_data", "views_manage", "views_needs", "views_saved"]
