"""What the codes of needs mean: places, classes of the IPC and of industries; provinces to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from marketplace.core.i18n import get_locale
from marketplace.discovery import queries, trees


def _own(name: tuple[str, str]) -> str:
    return name[1] if str(get_locale() or "zh") == "en" else name[0]


def provinces() -> list[tuple[str, str]]:
    """(code, name) of each province in the reader's language."""
    return [(code, _own(name)) for code, name in trees.REGION.items()]


class Coded(Protocol):
    """What carries codes: a need, as its owner or as the public sees it."""

    @property
    def ipc(self) -> Any: ...

    @property
    def industry(self) -> Any: ...

    @property
    def region_code(self) -> Any: ...


Names = dict[tuple[str, str], str]


def names(things: Iterable[Coded]) -> Names:
    """What the codes of these needs mean, by (scheme, code): a place by its whole name (湖北省 武汉市), a class of the
    IPC or of GB/T 4754 by its code and the nearest name known (H01M 电学). One statement."""
    wanted = {
        (scheme, code)
        for thing in things
        for scheme, codes in (("ipc", thing.ipc), ("industry", [thing.industry]), ("region", [thing.region_code]))
        for code in codes or ()
        if code
    }
    return _told(wanted)


def _told(wanted: Iterable[tuple[str, str]]) -> Names:
    english = str(get_locale() or "zh") == "en"
    steps = {(scheme, step) for scheme, code in wanted for step in trees.path(scheme, code)}
    known = queries.names(steps, english)
    if english:  # a node may have no English name
        known = {node: name for node, name in known.items() if name.isascii()}
    return {
        (scheme, code): _place(code, known) if scheme == "region" else _class(scheme, code, known)
        for scheme, code in wanted
    }


def _place(code: str, known: Mapping[tuple[str, str], str]) -> str:
    """A division without a name is told by its code beside what stands above it."""
    called = [known.get(("region", step), "") for step in trees.region_path(code)]
    told = " ".join(name for name in called if name)
    return told if called and called[-1] else f"{told} {code}".strip()


def _class(scheme: str, code: str, known: Mapping[tuple[str, str], str]) -> str:
    nearest = next((known[scheme, step] for step in reversed(trees.path(scheme, code)) if (scheme, step) in known), "")
    return f"{code} {nearest}".strip()


def near(code: str | None) -> list[tuple[str, str]]:
    """Choices of a form: every province, and before them the steps down to this place."""
    steps = [step for step in trees.region_path(code or "") if not step.endswith("0000")]
    own = _told({("region", step) for step in steps})
    return [(step, own["region", step]) for step in steps] + provinces()
