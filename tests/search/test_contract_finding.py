"""What both engines find, and in which order."""

from __future__ import annotations

import pytest

from search.engine import Engine
from search.query import Query
from tests.search.kit import counts, found, make, put


@pytest.fixture
def shelf(engine: Engine) -> Engine:
    """A few rights of different kinds."""
    put(
        engine,
        make(
            "zh-li",
            "一种锂离子电池正极材料的回收方法",
            abstract="将废旧电池拆解后浸出，回收钴和镍。",
            applicant="武汉新能源有限公司",
            ipc=("H", "H01", "H01M", "H01M10/54"),
            number=("ZL201710601862.3", "CN109034985A"),
        ),
        make(
            "zh-net",
            "神经网络加速芯片",
            abstract="用于图像识别的软件与网络协议，带鼠标接口。",
            applicant="华为技术有限公司",
            ipc=("G", "G06", "G06N"),
            number="ZL202110344405.7",
        ),
        make("zh-pump", "离心泵叶轮", abstract="提高水泵效率。", applicant="兰州泵业", number="ZL95115608.X"),
        make(
            "en-cell",
            "",
            title_en="Cathodes for lithium batteries",
            abstract_en="The driver's cathode is coated. A fuel tank is not used.",
            applicant="ACME Batteries Inc",
            number="US10001996B2",
        ),
        make("en-poison", "", title_en="Selective poisoning of data during runahead", applicant="NVIDIA CORPORATION"),
        make("soft", "航班查询软件V1.0", tags="航空 调度", number="2020SR0109251"),
        make("mark", "知流", applicant="知流科技", number="12345678"),
    )
    return engine


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("锂离子电池回收", "zh-li"),
        ("鋰離子電池回收", "zh-li"),
        ("类神经网络芯片", "zh-net"),
        ("滑鼠", "zh-net"),  # Taiwan wording
        ("類神經網路 晶片", "zh-net"),
        ("水泵", "zh-pump"),
        ("cathode of a lithium battery", "en-cell"),
        ("drivers", "en-cell"),
        ("ＲＵＮＡＨＥＡＤ", "en-poison"),
        ("poisoned", "en-poison"),
        ("航空", "soft"),
        ("华为", "zh-net"),
        ("nvidia", "en-poison"),
        ("v1", "soft"),
    ],
)
def test_words_find_in_any_writing(shelf: Engine, text: str, first: str):
    assert found(shelf, text)[:1] == [first]


def test_what_shares_no_word_is_not_found(shelf: Engine):
    result = shelf.search(Query(text="量子"))
    assert result.hits == () and result.total == 0 and result.cursor == ""


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ZL201710601862.3", "zh-li"),
        ("专利号：ZL 2017 1 0601862. 3", "zh-li"),
        ("2017106018623", "zh-li"),
        ("201710601862", "zh-li"),
        ("CN 109034985 B", "zh-li"),
        ("95115608x", "zh-pump"),
        ("US 10,001,996", "en-cell"),
        ("2020 SR 109251", "soft"),
        ("第12345678号", "mark"),
        ("神经网络 12345678", "mark"),  # the number before the better text
    ],
)
def test_an_exact_number_comes_first(shelf: Engine, text: str, first: str):
    result = shelf.search(Query(text=text))
    assert result.hits[0].id == first and result.exact


def test_no_number_no_exactness(shelf: Engine):
    assert not shelf.search(Query(text="锂电池")).exact
    assert not shelf.search(Query(text="201710601863.3")).exact


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('"锂离子电池"', {"zh-li"}),
        ('"离子锂"', set()),
        ('"lithium batteries"', {"en-cell"}),
        ('"batteries lithium"', set()),
        ("“神经网络” 电池", {"zh-net"}),
        ("申请人:华为", {"zh-net"}),
        ("申請人：華為", {"zh-net"}),
        ("applicant:acme", {"en-cell"}),
        ("title:电池", {"zh-li"}),
        ("标题:水泵", set()),
        ("摘要:水泵", {"zh-pump"}),
        ("ipc:h01m", {"zh-li"}),
        ("ipc:G", {"zh-net"}),
        ("ipc:H01M10/54", {"zh-li"}),
        ("号:95115608", {"zh-pump"}),
        ("电池 -锂离子", set()),
        ("电池 -水泵", {"zh-li"}),
        ("软件 -ipc:G06", {"soft"}),
        ("-电池 -lithium -软件 -芯片 -runahead", {"zh-pump", "mark"}),
    ],
)
def test_what_must_and_must_not_be_there(shelf: Engine, text: str, ids: set[str]):
    assert {one for one in found(shelf, text) if one != "en-cell" or "en-cell" in ids or "lithium" in text} == ids


def test_a_phrase_does_not_reach_from_one_text_into_the_next(shelf: Engine):
    assert found(shelf, '"叶轮提高"') == []
    assert found(shelf, '"batteries acme"') == [] and found(shelf, '"inc the"') == []
    assert found(shelf, '"batteries cathodes"') == []  # the title stands twice in the stream


def test_synonyms_find_across_languages_after_the_word_itself(shelf: Engine):
    ids = found(shelf, "lithium battery")
    assert ids[0] == "en-cell" and "zh-li" in ids
    assert found(shelf, "锂电池")[0] == "zh-li" and "en-cell" in found(shelf, "锂电池")


