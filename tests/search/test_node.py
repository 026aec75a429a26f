"""The node of the tests is a real Elasticsearch: what the search room builds on works on it as documented."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from elasticsearch import ApiError, ConflictError, ConnectionTimeout, Elasticsearch, helpers
from elasticsearch import ConnectionError as NoConnection

from tests.search import elastic
from tests.search.conftest import no_node
from tests.search.elastic import Node, NodeFailed, NoNodeHere

ROOT = Path(__file__).resolve().parents[2]
TOKENS = {"type": "text", "analyzer": "whitespace"}  # tokens made in Python, joined by blanks
PROPERTIES = {
    "title": TOKENS,
    "kind": {"type": "keyword"},
    "number": {"type": "keyword", "normalizer": "small"},
    "price": {"type": "long"},
    "vector": {"type": "dense_vector", "dims": 3, "index": True, "similarity": "cosine"},
}
SETTINGS = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "analysis": {
        "normalizer": {"small": {"type": "custom", "filter": ["lowercase"]}},
        "analyzer": {"plain": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "shingle"]}},
    },
}
TITLES = ["锂 离 子 锂离 离子 电 池 电池", "固 态 固态 电 池 电池", "battery charg circuit", "valve seat"]


def make_index(client: Elasticsearch, name: str) -> str:
    client.indices.create(index=name, mappings={"dynamic": "strict", "properties": PROPERTIES}, settings=SETTINGS)
    return name


@pytest.fixture
def index(elasticsearch: Elasticsearch, index_prefix: str) -> str:
    """Four documents at external version 5."""
    name = make_index(elasticsearch, f"{index_prefix}1")
    actions = [
        {
            "_index": name,
            "_id": str(i),
            "version": 5,
            "version_type": "external",
            "_source": {
                "title": title,
                "kind": "patent" if i < 3 else "trademark",
                "number": f"CN{i}A",
                "price": 100 * i,
                "vector": [1, i, 0.5],
            },
        }
        for i, title in enumerate(TITLES)
    ]
    assert helpers.bulk(elasticsearch, actions, refresh=True) == (4, [])
    return name


def ids(answer) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def test_words_in_chinese_and_english(elasticsearch: Elasticsearch, index: str) -> None:
    search = elasticsearch.search
    assert set(ids(search(index=index, query={"match": {"title": "电池"}}))) == {"0", "1"}
    assert ids(search(index=index, query={"match_phrase": {"title": "固 态"}})) == ["1"]
    assert ids(search(index=index, query={"match": {"title": {"query": "batery", "fuzziness": "AUTO"}}})) == ["2"]
    assert ids(search(index=index, query={"term": {"number": "cn2a"}})) == ["2"]
    found = search(
        index=index, query={"match": {"title": "电池"}}, highlight={"fields": {"title": {"number_of_fragments": 0}}}
    )
    assert "<em>电池</em>" in found["hits"]["hits"][0]["highlight"]["title"][0]
    like = {"fields": ["title"], "like": [{"_index": index, "_id": "0"}], "min_term_freq": 1, "min_doc_freq": 1}
    assert ids(search(index=index, query={"more_like_this": like})) == ["1"]


def test_an_old_version_never_wins(elasticsearch: Elasticsearch, index: str) -> None:
    with pytest.raises(ConflictError):
        elasticsearch.index(index=index, id="1", version=5, version_type="external", document={"price": 1})
    done, refused = helpers.bulk(
        elasticsearch,
        [
            {"_index": index, "_id": "0", "version": 4, "version_type": "external", "price": 1},
            {"_index": index, "_id": "1", "version": 6, "version_type": "external", "price": 2},
            {"_op_type": "delete", "_index": index, "_id": "2", "version": 7, "version_type": "external"},
        ],
        raise_on_error=False,
    )
    assert done == 2
    assert isinstance(refused, list)
    assert [(item["index"]["_id"], item["index"]["status"]) for item in refused] == [("0", 409)]
    # a deletion too leaves its version behind
    with pytest.raises(ConflictError):
        elasticsearch.index(index=index, id="2", version=6, version_type="external", document={"price": 3})
    assert elasticsearch.get(index=index, id="0")["_source"]["price"] == 0
    assert elasticsearch.get(index=index, id="1")["_source"]["price"] == 2


def test_counts_beside_the_results(elasticsearch: Elasticsearch, index: str) -> None:
    answer = elasticsearch.search(
        index=index,
        query={"match_all": {}},
        post_filter={"term": {"kind": "trademark"}},
        aggs={
            "kind": {"terms": {"field": "kind"}},
            "price": {"range": {"field": "price", "ranges": [{"to": 200}, {"from": 200}]}},
            "cheap": {"filter": {"range": {"price": {"lt": 100}}}, "aggs": {"kind": {"terms": {"field": "kind"}}}},
        },
    )
    counts = answer["aggregations"]
    assert ids(answer) == ["3"]
    assert {bucket["key"]: bucket["doc_count"] for bucket in counts["kind"]["buckets"]} == {"patent": 3, "trademark": 1}
    assert [bucket["doc_count"] for bucket in counts["price"]["buckets"]] == [2, 2]
    assert counts["cheap"]["doc_count"] == 1


def test_rank_by_more_than_words(elasticsearch: Elasticsearch, index: str) -> None:
    score = {
        "query": {"match": {"title": "电池"}},
        "functions": [{"filter": {"term": {"number": "cn0a"}}, "weight": 50}],
        "boost_mode": "sum",
    }
    assert ids(elasticsearch.search(index=index, query={"function_score": score})) == ["0", "1"]
    near = {"field": "vector", "query_vector": [1, 3, 0.5], "k": 2, "num_candidates": 10}
    assert ids(elasticsearch.search(index=index, knn=near))[0] == "3"


def test_pages_stand_still_while_documents_come(elasticsearch: Elasticsearch, index: str) -> None:
    order = [{"price": "desc"}, {"_shard_doc": "asc"}]
    pit = elasticsearch.open_point_in_time(index=index, keep_alive="1m")["id"]
    first = elasticsearch.search(pit={"id": pit}, size=2, sort=order)
    elasticsearch.index(index=index, id="9", document={"price": 150}, refresh=True)
    second = elasticsearch.search(pit={"id": pit}, size=2, sort=order, search_after=first["hits"]["hits"][-1]["sort"])
    elasticsearch.close_point_in_time(id=pit)
    assert ids(first) + ids(second) == ["3", "2", "1", "0"]


def test_an_alias_moves_in_one_step(elasticsearch: Elasticsearch, index: str, index_prefix: str) -> None:
    new, alias = make_index(elasticsearch, f"{index_prefix}2"), f"{index_prefix}now"
    elasticsearch.indices.put_alias(index=index, name=alias)
    elasticsearch.indices.update_aliases(
        actions=[
            {"remove": {"index": index, "alias": alias, "must_exist": True}},
            {"add": {"index": new, "alias": alias, "is_write_index": True}},
        ]
    )
    assert list(elasticsearch.indices.get_alias(name=alias)) == [new]
    elasticsearch.index(index=alias, id="1", document={"price": 1}, refresh=True)
    assert elasticsearch.count(index=new)["count"] == 1


def test_a_misspelt_index_is_an_error(elasticsearch: Elasticsearch, index_prefix: str) -> None:
    with pytest.raises(ApiError) as refused:
        elasticsearch.index(index=f"{index_prefix}never-made", document={"price": 1})
    assert refused.value.status_code == 404


def test_outages(own_node: Node, index_prefix: str) -> None:
    """Frozen: the client runs into its limit. Killed: it is refused. Back: what was acknowledged is there."""
    name = f"{index_prefix}1"
    with Elasticsearch(own_node.url, request_timeout=30, max_retries=0) as client:
        make_index(client, name)
        client.index(index=name, id="1", document={"price": 7})
        own_node.freeze()
        with pytest.raises(ConnectionTimeout):
            client.options(request_timeout=0.5).get(index=name, id="1")
        own_node.thaw()
        assert client.get(index=name, id="1")["_source"] == {"price": 7}
        own_node.kill()
        with pytest.raises(NoConnection):
            client.get(index=name, id="1")
    address = own_node.url
    own_node.start()
    assert own_node.url == address
    with Elasticsearch(own_node.url, request_timeout=30) as client:
        assert client.get(index=name, id="1")["_source"] == {"price": 7}


def test_the_docs_name_what_is_missing(elasticsearch: Elasticsearch, index: str) -> None:
    """Each row `missing` in docs/search.md that names a request is refused by our own node, so the table stays true."""
    if os.environ.get("ELASTICSEARCH_URL"):
        pytest.skip("the node that ELASTICSEARCH_URL names may have what ours lacks")
    text = (ROOT / "docs" / "search.md").read_text()
    section = text.split("## The Elasticsearch node of the tests", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| missing \| (\w+) \| (.+?) \|", section, re.M)
    checked = 0
    for what, cell in rows:
        for name in re.findall(r"`([^`]+)`", cell):
            checked += 1
            with pytest.raises(ApiError) as refused:
                ask_for(elasticsearch, index, what, name)
            assert refused.value.status_code in (400, 405), (what, name)
    assert checked > 30


def ask_for(client: Elasticsearch, index: str, what: str, name: str) -> None:
    """Uses one part of Elasticsearch as simply as can be."""
    if what == "analyzer":
        client.indices.analyze(analyzer=name, text="a")
    elif what == "tokenizer":
        client.indices.analyze(tokenizer=name, text="a")
    elif what == "filter":
        client.indices.analyze(tokenizer="standard", filter=[name], text="a")
    elif what == "char_filter":
        client.indices.analyze(tokenizer="standard", char_filter=[name], text="a")
    elif what == "field":
        client.indices.put_mapping(index=index, properties={"new": {"type": name}})
    elif what == "query":
        client.search(index=index, query={name: {}})
    elif what == "aggregation":
        client.search(index=index, size=0, aggs={"x": {name: {"field": "kind"}}})
    elif what == "retriever":
        client.search(index=index, retriever={name: {}})
    elif what == "script":
        client.update(index=index, id="1", script={"lang": name, "source": "1"})
    elif what == "request":
        method, path = name.split()
        body: dict[str, object] | None = None if method in ("GET", "HEAD") else {"query": {"match_all": {}}}
        headers = {"accept": "application/json", "content-type": "application/json"}
        client.perform_request(method, path.replace("INDEX", index), headers=headers, body=body)
    else:
        raise AssertionError(what)


def test_a_machine_without_java_or_maven_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(elastic, "DEBIAN_JAVAS", tmp_path)
    monkeypatch.setattr(elastic.shutil, "which", lambda name: None)
    with pytest.raises(NoNodeHere, match="no Java 17 or newer") as no_java:
        elastic.find_java()
    monkeypatch.setattr(elastic, "cache_folder", lambda: tmp_path / "cache")
    with pytest.raises(NoNodeHere, match="no Maven"):
        elastic.fetch_server()
    monkeypatch.delenv("ZHILIU_NO_SKIPS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Java 17"):
        no_node(no_java.value)
    monkeypatch.setenv("ZHILIU_NO_SKIPS", "1")
    with pytest.raises(pytest.fail.Exception, match="no Java 17"):
        no_node(no_java.value)


def test_maven_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline and with an empty store of its own, Maven has nothing to unpack; no half-made server stays."""
    if not shutil.which("mvn"):
        no_node(NoNodeHere("no Maven"))
    monkeypatch.setattr(elastic, "MAVEN", ["mvn", "--offline", f"-Dmaven.repo.local={tmp_path / 'store'}"])
    monkeypatch.setattr(elastic, "cache_folder", lambda: tmp_path / "cache")
    with pytest.raises(NodeFailed, match=r"(?s)could not fetch Elasticsearch.*ELASTICSEARCH_URL.*ERROR"):
        elastic.fetch_server()
    assert not elastic.is_fetched()


WORKER = """
import sys, pathlib, time
from tests.search.keeper import shared_node
with shared_node(pathlib.Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(300)
"""


def test_the_shared_node_ends_with_the_last_worker(tmp_path: Path) -> None:
    """Two workers get the same node; it goes when both are gone, even killed ones."""
    try:
        elastic.find_java()
        elastic.fetch_server()
    except NoNodeHere as reason:
        no_node(reason)
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as second,
    ):
        try:
            assert first.stdout and second.stdout
            addresses = {first.stdout.readline().strip(), second.stdout.readline().strip()}
            assert len(addresses) == 1
            port = int(addresses.pop().rsplit(":", 1)[1])
            first.kill()
            first.wait()
            assert listens(port)
        finally:
            first.kill()
            second.kill()
    end = time.monotonic() + 30
    while listens(port):
        assert time.monotonic() < end, "the node outlives the workers"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
