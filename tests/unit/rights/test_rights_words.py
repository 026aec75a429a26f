"""Every text of the rules has its English."""

from __future__ import annotations

from babel.messages.pofile import read_po

from marketplace.core.cli import po_path
from marketplace.rights.rules import encumbrances, number_types, reasons, terms
from marketplace.rights.rules.kinds import KINDS
from marketplace.rights.words import known


def test_every_text_of_the_rules_is_in_the_catalogue() -> None:
    texts = [kind.zh for kind in KINDS.values()] + [row.text for row in reasons.REASONS.values()]
    for table in (number_types.REFUSALS, number_types.WARNINGS, number_types.FAMILIES, terms.REFUSALS,
                  terms.FIELD_NAMES, encumbrances.REFUSALS):  # fmt: skip
        texts += table.values()
    with po_path("rights").open("rb") as file:
        english = {message.id: message.string for message in read_po(file, locale="en")}
    for text in texts:
        assert known(text), text
        assert english.get(text), text