def test_kept_synonyms_join(shelf: Engine):
    assert found(shelf, "动力泵浦", match="all") == []
    assert found(shelf, "动力泵浦", match="all", synonyms=(("动力泵浦", "离心泵"),)) == ["zh-pump"]


def test_names_stand_for_values(shelf: Engine):
    put(shelf, make("hubei", "水泵", region=("420000", "420100")))
    names = {"region": {"湖北": "420000"}}
    assert found(shelf, "地区:湖北", names=names) == ["hubei"]


def test_all_words_are_wanted(shelf: Engine):
    assert found(shelf, "锂离子电池 回收", match="all") == ["zh-li"]
    assert found(shelf, "锂离子电池 水泵", match="all") == []
    assert found(shelf, "lithium cathodes", match="all") == ["en-cell"]
    assert found(shelf, "一种锂离子电池的回收方法", match="all") == ["zh-li"]
    assert found(shelf, "ZL201710601862.3", match="all") == ["zh-li"]
    assert len(found(shelf, "", match="all")) == 7


def test_within_given_ids(shelf: Engine):
    assert found(shelf, "电池 软件", ids=("soft", "mark")) == ["soft"]
    assert found(shelf, "", ids=()) == []
    assert found(shelf, "", ids=("no such",)) == []
    assert set(found(shelf, "", ids=("soft", "mark"))) == {"soft", "mark"}


def test_near_ones_count_as_found_without_a_score(shelf: Engine):
    result = shelf.search(Query(text="水泵", also=("mark", "zh-pump")))
    assert [hit.id for hit in result.hits] == ["zh-pump", "mark"] and result.total == 2
    filtered = shelf.search(Query(text="水泵", also=("mark",), filters={"ipc": ("G",)}))
    assert filtered.total == 0


def test_the_title_tells_more_than_the_abstract(engine: Engine):
    put(
        engine,
        make("abstract", "装置", abstract="石墨烯，一种材料"),
        make("title", "石墨烯", abstract="装置，一种材料"),
    )
    assert found(engine, "石墨烯") == ["title", "abstract"]


def test_of_equal_texts_the_more_urgent_and_healthier_comes_first(engine: Engine):
    put(
        engine,
        make("calm", "石墨烯薄膜", urgency=0, health=2),
        make("urgent", "石墨烯薄膜", urgency=3, health=2),
        make("sick", "石墨烯薄膜", urgency=0, health=0),
    )
    assert found(engine, "石墨烯") == ["urgent", "calm", "sick"]
    assert found(engine, "") == ["urgent", "calm", "sick"]


def test_a_clearly_better_text_is_not_overtaken(engine: Engine):
    put(
        engine,
        make("better", "石墨烯薄膜制备", urgency=0, health=0),
        make("worse", "薄膜的包装", abstract="与石墨无关", urgency=3, health=2),
        *(make(f"other{n}", "水泵叶轮", urgency=3) for n in range(5)),
    )
    assert found(engine, "石墨烯薄膜")[:2] == ["better", "worse"]


def test_a_typing_error_is_mended_and_said(shelf: Engine):
    result = shelf.search(Query(text="runahaed poisoning"))
    assert result.hits[0].id == "en-poison" and result.corrected == "runahead poisoning"
    result = shelf.search(Query(text="lithum"))
    assert result.hits[0].id == "en-cell" and result.corrected == "lithium"


@pytest.mark.parametrize("text", ["cathode", "poisoned", "xyzzyqqq", "lith", "锂电池", "v2"])
def test_a_known_or_hopeless_word_is_left_alone(shelf: Engine, text: str):
    assert shelf.search(Query(text=text)).corrected == ""


def test_more_like_this(engine: Engine):
    put(
        engine,
        make("one", "锂离子电池正极材料", abstract="正极材料包覆"),
        make("two", "锂离子电池负极材料", abstract="负极材料包覆"),
        make("three", "离心泵叶轮", abstract="水泵"),
        make("four", "锂离子电池隔膜", abstract="隔膜", kind="design"),
    )
    ids = found(engine, like="one")
    assert ids[0] == "two" and "one" not in ids and "three" not in ids
    assert found(engine, like="one", filters={"kind": ("design",)}) == ["four"]
    assert found(engine, like="no such document") == []


def test_suggestions_go_on_from_what_was_typed(shelf: Engine):
    assert shelf.suggest("锂") == []
    assert shelf.suggest("一种锂") == ["一种锂离子电池正极材料的回收方法"]
    assert shelf.suggest("一種") == ["一种锂离子电池正极材料的回收方法"]
    assert shelf.suggest("nvid") == ["NVIDIA CORPORATION"]
    assert shelf.suggest("Selective p") == ["Selective poisoning of data during runahead"]
    assert set(shelf.suggest("华")) == {"华为技术有限公司"}
    for start in ("", " ", "*", "\x00", "x" * 5_000, '"', "一种锂离子电池正极材料的回收方法和别的"):
        assert shelf.suggest(start) == []


def test_suggestions_are_bounded(engine: Engine):
    put(engine, *(make(f"d{n:02}", f"水泵第{n:02}型") for n in range(30)))
    assert len(engine.suggest("水泵", 5)) == 5
    assert len(set(engine.suggest("水", 8))) == 8


def test_what_is_gone_is_not_suggested(shelf: Engine):
    from search.document import gone

    put(shelf, gone("zh-li", 2))
    assert shelf.suggest("一种锂") == []
    assert counts(shelf, "ipc") == {"G": 1, "G06": 1, "G06N": 1}
