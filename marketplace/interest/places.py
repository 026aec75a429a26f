"""Names of the divisions of China for needs: provinces to choose from, and the names of given codes."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.core.i18n import get_locale
from marketplace.discovery import documents, trees


def _own(name: tuple[str, str]) -> str:
    return name[1] if str(get_locale() or "zh") == "en" else name[0]


def provinces() -> list[tuple[str, str]]:
    """(code, name) of each province in the reader's language."""
    return [(code, _own(name)) for code, name in trees.REGION.items()]


def names(codes: Iterable[str | None]) -> dict[str, str]:
    """The whole name of each code: 湖北省 武汉市; in English the province."""
    wanted = [code for code in codes if code]
    if not wanted:
        return {}
    if str(get_locale() or "zh") == "en":
        return {code: trees.REGION[code[:2] + "0000"][1] for code in wanted if code[:2] + "0000" in trees.REGION}
    known = documents.region_names(wanted)
    return {code: " ".join(known[step] for step in trees.region_path(code) if step in known) or code for code in wanted}


def near(code: str | None) -> list[tuple[str, str]]:
    """Choices of a form: every province, and before them the steps down to this place."""
    steps = [step for step in trees.region_path(code or "") if not step.endswith("0000")]
    own = names(steps)
    return [(step, own.get(step, step)) for step in steps] + provinces()
