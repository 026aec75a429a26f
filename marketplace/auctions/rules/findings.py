"""What a rule says about something: the sourced figure it applies and the finding it makes."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as member
from typing import Any, Literal

Force = Literal["law", "guideline", "practice", "contract"]
Severity = Literal["refuse", "warn"]

FORCES: tuple[Force, ...] = ("law", "guideline", "practice", "contract")


@dataclass(frozen=True)
class Term:
    """One value of a rule profile with its source and force.

    ``unit`` says how to read ``value``: ``bp`` (1/10 000), ``days`` (calendar), ``workdays``, ``seconds``,
    ``hours``, ``months``, ``years``, ``minor`` (minor units of the currency), ``times``, ``flag``, ``codes``.
    ``law`` and ``contract`` (the published sale rules) are enforced; ``guideline`` and ``practice`` warn.
    """

    value: Any
    unit: str
    source: str
    force: Force

    def __post_init__(self) -> None:
        if self.force not in FORCES:
            raise ValueError(f"unknown force {self.force!r}")
        if isinstance(self.value, float):
            raise ValueError("a rule value is never a float")

    @property
    def severity(self) -> Severity:
        """``refuse`` for law and contract, ``warn`` for guideline and practice."""
        return "refuse" if self.force in ("law", "contract") else "warn"


@dataclass(frozen=True)
class Finding:
    """One thing a rule found wrong: stable ``code``, its form ``field``, its source and force."""

    code: str
    severity: Severity
    field: str
    params: dict[str, Any] = member(default_factory=dict)
    source: str = ""
    force: Force = "contract"


def against(term: Term, code: str, field_name: str, **params: Any) -> Finding:
    """The finding that `term` is not kept; its severity follows from the force of the term."""
    return Finding(code, term.severity, field_name, params, term.source, term.force)


def refused(findings: list[Finding]) -> bool:
    """Whether any finding forbids going on."""
    return any(item.severity == "refuse" for item in findings)
