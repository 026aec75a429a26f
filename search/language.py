"""The query language: what a reader typed, as clauses that every engine can ask. Never an error, always bounded.

Words and Chinese runs (any of them finds, the best first), "quoted phrases" and prefixes (must be there), -minus words
(must not), numbers of rights in any writing (found first). A minus before a digit is part of the text (-40℃).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from search import analysis, numbers, synonyms
from search.fields import PREFIXES, STREAMS, WHOLE
from search.query import LONGEST_TEXT
from search.stops import is_form, is_stop

MOST_TERMS = 64  # single tokens that rank
MOST_ALTERNATIVES = 16  # synonyms that rank
MOST_REQUIRED = 16  # phrases, prefixed words, and words when all are wanted
MOST_EXCLUDED = 16
MOST_VALUES = 20  # values of one prefixed field
LONGEST_PHRASE = 24  # tokens
SYNONYM_WEIGHT = 0.4
CHARACTER_WEIGHT = 0.6  # beside its pairs; measured on halves of the topic queries, flat between 0.4 and 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff\ufff0-\uffff]")
_PIECE = re.compile(
    r"(?:(?<=\s)|^)(?P<minus>-)?(?:(?P<prefix>[^\W\d_]{1,10})\s?:\s?)?"
    r'(?:["“”「」『』](?P<quoted>[^"“”「」『』]*)["“”「」『』]|(?P<word>[^\s"“”「」『』]+))|(?P<rest>[^\s"“”「」『』]+)'
    r'|["“”「」『』](?P<inner>[^"“”「」『』]*)["“”「」『』]'
)
#: What links words and names nothing; its single letters would be the rarest words of the question.
_LINK = re.compile(r"\W*(?:e\.g|i\.e|etc|viz)\.?\W*")
_IPC = re.compile(r"[A-H](?:\d{2}(?:[A-Z](?:\d{1,4}(?:/\d{2,6})?)?)?)?$")


@dataclass(frozen=True)
class Clause:
    """One token, or several that follow each other, in one stream of a document."""

    tokens: tuple[str, ...]
    weight: float = 1.0
    field: str = "all"


@dataclass(frozen=True)
class Parsed:
    """A question understood.

    A document is found when any of ``should`` or a number of ``numbers`` is in it (everything, if there is neither),
    every group of ``must`` has a member in it, nothing of ``must_not``, and the values of ``filters`` hold and those of
    ``without`` do not. With ``match="all"`` every group of ``every`` stands in for ``should``. ``lift`` adds to the
    score of what was found and finds nothing itself: the single characters of longer Chinese runs. A document with one
    of ``numbers`` among its numbers comes first. ``words`` are the Latin words as typed, for typing errors.
    """

    text: str = ""
    cut: bool = False
    should: tuple[Clause, ...] = ()
    lift: tuple[Clause, ...] = ()
    every: tuple[tuple[Clause, ...], ...] = ()
    must: tuple[tuple[Clause, ...], ...] = ()
    must_not: tuple[Clause, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing was asked: everything is the answer."""
        return not (self.should or self.must or self.must_not or self.filters or self.without or self.numbers)

    @property
    def ranked(self) -> bool:
        """Whether documents can be told apart by their text."""
        return bool(self.should or self.numbers)


def parse(
    text: str,
    given: Sequence[synonyms.Group] = (),
    names: Mapping[str, Mapping[str, str]] | None = None,
    every: bool = True,
) -> Parsed:
    """Read a question. ``given``: groups of synonyms kept by managers. ``names``: for a prefixed field, the value that
    a word stands for (湖北 → 420000); a word that has none there is read as plain text. Without
    ``every`` that part is left empty, and no dictionary is loaded to find it."""
    cut = len(text) > LONGEST_TEXT
    line = _CONTROL.sub(" ", unicodedata.normalize("NFKC", text[:LONGEST_TEXT]))[: 2 * LONGEST_TEXT]
    line = analysis.fold(analysis.mainland(line))
    reader = _Reader(names or {}, synonyms.table(tuple(given)))
    reader.read(line)
    return reader.parsed(line.strip(), cut, every)


def words_to_try(text: str, most: int = 6) -> list[str]:
    """The single words of a question, for a page that found nothing to offer each of them alone."""
    line = analysis.fold(analysis.mainland(_CONTROL.sub(" ", text[:LONGEST_TEXT])))
    words: dict[str, None] = {}
    for run in analysis.runs(line):
        for word in analysis.chinese_words(run) if analysis.is_chinese(run) else [run]:
            if len(word) > 1 and not is_stop(analysis.stream(word)) and word not in PREFIXES:
                words[word] = None
    return list(words)[:most] if len(words) > 1 else []


