"""What other rooms and the edges may ask of listings (docs/house.md). The acts stand in the modules named here."""

from __future__ import annotations

from marketplace.listings.service_course import ask_withdrawal, correct, follow, resume, suspend, withdraw
from marketplace.listings.service_draft import (
    add_document,
    choose_rights,
    create_listing,
    discard,
    edit_terms,
    edit_text,
    remove_document,
    submit,
    tick_warnings,
)
from marketplace.listings.service_public import answer, ask, decide, hide, object_to
from marketplace.listings.service_publish import publish, review, send_back
from marketplace.listings.service_rounds import (
    drop_round,
    propose_round,
    publish_round,
    review_round,
    send_back_round,
    submit_round,
)

__all__ = [
    "add_document",
    "answer",
    "ask",
    "ask_withdrawal",
    "choose_rights",
    "correct",
    "create_listing",
    "decide",
    "discard",
    "drop_round",
    "edit_terms",
    "edit_text",
    "follow",
    "hide",
    "object_to",
    "propose_round",
    "publish",
    "publish_round",
    "remove_document",
    "resume",
    "review",
    "review_round",
    "send_back",
    "send_back_round",
    "submit",
    "submit_round",
    "suspend",
    "tick_warnings",
    "withdraw",
]
