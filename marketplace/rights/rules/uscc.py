"""Unified social credit codes of organisations (GB 32100-2015), checked by python-stdnum."""

from __future__ import annotations

import re

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from marketplace.rights.rules.number_text import clean, without_labels
from marketplace.rights.rules.number_types import NumberRefused, ParsedNumber

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def parse_uscc(text: str | None) -> ParsedNumber:
    """Read a unified social credit code in any common writing.

    Refuses uscc.length, uscc.characters, uscc.check_digit, number.empty, number.several. Warns
    uscc.organisation_code when positions 9-17 fail GB 11714 (that rule is not confirmed, so it only warns).
    Facts: department, entity_type, region (6 digits), organisation_code.
    """
    body = re.sub(r"[\s.,\-/]", "", without_labels(clean(text)))
    try:
        code = uscc.validate(body)
    except InvalidLength:
        raise NumberRefused("uscc.length", length=len(body)) from None
    except InvalidChecksum:
        raise NumberRefused("uscc.check_digit") from None
    except ValidationError:
        raise NumberRefused("uscc.characters") from None
    organisation = code[8:17]
    warnings = () if _organisation_check(organisation) == organisation[8] else ("uscc.organisation_code",)
    facts = {
        "department": code[0],
        "entity_type": code[1],
        "region": code[2:8],
        "organisation_code": organisation,
    }
    return ParsedNumber("uscc", code, code, warnings, facts)


def _organisation_check(code: str) -> str:
    """Check sign of an organisation code (GB 11714): letters count from A = 10; 10 is X and 11 is 0."""
    total = sum(int(sign, 36) * weight for sign, weight in zip(code[:8], _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