class _Reader:
    def __init__(self, names: Mapping[str, Mapping[str, str]], table: synonyms.Table) -> None:
        self.names = names
        self.table = table
        self.plain: list[str] = []
        self.quoted: list[str] = []
        self.must: list[tuple[Clause, ...]] = []
        self.must_not: list[Clause] = []
        self.filters: dict[str, dict[str, None]] = {}
        self.without: dict[str, dict[str, None]] = {}
        self.numbers: dict[str, None] = {}

    def read(self, line: str) -> None:
        line = self._take_labelled(line)
        line = self._take_numbers(line)
        for piece in _PIECE.finditer(line):
            word = next(
                (piece[name] for name in ("word", "quoted", "rest", "inner") if piece[name] is not None),
                "",
            )
            quoted = piece["quoted"] is not None or piece["inner"] is not None
            minus = piece["minus"] is not None
            name = PREFIXES.get(piece["prefix"] or "")
            if piece["prefix"] and name is None:
                self._add(piece["prefix"], False, False)
            if name is not None and self._add_field(name, word, minus):
                continue
            if minus and word[:1].isdigit():
                minus = False
            self._add(word, quoted, minus)

    def _take_labelled(self, line: str) -> str:
        """A number behind its prefix, which may hold spaces (号: ZL 2017 1 0601862.3)."""
        for label in re.finditer(r"(?<!\w)(-)?([^\W\d_]{1,10})\s?:\s?", line):
            if PREFIXES.get(label[2]) != "number":
                continue
            start = label.end()
            found = next((number for number in numbers.find(line[start:]) if number.start == 0), None)
            end = start + (found.end if found else len(re.match(r"[^\s\"]*", line[start:]).group()))  # type: ignore[union-attr]
            keys = numbers.asked(line[start:end])
            if keys:
                kept = self.without if label[1] else self.filters
                kept.setdefault("number", {}).update(dict.fromkeys(keys[:MOST_VALUES]))
                line = line[: label.start()] + " " * (end - label.start()) + line[end:]
        return line

    def _take_numbers(self, line: str) -> str:
        """Numbers in the text: a number written with spaces between is no row of words as well."""
        for number in numbers.find(line):
            self.numbers.update(dict.fromkeys(number.keys))
            if re.search(r"\s", line[number.start : number.end]):
                line = line[: number.start] + " " * (number.end - number.start) + line[number.end :]
        return line

    def _add(self, text: str, quoted: bool, minus: bool) -> None:
        stream = tuple(analysis.stream(text).split())
        if not stream or (not quoted and _LINK.fullmatch(text)):
            return
        if minus:
            if len(self.must_not) < MOST_EXCLUDED:
                self.must_not.append(Clause(_row_of(stream)))
        elif quoted:
            if len(self.must) < MOST_REQUIRED:
                self.must.append((Clause(_row_of(stream)),))
            self.quoted.append(text)
        else:
            self.plain.append(text)

    def _add_field(self, name: str, text: str, minus: bool) -> bool:
        """Whether the prefix could be taken as one; otherwise its word is plain text."""
        if name in STREAMS or name in WHOLE:
            stream = tuple(analysis.stream(text).split())
            if stream:
                clause = Clause(_row_of(stream), field=name if name in STREAMS else "all")
                if minus:
                    self.must_not.append(clause)
                else:
                    self.must.append((clause,))
            return bool(stream)
        values = self._values(name, text)
        if values:
            (self.without if minus else self.filters).setdefault(name, {}).update(dict.fromkeys(values))
        return bool(values)

    def _values(self, name: str, text: str) -> tuple[str, ...]:
        if name == "number":
            return numbers.asked(text)[:MOST_VALUES]
        if name == "ipc":
            code = re.sub(r"\s", "", text).upper()
            return (code,) if _IPC.match(code) else ()
        known = self.names.get(name)
        parts = [part for part in re.split(r"[,，、|]", text) if part][:MOST_VALUES]
        if known is None:
            return tuple(dict.fromkeys(form for part in parts for form in (part, part.upper())))
        return tuple(known[part] for part in parts if part in known)

    def parsed(self, line: str, cut: bool, whole: bool) -> Parsed:
        terms: dict[str, float] = {}
        alternatives: dict[Units, Clause] = {}
        every: list[tuple[Clause, ...]] = []
        words: dict[str, None] = {}
        for text in self.plain:
            for run in analysis.runs(text):
                if not analysis.is_chinese(run) and run.isascii() and run.isalpha():
                    words[run] = None
        for unit in _spans(self.plain, self.table, whole):
            if whole and len(every) < MOST_REQUIRED and not unit.stop:
                every.append(tuple(Clause(tokens) for tokens in (unit.tokens, *unit.others)))
            for tokens in unit.others:
                if len(alternatives) < MOST_ALTERNATIVES:
                    # a row of tokens scores for each of them: a longer name must not count more than the word typed
                    weight = SYNONYM_WEIGHT * min(1.0, len(unit.tokens) / len(tokens))
                    alternatives.setdefault(tokens, Clause(tokens, round(weight, 3)))
        alone: set[str] = set()
        for text in (*self.plain, *self.quoted):
            for token in analysis.stream(text).split():
                terms[token] = terms.get(token, 0.0) + 1.0
            alone.update(run for run in analysis.runs(text) if len(run) == 1)
        parts = {token for token in terms if _is_part(token)} - alone
        ranking = _terms(terms, parts)
        weak = parts | {token for token in terms if is_form(token)}
        if all(one.tokens[0] in weak for one in ranking):
            weak = parts
        lift = tuple(one for one in ranking if one.tokens[0] in weak)
        return Parsed(
            text=line,
            cut=cut,
            should=(*(one for one in ranking if one not in lift), *alternatives.values()),
            lift=lift,
            every=tuple(every),
            must=tuple(self.must[:MOST_REQUIRED]),
            must_not=tuple(self.must_not[:MOST_EXCLUDED]),
            filters={name: tuple(values)[:MOST_VALUES] for name, values in self.filters.items()},
            without={name: tuple(values)[:MOST_VALUES] for name, values in self.without.items()},
            numbers=tuple(self.numbers)[: 2 * numbers.MOST],
            words=tuple(words)[:MOST_TERMS],
        )


