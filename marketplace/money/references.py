"""Payment references: short, without look-alike characters, with an ISO 7064 check character.

``ZL`` and eight characters, written ``ZL7K-3M9QX4`` style for people. ``Z`` and ``L`` are not in the alphabet, so a
reference is found inside any memo, however it was spaced or cased.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from stdnum.iso7064 import mod_37_36

# without 0 O, 1 I L, Z, S, B; 28 characters, because 29 is prime and only then is every wrong character noticed
ALPHABET = "23456789ACDEFGHJKMNPQRTUVWXY"
PREFIX = "ZL"
BODY = 8  # seven random characters and the check character
_FOUND = re.compile(f"{PREFIX}(?=([{ALPHABET}]{{{BODY}}}))")
_GLUE = re.compile(r"[\s\-‐-―_.,:;/\\|·•*#'\"()（）【】\[\]<>《》，。：；、]+")


def new_reference() -> str:
    """A fresh reference (its uniqueness is the database's affair): 28⁷ ≈ 1.3·10¹⁰ values."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY - 1))
    return PREFIX + body + mod_37_36.calc_check_digit(body, ALPHABET)


def is_reference(text: str) -> bool:
    """Right shape and right check character (canonical form only)."""
    body = text.removeprefix(PREFIX)
    if len(body) != BODY or not text.startswith(PREFIX) or set(body) - set(ALPHABET):
        return False
    return bool(mod_37_36.is_valid(body, ALPHABET))


def references_in(memo: str) -> list[str]:
    """All valid references in a memo, in any writing (full width, lower case, spaces, hyphens), each once."""
    folded = _GLUE.sub("", unicodedata.normalize("NFKC", memo or "").upper())
    found = [PREFIX + match.group(1) for match in _FOUND.finditer(folded)]
    return list(dict.fromkeys(ref for ref in found if is_reference(ref)))


def spaced(reference: str) -> str:
    """For people: ``ZL7K 3M9Q X4`` in groups of four."""
    return " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))
