"""What makes a password too weak. Length counts; no rule asks for odd characters (NIST SP 800-63B §5.1.1)."""

from __future__ import annotations

from marketplace.core.errors import Problem
from marketplace.core.i18n import _l

SHORTEST, LONGEST = 10, 128
FEWEST_DIFFERENT = 5
_RUNS = ("0123456789" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb")
_COMMON = ("password", "passw0rd", "p@ssw0rd", "letmein", "iloveyou", "welcome", "admin", "zhiliu", "qwerty", "woaini")


def password_problem(password: str, email: str = "") -> Problem | None:
    """The fault of a new password: ``password.length``, ``password.too_long``, ``password.simple``,
    ``password.has_email``; None when it may be used."""
    if len(password) < SHORTEST:
        return Problem("password.length", _l("密码至少 %(least)s 个字符"), "password", {"least": SHORTEST})
    if len(password) > LONGEST:
        return Problem("password.too_long", _l("密码最多 %(most)s 个字符"), "password", {"most": LONGEST})
    low = password.lower()
    if len(set(low)) < FEWEST_DIFFERENT or _is_run(low):
        return Problem("password.simple", _l("密码过于简单：请勿使用连续或重复的字符，或常见密码加数字"), "password")
    name = email.partition("@")[0].lower()
    if len(name) >= 4 and name in low:
        return Problem("password.has_email", _l("密码不能包含邮箱名"), "password")
    return None


def _is_run(low: str) -> bool:
    """A keyboard or number run, or a common word with nothing but digits and signs around it."""
    if any(low in run or low[::-1] in run for run in _RUNS):
        return True
    return any(word in low and not any(sign.isalpha() for sign in low.replace(word, "")) for word in _COMMON)
