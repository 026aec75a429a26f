"""The unified social credit code of an organisation (GB 32100-2015) as people write it."""

from __future__ import annotations

import re
import unicodedata

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

_LABEL = re.compile(r"^(统一社会信用代码|社会信用代码|信用代码|USCC)[:\s]*", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s\-‐-―_.,/·\u200b-\u200f\u2060\ufeff]+")


class UsccRefused(ValueError):
    """``code`` is one of uscc.empty, uscc.length, uscc.characters, uscc.check_digit; ``length`` is what was typed."""

    def __init__(self, code: str, length: int) -> None:
        super().__init__(code)
        self.code = code
        self.length = length


def read_uscc(text: str | None) -> str:
    """The canonical 18 characters of a code written with spaces, hyphens, lower case or full width.

    Raises UsccRefused. I, O, Z, S and V never occur in a code and are not corrected: a guess could be another
    organisation's code.
    """
    body = unicodedata.normalize("NFKC", text or "").strip()
    body = _BETWEEN.sub("", _LABEL.sub("", body)).upper()
    if not body:
        raise UsccRefused("uscc.empty", 0)
    if len(body) == 18 and not body.isascii():
        raise UsccRefused("uscc.characters", 18)
    try:
        code: str = uscc.validate(body)
    except InvalidLength:
        raise UsccRefused("uscc.length", len(body)) from None
    except InvalidChecksum:
        raise UsccRefused("uscc.check_digit", 18) from None
    except ValidationError:
        raise UsccRefused("uscc.characters", len(body)) from None
    return code


def region_of(code: str) -> str:
    """The six-digit division code in positions 3 to 8: where the organisation was registered."""
    return code[2:8]
