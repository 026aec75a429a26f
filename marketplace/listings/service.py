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
    "edit_terms",
    "edit_text",
    "follow",
    "hide",
    "object_to",
    "publish",
    "remove_document",
    "resume",
    "review",
    "send_back",
    "submit",
    "suspend",
    "tick_warnings",
    "withdraw",
]
