"""The contract of an engine over a dictionary, for tests of what is built around an engine."""

from __future__ import annotations

from collections import Counter

from search.engine import CursorRefused
from search.query import LARGEST_PAGE
from search.result import Bucket, Hit, Result


class TinyEngine:
    """Ranks by how many of the words stand in the title; the cursor is a place in the order."""

    name = "tiny"

    def __init__(self, documents):
        self.documents = {document.id: document for document in documents}
        self.asked = []

    def search(self, query):
        self.asked.append(query)
        words = query.text.lower().split()
        score = {
            one: sum(document.texts["title"].lower().split().count(word) for word in words)
            for one, document in self.documents.items()
        }
        found = [one for one in self.documents if not words or score[one] or one in query.also]
        exact = [one for one in self.documents if query.text in self.documents[one].keywords.get("number", ())]
        if query.ids is not None:
            found = [one for one in found if one in query.ids]
        if exact:
            found = exact
        passing = [one for one in found if self._passes(one, query.filters)]
        if query.sort == "price_up":
            passing.sort(key=lambda one: (self.documents[one].numbers["price_minor"], one))
        else:
            passing.sort(key=lambda one: (-score[one], one))
        facets = {}
        for name in query.facets:
            others = {other: values for other, values in query.filters.items() if other != name}
            counts = Counter(
                value
                for one in found
                if self._passes(one, others)
                for value in self.documents[one].keywords.get(name, ())
            )
            facets[name] = tuple(Bucket(value, count) for value, count in counts.most_common())
        start = 0
        if query.cursor:
            if not query.cursor.startswith("tiny"):
                raise CursorRefused("no")
            start = int(query.cursor[4:])
        end = start + min(query.size, LARGEST_PAGE)
        cursor = f"tiny{end}" if end < len(passing) else ""
        hits = tuple(Hit(one, score[one]) for one in passing[start:end])
        return Result(hits, len(passing), facets, cursor, exact=bool(exact))

    def _passes(self, one, filters):
        keywords = self.documents[one].keywords
        return all(set(values) & set(keywords.get(name, ())) for name, values in filters.items())
