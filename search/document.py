"""What can be found: one document an offer, built by allow-list from public facts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# text: read by search.analysis into tokens. One combined stream is ranked; the named ones serve field prefixes.
TEXTS = ("title", "title_en", "abstract", "abstract_en", "claims", "applicant", "tags")
# exact values, any number a document. Trees (ipc, industry, region) hold the value and all above it; bands are the
# ranges of price, term and closing time that a page counts, so that they are facets like the others.
KEYWORDS = (
    "kind",
    "channel",
    "status",
    "ipc",
    "industry",
    "region",
    "licence",
    "bank",
    "number",
    "currency",
    "price_band",
    "term_band",
    "closing_band",
)
# whole numbers: minor units, days since 1970-01-01 (UTC date), seconds since 1970 (UTC), small ranks
NUMBERS = ("price_minor", "term_end_day", "closes_at", "published_at", "urgency", "health")
NUMBER_LIMIT = 2**62


@dataclass(frozen=True)
class Document:
    """``version`` only grows: of two writes of one id the higher version stays, whichever comes last.

    ``number`` holds each registration number in the forms made by ``search.numbers.forms``. ``urgency`` 0 to 3: how
    soon the channel closes. ``health`` 0 to 2: 2 healthy, 1 with warnings, 0 not to be sold. ``gone`` is a tombstone:
    never found, and kept until the next rebuild so that an older write cannot bring the document back.
    """

    id: str
    version: int
    texts: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    gone: bool = False

    def __post_init__(self) -> None:
        unknown = (
            (set(self.texts) - set(TEXTS)) | (set(self.keywords) - set(KEYWORDS)) | (set(self.numbers) - set(NUMBERS))
        )
        if unknown:
            raise ValueError(f"no such field: {sorted(unknown)}")
        if not self.id or len(self.id) > 64 or not 0 < self.version < NUMBER_LIMIT:
            raise ValueError("a document needs an id of at most 64 characters and a version above 0")
        if any(abs(number) > NUMBER_LIMIT for number in self.numbers.values()):
            raise ValueError("a number is too large for the index")


def gone(document_id: str, version: int) -> Document:
    """The tombstone of a document that must no longer be found."""
    return Document(id=document_id, version=version, gone=True)
