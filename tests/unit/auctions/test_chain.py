from datetime import datetime, timedelta, timezone

import pytest

from marketplace.auctions.rules.chain import canonical, digest, genesis, key_id, link, parse_rfc3339, rfc3339


def test_canonical_form_sorts_members_and_keeps_chinese():
    assert canonical({"b": [1, None, True], "a": "质权"}) == '{"a":"质权","b":[1,null,true]}'.encode()


def test_moments_are_written_in_utc_with_microseconds():
    moment = datetime(2026, 1, 15, 10, 0, 0, 7, tzinfo=timezone(timedelta(hours=8)))
    assert rfc3339(moment) == "2026-01-15T02:00:00.000007Z"
    assert canonical([moment]) == b'["2026-01-15T02:00:00.000007Z"]'
    assert parse_rfc3339(rfc3339(moment)) == moment


@pytest.mark.parametrize("value", [1.0, float("nan"), {1: 2}, b"x", {"a": {3}}, datetime(2026, 1, 1)])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError, match=r"canonical|time zone"):
        canonical(value)


@pytest.mark.parametrize(
    "text", ["2026-01-15T02:00:00Z", "2026-01-15 02:00:00.000007Z", "", "2026-13-01T00:00:00.000000Z"]
)
def test_only_the_one_form_of_a_moment_is_read(text):
    with pytest.raises(ValueError, match=r"moment|time data"):
        parse_rfc3339(text)


def test_genesis_and_link_depend_on_everything():
    first = genesis({"lot": 1})
    assert first != genesis({"lot": 2})
    assert link(first, {"a": 1}) != link(first, {"a": 2})
    assert link(first, {"a": 1}) != link(genesis({"lot": 2}), {"a": 1})
    assert len(digest({})) == 64


def test_a_key_has_32_bytes():
    with pytest.raises(ValueError, match="32"):
        key_id(b"short")
