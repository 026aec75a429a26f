"""The engine on an Elasticsearch cluster: generations of an index behind an alias, documents with external versions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from elasticsearch import ApiError, ConflictError, Elasticsearch, NotFoundError, TransportError
from elasticsearch import BadRequestError as BadRequest

from search.document import Document
from search.engine import EngineDown
from search.engines import shape
from search.engines.elastic_query import LIVE
from search.engines.elastic_schema import LAYOUT, MAPPINGS, row
from search.engines.elastic_search import Search
from search.query import Query
from search.result import Fault, Result

SECONDS = 1.0  # of each of two tries
WRITE_SECONDS = 30.0
_AT_ONCE = 1_000  # documents of one request: some 5 MB, where a node takes 100
HELD = "2m"  # a walk by relevance may pause this long before its view is let go
_BEYOND = 2**62  # after the document with this very tie
_BUSY = (429, 502, 503, 504)


class Elastic:
    """``url`` may carry a user and password; it is never shown in an error. Names: indices
    ``<index_name>-<layout>-<moment>``, the alias ``<index_name>-<layout>`` reads, ``…-writers`` is written to."""

    name = "elastic"

    def __init__(self, url: str, index_name: str = "zhiliu", *, shards: int = 1, replicas: int | None = None) -> None:
        self.alias = f"{index_name}-{LAYOUT}"
        self.writers = f"{self.alias}-writers"
        self.settings: dict[str, Any] = {"number_of_shards": shards, "refresh_interval": "1s"}
        # none given: a replica as soon as the cluster has a second node
        self.settings |= {"auto_expand_replicas": "0-1"} if replicas is None else {"number_of_replicas": replicas}
        self.client = Elasticsearch(
            url, request_timeout=SECONDS, max_retries=1, retry_on_timeout=True, retry_on_status=_BUSY
        )
        self.slow = self.client.options(request_timeout=WRITE_SECONDS)

    def prepare(self) -> None:
        with _down():
            if not self.slow.indices.exists_alias(name=self.alias):
                # one name, so that two processes make one index
                self._make(f"{self.alias}-first", reads=True)

    def _make(self, index: str, reads: bool) -> None:
        aliases: dict[str, Any] = {self.writers: {}, f"{index}-own": {}}
        if reads:
            aliases[self.alias] = {}
        try:
            self.slow.indices.create(index=index, mappings=MAPPINGS, settings=self.settings, aliases=aliases)
        except BadRequest as error:
            if error.error != "resource_already_exists_exception":
                raise
            if reads:
                self.slow.indices.put_alias(index=index, name=self.alias)

    # writing

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        """Many are sent in several requests, two at a time: while one is indexed the next is made."""
        parts = [documents[start : start + _AT_ONCE] for start in range(0, len(documents), _AT_ONCE)]
        if len(parts) < 2:
            return [fault for part in parts for fault in self._write_some(part)]
        with ThreadPoolExecutor(2) as senders:
            return [fault for faults in senders.map(self._write_some, parts) for fault in faults]

    def _write_some(self, documents: Sequence[Document]) -> list[Fault]:
        with _down():
            for _ in range(3):
                faults = self._write(documents, self._kept())
                if faults is not None:
                    return faults
        raise EngineDown("there is no index yet; it must be made")

    def _kept(self) -> list[str]:
        """Every generation that is kept now."""
        try:
            return sorted(self.slow.indices.get_alias(name=self.writers))
        except NotFoundError:
            return []

    def _write(self, documents: Sequence[Document], indices: Sequence[str]) -> list[Fault] | None:
        """None when a document found no generation: all were replaced meanwhile."""
        rows = [(document, row(document)) for document in documents]
        operations: list[Any] = []
        for index in indices:
            for document, made in rows:
                # by the alias of this generation alone: one that was removed is not made again
                head = {"_index": f"{index}-own", "_id": document.id, "version": document.version}
                operations += [{"index": {**head, "version_type": "external", "require_alias": True}}, made]
        if not operations:
            return None
        answer = self.slow.bulk(operations=operations)
        landed: set[str] = set()
        faults: dict[str, Fault] = {}
        for at, item in enumerate(answer["items"]):
            document, done = documents[at % len(documents)], item["index"]
            status = done["status"]
            if status < 300 or status == 409:
                landed.add(document.id)
            elif status != 404:
                reason = done.get("error", {})
                text = f"{reason.get('type', status)}: {reason.get('reason', '')}"[:500]
                faults[document.id] = Fault(document.id, text, permanent=status not in _BUSY and status < 500)
        if any(document.id not in landed and document.id not in faults for document in documents):
            return None
        return list(faults.values())

    def refresh(self) -> None:
        with _down():
            self.slow.indices.refresh(index=self.writers)

    # reading

    def search(self, query: Query) -> Result:
        with _down():
            return Search(self, query).result()

    def ask(self, body: dict[str, Any], view: str = "") -> dict[str, Any]:
        """One request; ``view``: in the state that is held under this name, if it still is."""
        body = {**body, "timeout": f"{int(SECONDS * 900)}ms"}
        if view:
            held = {**body, "sort": [*body["sort"], {"_shard_doc": "asc"}], "pit": {"id": view, "keep_alive": HELD}}
            if "search_after" in body:
                held["search_after"] = [*body["search_after"], _BEYOND]
            try:
                return self._checked(held, None)
            except (NotFoundError, BadRequest):
                pass  # let go: the walk goes on in the present
        return self._checked(body, self.alias)

    def _checked(self, body: dict[str, Any], index: str | None) -> dict[str, Any]:
        answer = self.client.search(index=index, body=body).body
        if answer.get("timed_out") or answer["_shards"]["failed"]:
            raise EngineDown("the index answered in part only")
        return dict(answer)

    def view(self) -> str:
        """Hold the present state for a walk."""
        return str(self.client.open_point_in_time(index=self.alias, keep_alive=HELD)["id"])

    def kept(self, document_id: str) -> dict[str, str]:
        wanted = shape.safe(document_id, 64)
        query = {"bool": {"filter": [LIVE, {"term": {"id": wanted}}]}}
        answer = self.ask({"size": 1, "query": query, "_source": ["kept"]})
        rows = answer["hits"]["hits"]
        return dict(rows[0]["_source"].get("kept", {})) if rows else {}

    def suggest(self, start: str, size: int = 8) -> list[str]:
        typed = shape.typed(start)
        size = max(0, min(size, 50))
        if not typed or not size:
            return []
        query = {"bool": {"filter": [LIVE, {"term": {"start": shape.longest_start(typed)}}]}}
        body = {"size": 20 * size, "query": query, "_source": ["kept"], "sort": [{"rank": "desc"}, {"tie": "asc"}]}
        with _down():
            answer = self.ask({**body, "track_total_hits": False})
        found: dict[str, None] = {}
        for hit in answer["hits"]["hits"]:
            found |= dict.fromkeys(shape.goes_on(hit["_source"].get("kept", {}), typed))
        return list(found)[:size]

    def count(self) -> int:
        with _down():
            return int(self.slow.count(index=self.alias, query={"bool": {"filter": [LIVE]}})["count"])

    def versions(self) -> Iterator[tuple[str, int]]:
        with _down():
            view = self.slow.open_point_in_time(index=self.alias, keep_alive=HELD)["id"]
            after: list[Any] | None = None
            try:
                while True:
                    answer = self.slow.search(
                        pit={"id": view, "keep_alive": HELD},
                        size=5_000,
                        sort=[{"_shard_doc": "asc"}],
                        search_after=after,
                        version=True,
                        source=False,
                        track_total_hits=False,
                    )
                    view, rows = answer["pit_id"], answer["hits"]["hits"]
                    for hit in rows:
                        yield hit["_id"], hit["_version"]
                    if not rows:
                        return
                    after = rows[-1]["sort"]
            finally:
                self.slow.close_point_in_time(id=view)

    # generations

    def rebuild(self) -> ElasticRebuild:
        """Only one at a time: ``EngineDown`` while another lives."""
        with _down():
            return ElasticRebuild(self)


class ElasticRebuild:
    """A generation filled beside the one that answers; every process writes to both as long as it stands among the
    writers. Its claim is a document that must be renewed: one that was not for ``STALE`` seconds is taken over, and
    what it left is removed."""

    STALE = 120.0

    def __init__(self, engine: Elastic) -> None:
        self.engine = engine
        self.state = f"{engine.alias}-rebuild"
        moment = datetime.now(UTC)
        self.index = f"{engine.alias}-{moment:%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
        self._over = False
        self._claim()
        try:
            for left in set(engine._kept()) - self._reading():
                engine.slow.indices.delete(index=left, ignore_unavailable=True)
            engine._make(self.index, reads=False)
            engine.slow.indices.put_settings(index=self.index, settings={"refresh_interval": "30s"})
        except BaseException:
            self._release()
            raise

    def _reading(self) -> set[str]:
        return set(self.engine.slow.indices.get_alias(name=self.engine.alias))

    def _claim(self) -> None:
        """Only one holds the document; the age of its last renewal tells whether it lives."""
        client = self.engine.slow
        client.options(ignore_status=400).indices.create(
            index=self.state,
            settings={"number_of_shards": 1, "auto_expand_replicas": "0-1"},
            mappings={"properties": {"index": {"type": "keyword"}, "at": {"type": "double"}}},
        )
        claim = {"index": self.index, "at": time.time()}
        try:
            kept = client.create(index=self.state, id="claim", document=claim)
        except ConflictError:
            held = client.options(ignore_status=404).get(index=self.state, id="claim")
            if held.get("found") and time.time() - held["_source"]["at"] < self.STALE:
                raise EngineDown("the index is being rebuilt already") from None
            try:
                kept = client.index(
                    index=self.state,
                    id="claim",
                    document=claim,
                    if_seq_no=held["_seq_no"],
                    if_primary_term=held["_primary_term"],
                )
            except (ConflictError, KeyError):
                raise EngineDown("the index is being rebuilt already") from None
        self._mark(kept)

    def _mark(self, kept: Any) -> None:
        self._seen, self._term, self._renewed = kept["_seq_no"], kept["_primary_term"], time.monotonic()

    def _renew(self, force: bool = False) -> None:
        if self._over:
            raise EngineDown("this rebuild is over")
        if not force and time.monotonic() - self._renewed < self.STALE / 10:
            return
        try:
            self._mark(
                self.engine.slow.index(
                    index=self.state,
                    id="claim",
                    document={"index": self.index, "at": time.time()},
                    if_seq_no=self._seen,
                    if_primary_term=self._term,
                )
            )
        except ConflictError:
            self._over = True
            raise EngineDown("another rebuild has taken over") from None

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        with _down():
            self._renew()
            if not documents:
                return []
            faults = self.engine._write(documents, [self.index])
            if faults is None:
                raise EngineDown("the generation being filled has been removed")
            return faults

    def finish(self) -> None:
        engine, client = self.engine, self.engine.slow
        with _down():
            self._renew(force=True)
            client.indices.put_settings(index=self.index, settings={"refresh_interval": "1s"})
            client.indices.refresh(index=self.index)
            old = self._reading()
            actions: list[Any] = [{"add": {"index": self.index, "alias": engine.alias}}]
            actions += [{"remove_index": {"index": index}} for index in old]
            client.indices.update_aliases(actions=actions)
            self._release()

    def abandon(self) -> None:
        if self._over:
            return
        with _down():
            self.engine.slow.indices.delete(index=self.index, ignore_unavailable=True)
            self._release()

    def _release(self) -> None:
        self._over = True
        self.engine.slow.options(ignore_status=404).delete(index=self.state, id="claim")


class _down:
    """Whatever the client says becomes ``EngineDown``, without the address."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ApiError):
            raise EngineDown(f"the index refused: {error.status_code} {error.error}") from None
        if isinstance(error, TransportError):
            raise EngineDown(f"the index does not answer: {type(error).__name__}") from None
