"""The search page's parts: filters with their counts, chips, the picture of the regions, what to do with no result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.discovery import queries, texts, tiles, trees
from marketplace.discovery.find import Found
from marketplace.discovery.wanted import CHOICES, KNOWN, Wanted
from marketplace.parties import queries as parties

MOST_ROWS = 40  # of one level of a filter
BARRED = "price"  # its rows are drawn as a histogram


@dataclass(frozen=True)
class Row:
    """One value of a filter; ``href`` adds it, or takes it away when chosen. ``share``: per cent of the largest."""

    value: str
    label: str
    count: int
    chosen: bool
    href: str
    depth: int = 0
    share: int = 0


@dataclass(frozen=True)
class Group:
    name: str
    title: Any
    rows: Sequence[Row]
    chosen: bool


@dataclass(frozen=True)
class Chip:
    """An active filter and the address without it."""

    field: Any
    text: str
    href: str


@dataclass(frozen=True)
class Tile:
    code: str
    x: int
    y: int
    name: str
    short: str
    whole: str
    count: int
    shade: int
    href: str
    chosen: bool


@dataclass(frozen=True)
class Page:
    groups: Sequence[Group]
    chips: Sequence[Chip]
    tiles: Sequence[Tile]
    advice: Sequence[Chip]


def page(wanted: Wanted, found: Found) -> Page:
    """Everything beside the list. Two statements, for names of trees and banks."""
    counts = {
        name: {bucket.value: bucket.count for bucket in found.facets.get(field, ())} for name, field in CHOICES.items()
    }
    visible = {name: _visible(name, counts[name], getattr(wanted, name)) for name in CHOICES}
    english = texts.english()
    wanted_names = {(s, code) for s in trees.SCHEMES for code in (*(c for c, _d in visible[s]), *getattr(wanted, s))}
    names = queries.names(wanted_names, english)
    banks = [int(code) for code, _depth in visible["bank"]]
    names |= {("bank", str(org_id)): name for org_id, name in parties.names_of(banks).items()}
    groups = [_group(name, visible[name], counts[name], wanted, names) for name in CHOICES]
    chips = _chips(wanted, names)
    return Page(
        groups=[group for group in groups if group.rows],
        chips=chips,
        tiles=_tiles(counts["region"], wanted, english) if counts["region"] else (),
        advice=_advice(wanted, chips, counts) if not found.offers else (),
    )


def _visible(name: str, counts: Mapping[str, int], chosen: Sequence[str]) -> list[tuple[str, int]]:
    """The values to show with their depth, in order."""
    if name in trees.SCHEMES:
        return _branch(name, counts, {step for code in chosen for step in trees.path(name, code)})
    known = KNOWN.get(name)
    if known is not None:
        return [(value, 0) for value in known if counts.get(value) or value in chosen]
    values = [*counts, *(value for value in chosen if value not in counts)]
    return [(value, 0) for value in values[:MOST_ROWS] if value.isdigit()]


def _branch(scheme: str, counts: Mapping[str, int], opened: set[str]) -> list[tuple[str, int]]:
    below: dict[str, list[str]] = {}
    for code in {*counts, *opened}:
        steps = trees.path(scheme, code)
        if steps:
            below.setdefault(steps[-2] if len(steps) > 1 else "", []).append(code)
    found: list[tuple[str, int]] = []

    def walk(parent: str, depth: int) -> None:
        ranked = sorted(below.get(parent, ()), key=lambda code: (code not in opened, -counts.get(code, 0), code))
        shown = sorted(ranked[:MOST_ROWS]) if scheme != "region" else ranked[:MOST_ROWS]
        for code in shown:
            found.append((code, depth))
            if code in opened:
                walk(code, depth + 1)

    walk("", 0)
    return found


def _group(
    name: str,
    visible: Sequence[tuple[str, int]],
    counts: Mapping[str, int],
    wanted: Wanted,
    names: Mapping[tuple[str, str], str],
) -> Group:
    chosen = getattr(wanted, name)
    most = max((counts.get(value, 0) for value, _depth in visible), default=0)
    rows = [
        Row(
            value=value,
            label=texts.value_text(name, value, names),
            count=counts.get(value, 0),
            chosen=value in chosen,
            href=wanted.without(name, value) if value in chosen else wanted.with_value(name, value),
            depth=depth,
            share=100 * counts.get(value, 0) // most if most and name == BARRED else 0,
        )
        for value, depth in visible
    ]
    return Group(name, texts.FIELDS[name], rows, bool(chosen))


def _chips(wanted: Wanted, names: Mapping[tuple[str, str], str]) -> list[Chip]:
    found = []
    for name in CHOICES:
        for value in getattr(wanted, name):
            found.append(Chip(texts.FIELDS[name], texts.value_text(name, value, names), wanted.without(name, value)))
    for name in ("low", "high", "until"):
        if value := getattr(wanted, name):
            found.append(Chip(texts.FIELDS[name], value, wanted.without(name)))
    return found


def _tiles(counts: Mapping[str, int], wanted: Wanted, english: bool) -> list[Tile]:
    most = max((counts.get(code, 0) for code in tiles.TILES), default=0)
    opened = {trees.path("region", code)[0] for code in wanted.region}
    found = []
    for code, (column, row, zh, en, one, two) in tiles.TILES.items():
        count = counts.get(code, 0)
        chosen = code in opened
        found.append(
            Tile(
                code=code,
                x=column,
                y=row,
                name=en if english else zh,
                short=two if english else one,
                whole=trees.REGION[code][1 if english else 0],
                count=count,
                shade=tiles.shade(count, most),
                href=wanted.query(region=()) if chosen else wanted.with_value("region", code),
                chosen=chosen,
            )
        )
    return found


def _advice(wanted: Wanted, chips: Sequence[Chip], counts: Mapping[str, Mapping[str, int]]) -> list[Chip]:
    """Which filter to leave out: those without which there is something (a filter's own counts leave it out)."""
    helps = [name for name in CHOICES if getattr(wanted, name) and any(counts[name].values())]
    titles = {texts.FIELDS[name] for name in helps}
    return [chip for chip in chips if chip.field in titles]
