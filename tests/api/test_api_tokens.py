"""Who may call what, and bodies that are no sound JSON: always a plain refusal with its code."""

from __future__ import annotations

import pytest

from marketplace import Zhiliu
from marketplace.parties import tokens
from tests.api.world import BASE, caller, make_world, member_of
from tests.factories.parties import make_actor

BODIES = [
    (b"", "application/json", 400, "json_malformed"),
    (b"{", "application/json", 400, "json_malformed"),
    (b'{"reference": "\xff"}', "application/json", 400, "json_malformed"),
    (b'{"loan_principal_minor": NaN}', "application/json", 400, "json_malformed"),
    (b'{"loan_principal_minor": ' + b"9" * 5000 + b"}", "application/json", 400, "json_malformed"),
    (b'{"reference": "a", "reference": "b"}', "application/json", 400, "json_duplicate_key"),
    (b"[" * 100_000, "application/json", 400, "json_too_deep"),
    (b'{"a":' * 50_000 + b'"\\u0041"', "application/json", 400, "http_400"),
    (b'{"reference": "a\\u0000b"}', "application/json", 422, "bad_character"),
    (b'"' + b"x" * 1_000_001 + b'"', "application/json", 413, "json_too_large"),
    (b"reference=a", "application/x-www-form-urlencoded", 415, "json_needed"),
    (b"{}", "text/plain", 415, "json_needed"),
    (b"[]", "application/json", 422, "invalid_field"),
    (b'{"unknown": 1}', "application/json", 422, "invalid_field"),
    (b'{"loan_principal_minor": 1e999}', "application/json", 422, "invalid_field"),
    (b'{"loan_principal_minor": 1.5}', "application/json", 422, "invalid_field"),
    (b'{"loan_principal_minor": -1}', "application/json", 422, "invalid_field"),
]


def test_a_body_that_is_no_sound_json_is_refused_with_its_code(app: Zhiliu) -> None:
    bank = caller(app, make_actor("bank"))
    for body, kind, status, code in BODIES:
        answer = bank.call("POST", "/cases", data=body, headers={"Content-Type": kind})
        found = (answer.status_code, answer.get_json()["error"]["code"])
        assert found == (status, code), body[:60]


def test_tokens_open_only_what_they_name(app: Zhiliu) -> None:
    world = make_world()
    reader = caller(app, world.bank, "cases:read")
    assert reader.get(f"/cases/{world.case_id}").status_code == 200
    refused = reader.get("/rights")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "not_allowed")
    assert refused.get_json()["error"]["params"]["policy"] == "token:rights:read"
    stranger = caller(app, make_actor("bank"))
    for path in (f"/cases/{world.case_id}", f"/rights/{world.right_id}", f"/cases/{world.case_id}/documents"):
        assert stranger.get(path).status_code == 404, path
    assert caller(app).get("/cases").status_code == 401
    assert app.test_client().get(f"{BASE}/cases", headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_a_revoked_token_is_unknown_at_once(app: Zhiliu) -> None:
    bank = make_actor("bank")
    reader = caller(app, bank, "cases:read")
    assert reader.get("/cases").status_code == 200
    admin = member_of(bank, "admin")
    tokens.revoke_token(tokens.tokens_of(bank.org_id or 0)[0].id, admin)
    answer = reader.get("/cases")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "token_unknown")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_one_key_one_bid(app: Zhiliu) -> None:
    world = make_world()
    bidder = caller(app, world.lot.bidders[0].actor)
    first, again = bidder.bid(world.lot.id, 100_000_00, "k1"), bidder.bid(world.lot.id, 100_000_00, "k1")
    assert first.status_code == again.status_code == 201
    assert first.get_json()["receipt"] == again.get_json()["receipt"] and again.get_json()["replayed"]
    missing = bidder.post(f"/lots/{world.lot.id}/bids", {"amount_minor": 1})
    assert missing.status_code == 422 and missing.get_json()["error"]["field"] == "Idempotency-Key"
    other = bidder.bid(world.lot.id, 300_000_00, "k1")
    assert other.status_code == 409 and other.get_json()["error"]["code"] == "key_reused"


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [("CN215792497U", 200, ""), ("202010123456.7", 422, "patent.check_digit"), ("?", 422, "number.characters")],
)
def test_a_number_is_checked_without_being_stored(app: Zhiliu, number: str, status: int, code: str) -> None:
    bank = caller(app, make_actor("bank"))
    kind = "utility_model" if status == 200 else "invention_patent"
    answer = bank.get("/rights/check-number", query_string={"kind": kind, "number": number})
    assert answer.status_code == status
    assert code == ("" if status == 200 else answer.get_json()["error"]["code"])
    assert bank.get("/rights").get_json()["total"] == 0