Units = tuple[str, ...]


@dataclass(frozen=True)
class _Span:
    """A word of the question with its synonyms, each as a row of tokens."""

    tokens: Units
    others: tuple[Units, ...] = ()
    stop: bool = False


def _spans(texts: Iterable[str], table: synonyms.Table, whole: bool) -> Iterator[_Span]:
    """The question cut into words; where a synonym is known, the longest one first."""
    row = list(_row(texts))
    at = 0
    while at < len(row):
        here = tuple(unit for unit, _ in row[at : at + synonyms.LONGEST_MEMBER])
        member, others = next(
            ((member, others) for member, others in table.get(here[0], ()) if here[: len(member)] == member),
            ((), ()),
        )
        if member:
            yield _Span(_row_of(_tokens(member)), tuple(_row_of(_tokens(other)) for other in others))
            at += len(member)
            continue
        end = at + 1
        while end < len(row) and row[end][1] == row[at][1] and not _begins(row, end, table):
            end += 1
        if whole:
            yield from _words([unit for unit, _ in row[at:end]])
        at = end


def _row(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """(unit, number of its run): what belongs to one run has one number."""
    for number, run in enumerate(run for text in texts for run in analysis.runs(text)):
        if analysis.is_chinese(run):
            yield from ((sign, number) for sign in run)
        else:
            yield analysis.stream(run), number


def _begins(row: Sequence[tuple[str, int]], at: int, table: synonyms.Table) -> bool:
    here = tuple(unit for unit, _ in row[at : at + synonyms.LONGEST_MEMBER])
    return any(here[: len(member)] == member for member, _ in table.get(here[0], ()))


def _words(units: list[str]) -> Iterator[_Span]:
    """One Latin word, or a Chinese run: short ones whole, long ones cut into dictionary words."""
    if not analysis.is_chinese(units[0]):
        yield _Span((units[0],), stop=is_stop(units[0]))
        return
    run = "".join(units)
    parts = [run] if len(run) <= 4 else analysis.chinese_words(run)
    for part in parts:
        yield _Span(
            _row_of(tuple(analysis.stream(part).split())), stop=is_stop(part) or (len(part) == 1 and len(parts) > 1)
        )


def _tokens(units: Units) -> Units:
    """A row of units as a row of tokens: neighbouring Chinese characters get their pair between."""
    out: list[str] = []
    for before, unit in zip(("", *units), units, strict=False):
        if before and analysis.is_chinese(before) and analysis.is_chinese(unit):
            out.append(before + unit)
        out.append(unit)
    return tuple(out)


def _row_of(tokens: Units) -> Units:
    """The tokens to look for one after the other. A pair never stands without its characters around it, so the first
    and the last character of a row say nothing that the pair beside them does not: 管理 is found by one token."""
    row = tokens[:LONGEST_PHRASE]
    if len(row) > 1 and _is_pair(row[1]) and row[1][0] == row[0]:
        row = row[1:]
    if len(row) > 1 and _is_pair(row[-2]) and row[-2][1] == row[-1]:
        row = row[:-1]
    return row


def _is_pair(token: str) -> bool:
    return len(token) == 2 and analysis.is_chinese(token[0]) and analysis.is_chinese(token[1])


def _terms(found: Mapping[str, float], parts: Set[str]) -> tuple[Clause, ...]:
    """The tokens that rank: no stop words beside others, and of very long texts the words and pairs alone."""
    kept = {token: count for token, count in found.items() if not is_stop(token)} or dict(found)
    if len(kept) > MOST_TERMS:
        kept = {token: count for token, count in kept.items() if token not in parts} or kept
    return tuple(
        Clause((token,), min(count, 3.0) * (CHARACTER_WEIGHT if token in parts else 1.0))
        for token, count in list(kept.items())[:MOST_TERMS]
    )


def _is_part(token: str) -> bool:
    """A single Chinese character, which is in too many texts to find by."""
    return len(token) == 1 and analysis.is_chinese(token)
