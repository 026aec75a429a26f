"""Where a question stands in a text, whatever engine found it: read on the text that the database holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from search import analysis
from search.language import Clause, Parsed

LONGEST = 20_000  # characters read
GAP = "…"
_BEFORE = 0.2  # of the window, shown before the first match where there is text
_BREAKS = " \t\r\n，。；：、！？,.;:!?（）()"

Piece = tuple[str, bool]
Span = tuple[int, int, tuple[str, ...]]  # from, to, what matched there


def mark(text: str, parsed: Parsed, length: int = 160) -> list[Piece]:
    """The part of a text, at most about ``length`` characters, where most of the question stands: pieces that, put
    together, are that part, each with whether it matches. A text without a match is shown from its beginning."""
    text = text[:LONGEST]
    if not text:
        return []
    spans = _spans(text, parsed)
    start, end = (0, len(text)) if len(text) <= length else _window(text, spans, max(length, 1))
    pieces = list(_cut(text, spans, start, end))
    if start:
        pieces.insert(0, (GAP, False))
    if end < len(text):
        pieces.append((GAP, False))
    return _joined(pieces)


def _spans(text: str, parsed: Parsed) -> list[Span]:
    """Every match, in order. Words and pairs match alone, synonyms and phrases as a whole."""
    folded, places = _folded(text)
    row = analysis.row(folded)
    single, rows = _wanted(parsed)
    found: list[Span] = []
    for token in row:
        if token.text in single:
            found.append((token.start, token.end, (token.text,)))
        for tokens in rows.get(token.text, ()):
            upto = token.position + len(tokens)
            if tuple(one.text for one in row[token.position : upto]) == tokens:
                found.append((token.start, row[upto - 1].end, tokens))
    if places is not None:
        found = [(places[start], places[end - 1] + 1, tokens) for start, end, tokens in found]
    return sorted(found)


def _wanted(parsed: Parsed) -> tuple[set[str], dict[str, list[tuple[str, ...]]]]:
    clauses: list[Clause] = [*parsed.should, *(clause for group in parsed.must for clause in group)]
    single = {clause.tokens[0] for clause in clauses if len(clause.tokens) == 1}
    rows: dict[str, list[tuple[str, ...]]] = {}
    for clause in clauses:
        if len(clause.tokens) > 1:
            rows.setdefault(clause.tokens[0], []).append(clause.tokens)
    return single, rows


def _folded(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and for each of its characters the place in the original (``None``: the same place)."""
    folded = analysis.fold(text)
    if len(folded) == len(text):
        return folded, None
    parts = [analysis.fold(sign) for sign in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def _window(text: str, spans: Sequence[Span], length: int) -> tuple[int, int]:
    """The window in which most of the question stands: different words before repeated ones, the earlier of equals."""
    best, start = (0.0, 0), 0
    inside: Counter[tuple[str, ...]] = Counter()
    first = 0
    room = int(length * (1 - _BEFORE))
    for last, (_, end, tokens) in enumerate(spans):
        inside[tokens] += 1
        while end - spans[first][0] > room and first < last:
            out = spans[first][2]
            inside[out] -= 1
            if not inside[out]:
                del inside[out]
            first += 1
        value = sum(len("".join(one)) + 0.1 * min(count, 5) for one, count in inside.items())
        if value > best[0]:
            best, start = (value, last), spans[first][0]
    start = _break_before(text, start, int(length * _BEFORE))
    start = min(start, len(text) - length)
    start = max(0, start)
    return start, min(len(text), start + length)


def _break_before(text: str, place: int, room: int) -> int:
    """The beginning of the clause or word before a match, not further than ``room``."""
    if place <= room:
        return 0
    for at in range(place - room, place):
        if text[at - 1] in _BREAKS and text[at] not in _BREAKS:
            return at
    return place - room if analysis.has_chinese(text[place - 1 : place]) else place


def _cut(text: str, spans: Iterable[Span], start: int, end: int) -> Iterable[Piece]:
    at = start
    for first, last, _ in spans:
        first, last = max(first, at), min(last, end)
        if first >= last:
            continue
        if first > at:
            yield text[at:first], False
        yield text[first:last], True
        at = last
    if at < end:
        yield text[at:end], False


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece."""
    out: list[Piece] = []
    for text, matches in pieces:
        if out and out[-1][1] == matches:
            out[-1] = (out[-1][0] + text, matches)
        else:
            out.append((text, matches))
    return out
