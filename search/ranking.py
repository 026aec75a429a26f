"""The order of what is found, stated once for every engine.

By relevance: score × factor, where score is BM25 over the combined stream (title twice; k1 1.2, b 0.75) and

    factor = 1 + URGENCY · urgency / 3 + HEALTH · health / 2

so that of texts that fit about equally well the one whose channel closes sooner and whose right is healthier comes
first, and a clearly better text is never overtaken: all factors lie within 8 %. A document that bears a number asked
for stands before all others. Where nothing is ranked by text: urgency, health, newest. Equal values are put in the
order of ``tie``, which belongs to the id alone: a total order that no write changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from itertools import islice
from operator import itemgetter

from search.document import Document
from search.stops import is_stop

URGENCY = 0.05
HEALTH = 0.03
#: What a document that bears the number asked for gets on top of its text.
EXACT = 10_000.0
#: Which number sorts how: (field, whether the highest comes first). What has none comes last.
ORDERS = {
    "price_up": ("price_minor", False),
    "price_down": ("price_minor", True),
    "closing": ("closes_at", False),
    "newest": ("published_at", True),
    "relevance": ("rank", True),  # when no text ranks
}
MOST_LIKE = 30  # tokens that stand for a document when more like it are sought
_LIKE_READ = 150  # tokens of each text
_SECONDS = 2**34


def factor(numbers: Mapping[str, int]) -> float:
    """1 to 1.08: see above."""
    urgency = min(max(numbers.get("urgency", 0), 0), 3)
    health = min(max(numbers.get("health", 0), 0), 2)
    return 1.0 + URGENCY * urgency / 3 + HEALTH * health / 2


def weight(document: Document) -> float:
    """The factor, with one part in ten thousand for the tie: so equal texts rarely have equal scores, and the best of
    very many of them are found without looking at all."""
    return factor(document.numbers) * (1.0 + 1e-4 * (1.0 - tie(document.id) / 2**62))


def rank(numbers: Mapping[str, int]) -> int:
    """The order of documents when no text ranks them: urgency, then health, then the newest."""
    urgency = min(max(numbers.get("urgency", 0), 0), 3)
    health = min(max(numbers.get("health", 0), 0), 2)
    published = min(max(numbers.get("published_at", 0), 0), _SECONDS - 1)
    return (urgency * 3 + health) * _SECONDS + published


def tie(document_id: str) -> int:
    """A number of 62 bits that belongs to this id: the last word between equals."""
    return int.from_bytes(blake2b(document_id.encode(), digest_size=8).digest(), "big") >> 2


def likeness(made: Mapping[str, str]) -> tuple[str, ...]:
    """The tokens that stand for a document (its ``analysis.streams``) when more like it are sought: its title's, then
    the frequent ones of its abstract. Single Chinese characters and stop words say too little."""
    row: list[str] = []
    for name, times in (("title", 3), ("title_en", 3), ("tags", 2), ("abstract", 1), ("abstract_en", 1)):
        if name in made:
            row += made[name].split(" ", _LIKE_READ)[:_LIKE_READ] * times
    often = sorted(Counter(row).items(), key=itemgetter(1), reverse=True)
    telling = (token for token, _ in often if len(token) > 1 and not token.isdigit() and not is_stop(token))
    return tuple(islice(telling, MOST_LIKE))
