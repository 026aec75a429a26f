"""Names of the divisions of China for needs: provinces to choose from, and the names of given codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from marketplace.core.i18n import get_locale
from marketplace.discovery import queries, trees


def _own(name: tuple[str, str]) -> str:
    return name[1] if str(get_locale() or "zh") == "en" else name[0]


def provinces() -> list[tuple[str, str]]:
    """(code, name) of each province in the reader's language."""
    return [(code, _own(name)) for code, name in trees.REGION.items()]


def names(codes: Iterable[str | None]) -> dict[str, str]:
    """The whole name of each code, as far as it is known: 湖北省 武汉市. One statement."""
    wanted = [code for code in codes if code]
    if not wanted:
        return {}
    english = str(get_locale() or "zh") == "en"
    steps = {("region", step) for code in wanted for step in trees.region_path(code)}
    known = queries.names(steps, english)
    return {code: _whole(code, known, english) for code in wanted}


def _whole(code: str, known: Mapping[tuple[str, str], str], english: bool) -> str:
    """A division without an English name is told by its code beside what stands above it."""
    called = [known.get(("region", step), "") for step in trees.region_path(code)]
    if english:
        called = [name if name.isascii() else "" for name in called]
    told = " ".join(name for name in called if name)
    return told if called and called[-1] else f"{told} {code}".strip()


def near(code: str | None) -> list[tuple[str, str]]:
    """Choices of a form: every province, and before them the steps down to this place."""
    steps = [step for step in trees.region_path(code or "") if not step.endswith("0000")]
    own = names(steps)
    return [(step, own.get(step, step)) for step in steps] + provinces()
