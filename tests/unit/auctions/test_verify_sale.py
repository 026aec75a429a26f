"""The stand-alone verifier against courses that the rules made, altered, re-hashed, signed and damaged."""

import copy
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.auctions.rules import course, events
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE, SANDBOX
from marketplace.auctions.rules.chain import (
    canonical,
    key_id,
    parse_rfc3339,
    receipt_document,
    receipt_payload,
    rfc3339,
)
from marketplace.auctions.rules.findings import Term

from .sale import ENDS, OPENS, TOOL, Sale, refusal, verify_sale

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
PROTOCOL = b"%PDF protocol"


def small_sale(profile=JUDICIAL_ONLINE):
    sale = Sale(profile)
    sale.bid("A", 100_000)
    sale.take(events.suspend(sale.state, OPENS + timedelta(hours=2), "系统故障"))
    sale.take(events.resume(sale.state, OPENS + timedelta(hours=3), "故障排除", sale.profile))
    sale.bid("B", 102_000, OPENS + timedelta(hours=4), received_at=OPENS + timedelta(hours=4))
    sale.bid("P2", 102_000, sale.state.ends_at - timedelta(minutes=1), rank=2)
    sale.bid("P1", 102_000, sale.state.ends_at - timedelta(minutes=1), rank=1)
    sale.take(events.prolong(sale.state, sale.state.ends_at, sale.state.ends_at + timedelta(hours=1), "停机顺延"))
    sale.close()
    return sale


def signed(document):
    return course.with_signature(document, PUBLIC, KEY.sign(course.head_payload(document, PUBLIC)))


def lean_sale():
    """A sale with the checklists of its profile cut, so that each byte can be flipped."""
    return small_sale(replace(JUDICIAL_ONLINE, warnings=(), notice_items=(), documents=(), may_not_bid=(), rounds=()))


def run(data, *more):
    return verify_sale.verify(data, *more)[0]


def plain(document):
    return json.loads(canonical(document))


def attempt(data):
    """The exit code of the tool for these bytes."""
    try:
        return run(data)
    except verify_sale.Unreadable:
        return 2


def rehashed(document):
    """What a forger with the format in hand would write: every hash made right again, no signature."""
    data = plain(document)
    head = seal = verify_sale.sha256({"label": "zhiliu-genesis/1", "lot": data["lot"]})
    for entry in data["entries"]:
        entry["prev_hash"] = head
        hashed = {name: entry[name] for name in entry if name not in ("prev_hash", "hash")}
        head = entry["hash"] = verify_sale.sha256({"prev": head, "entry": hashed})
    body = {name: data[name] for name in ("format", "lot", "entries", "result")}
    data["integrity"] = {
        "genesis": seal,
        "head": head,
        "head_seq": len(data["entries"]),
        "digest": verify_sale.sha256(body),
    }
    return verify_sale.canonical(data) + b"\n"


def test_a_true_course_verifies_signed_and_unsigned():
    document = small_sale().document(hashlib.sha256(PROTOCOL).hexdigest())
    assert run(course.course_bytes(document)) == 0
    code, lines = verify_sale.verify(course.course_bytes(signed(document)), PUBLIC, (), PROTOCOL)
    assert code == 0, lines
    assert any("P1" in line and "sold" in line for line in lines)
    assert run(course.course_bytes(signed(document)), PUBLIC, (), b"another protocol") == 1


def test_unsold_withdrawn_and_running_courses_verify():
    unsold = Sale()
    unsold.close()
    assert run(unsold.file()) == 0
    withdrawn = Sale()
    withdrawn.bid("A", 100_000)
    withdrawn.take(events.withdraw(withdrawn.state, OPENS + timedelta(hours=2), "债务清偿"))
    assert run(withdrawn.file()) == 0
    running = Sale()
    assert run(running.file()) == 0
    running.bid("A", 100_000)
    assert run(running.file()) == 0


def test_capped_and_sandbox_courses_verify():
    cap = Sale(replace(JUDICIAL_ONLINE, extension_cap=Term(200, "seconds", "test", "contract")))
    cap.bid("A", 100_000, ENDS - timedelta(seconds=10))
    cap.bid("B", 101_000, ENDS + timedelta(seconds=100))
    cap.close()
    assert cap.state.ends_at == ENDS + timedelta(seconds=200) and run(cap.file()) == 0
    fast = Sale(SANDBOX, ends_at=OPENS + timedelta(minutes=1))
    fast.bid("A", 100_000, OPENS + timedelta(seconds=58))
    fast.close()
    assert run(fast.file()) == 0


def test_any_flipped_byte_fails():
    data = course.course_bytes(signed(lean_sale().document("ab" * 32)))
    assert run(data, PUBLIC) == 0
    survived = []
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 1 << (position % 8)
        if attempt(bytes(altered)) == 0:
            survived.append(position)
    assert survived == []


def test_every_bit_of_the_signature_block_counts():
    data = course.course_bytes(signed(lean_sale().document()))
    start = data.index(b'"signature":')
    for position in range(start, len(data)):
        for bit in (0, 5):  # 5: upper and lower case of a hex digit
            altered = bytearray(data)
            altered[position] ^= 1 << bit
            assert attempt(bytes(altered)) != 0, (position, bit)


@pytest.mark.parametrize("change", ["cut", "append", "space", "no_line_feed", "double_member", "empty", "bom"])
def test_cut_padded_or_restated_bytes_fail(change):
    data = small_sale().file()
    altered = {
        "cut": data[:-40],
        "append": data + b"\n",
        "space": data.replace(b'":', b'": ', 1),
        "no_line_feed": data[:-1],
        "double_member": b'{"format":"zhiliu-course/1",' + data[1:],
        "empty": b"",
        "bom": b"\xef\xbb\xbf" + data,
    }[change]
    assert attempt(altered) != 0


def shift(text, **by):
    return rfc3339(parse_rfc3339(text) + timedelta(**by))


def bids(data):
    return [entry for entry in data["entries"] if entry["kind"] == "bid"]


def renumbered(data):
    for number, entry in enumerate(data["entries"], 1):
        entry["seq"] = number


def drop(data, index):
    del data["entries"][index]
    renumbered(data)


def swap_bids(data):
    data["entries"][3], data["entries"][4] = data["entries"][4], data["entries"][3]
    renumbered(data)


FORGERIES = {
    "amount below the increment": lambda d: bids(d)[1].update(amount_minor=100_500),
    "amount off the grid": lambda d: bids(d)[1].update(amount_minor=101_500),
    "first bid below the start": lambda d: bids(d)[0].update(amount_minor=99_000),
    "equal price without a right": lambda d: bids(d)[2].update(bid_kind="ordinary"),
    "priority without a rank": lambda d: bids(d)[2].update(rank=None),
    "equal price at a lower rank": lambda d: bids(d)[3].update(rank=3),
    "equal price at the same rank": lambda d: bids(d)[3].update(rank=2),
    "leader outbids himself": lambda d: bids(d)[3].update(code="P2", rank=2),
    "rank of a code changes": lambda d: bids(d)[3].update(code="A"),
    "bid before the opening": lambda d: bids(d)[0].update(at=shift(d["lot"]["opens_at"], microseconds=-1)),
    "bid at the end": lambda d: bids(d)[3].update(at=bids(d)[2]["ends_at"]),
    "bid while suspended": lambda d: drop(d, 2),
    "time runs backwards": lambda d: bids(d)[1].update(at=bids(d)[0]["at"]),
    "extension too long": lambda d: bids(d)[2].update(ends_at=shift(bids(d)[2]["ends_at"], microseconds=1)),
    "extension too short": lambda d: bids(d)[3].update(ends_at=bids(d)[2]["ends_at"]),
    "extension mark": lambda d: bids(d)[1].update(extended=True),
    "resumed with less time": lambda d: d["entries"][2].update(ends_at=d["entries"][1]["ends_at"]),
    "event without reason": lambda d: d["entries"][1].update(reason=" "),
    "prolonged backwards": lambda d: d["entries"][6].update(ends_at=d["entries"][5]["ends_at"]),
    "closed early": lambda d: d["entries"][7].update(at=shift(d["entries"][7]["at"], microseconds=-1)),
    "close names another winner": lambda d: d["entries"][7].update(winner_code="B"),
    "close names another backup": lambda d: d["entries"][7].update(backup_code="B"),
    "close counts wrongly": lambda d: d["entries"][7].update(bid_count=5),
    "entry after the close": lambda d: d["entries"].append({**d["entries"][7], "seq": 9}),
    "sequence gap": lambda d: d["entries"][7].update(seq=9),
    "bids exchanged": swap_bids,
    "bid dropped": lambda d: drop(d, 4),
    "result names another winner": lambda d: d["result"].update(winner_code="A"),
    "result has another price": lambda d: d["result"].update(price_minor=102_001),
    "result has another end": lambda d: d["result"].update(ends_at=d["lot"]["ends_at"]),
    "result is missing": lambda d: d.update(result=None),
    "protocol hash malformed": lambda d: d["result"].update(protocol_sha256="AB" * 32),
    "real sale on a fast clock": lambda d: d["lot"]["profile"].update(clock_rate=2),
    "profile is gone": lambda d: d["lot"].pop("profile"),
    "unknown format": lambda d: d["lot"].update(format="dutch"),
    "start price raised": lambda d: d["lot"].update(start_minor=101_000),
    "true for one": lambda d: bids(d)[3].update(rank=True),
    "extra member": lambda d: bids(d)[0].update(note="x"),
    "unknown entry": lambda d: d["entries"][1].update(kind="blessed"),
    "kind is a list": lambda d: d["entries"][1].update(kind=[]),
    "no such day": lambda d: bids(d)[0].update(at="2026-02-30T00:00:00.000000Z"),
}


def barred(code: str, place: int):
    """A bar of this code put before the entry at this place."""

    def put(data):
        entries = data["entries"]
        before = entries[place - 1]
        bar = {name: before[name] for name in ("at", "ends_at", "prev_hash", "hash")}
        entries.insert(place, {**bar, "seq": 0, "kind": "barred", "code": code, "reason": "串通"})
        for number, entry in enumerate(entries, 1):
            entry["seq"] = number
        closed = entries[-1]
        for block in (closed, data["result"]):
            for name in ("winner_seq", "backup_seq"):
                block[name] = block[name] and block[name] + (block[name] > place)

    return put


FORGERIES |= {
    "the leader was barred": barred("A", 1),
    "a barred bidder bids": barred("P1", 5),
}
REASONS = {
    "the leader was barred": "the leader was barred",
    "a barred bidder bids": "a bid of a barred bidder",
    "amount below the increment": "below the price plus the increment",
    "amount off the grid": "not a multiple",
    "first bid below the start": "below the start price",
    "equal price without a right": "below the price plus the increment",
    "priority without a rank": "priority without a rank",
    "equal price at a lower rank": "equal price without a higher rank",
    "equal price at the same rank": "equal price without a higher rank",
    "leader outbids himself": "the leader outbids himself",
    "rank of a code changes": "the rank of a code changed",
    "bid before the opening": "outside the bidding time",
    "bid at the end": "outside the bidding time",
    "bid while suspended": "a bid while suspended",
    "time runs backwards": "time runs backwards",
    "extension too long": "not the one the rules give",
    "extension too short": "not the one the rules give",
    "extension mark": "the extension mark differs",
    "resumed with less time": "less time after the resumption",
    "event without reason": "gives no reason",
    "prolonged backwards": "does not move the end forward",
    "closed early": "closed before the end",
    "entry after the close": "an entry follows the end",
    "real sale on a fast clock": "no accelerated clock",
}


def test_a_bar_of_a_bidder_who_bids_no_more_verifies():
    sale = Sale()
    sale.bid("A", 100_000)
    sale.bid("B", 102_000, OPENS + timedelta(hours=2))
    assert refusal(events.bar(sale.state, OPENS + timedelta(hours=3), "B", "串通")) == "leader"
    assert refusal(events.bar(sale.state, OPENS + timedelta(hours=3), "A", " ")) == "reason_missing"
    sale.take(events.bar(sale.state, OPENS + timedelta(hours=3), "A", "串通"))
    sale.close()
    code, lines = verify_sale.verify(sale.file())
    assert code == 0, lines
    assert any("barred A 串通" in line for line in lines)


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_a_forger_who_makes_every_hash_right_is_caught_by_the_rules(name):
    data = plain(small_sale().document())
    FORGERIES[name](data)
    assert rehashed(data) != small_sale().file()
    code, lines = verify_sale.verify(rehashed(data))
    assert code == 1, name
    failed = [line for line in lines if "FAIL" in line]
    assert any(REASONS.get(name, "FAIL") in line for line in failed), failed
    if name != "sequence gap":
        assert not any("hash chain" in line or "canonical" in line for line in failed)


def test_rehashing_alone_is_no_failure():
    assert run(rehashed(small_sale().document())) == 0


def test_an_unconfirmed_absurd_bid_is_caught():
    sale = Sale()
    sale.bid("A", 2_000_000, confirmed_high=True)
    sale.close()
    assert run(sale.file()) == 0
    data = plain(sale.document())
    data["entries"][0]["confirmed_high"] = False
    assert run(rehashed(data)) == 1


def test_pure_python_ed25519_agrees_with_the_library():
    for length in (0, 1, 63, 200):
        message = bytes(range(length))
        signature = KEY.sign(message)
        assert verify_sale.ed25519_verify(PUBLIC, message, signature)
        assert not verify_sale.ed25519_verify(PUBLIC, message + b"x", signature)
        order = int.from_bytes(signature[32:], "little") + verify_sale.L
        assert not verify_sale.ed25519_verify(PUBLIC, message, signature[:32] + order.to_bytes(32, "little"))
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert not verify_sale.ed25519_verify(other, b"", KEY.sign(b""))
    assert not verify_sale.ed25519_verify(b"\xff" * 32, b"", KEY.sign(b""))
    assert not verify_sale.ed25519_verify(PUBLIC, b"", b"short")


def test_rfc_8032_test_vector_2():
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify_sale.ed25519_verify(key, b"\x72", signature)


def test_another_key_or_no_signature_fails_when_the_key_is_given():
    document = small_sale().document()
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert run(course.course_bytes(signed(document)), other) == 1
    assert run(course.course_bytes(document), PUBLIC) == 1


def receipt(sale, number):
    entry = sale.entries[number - 1]
    payload = receipt_payload(
        lot_code=sale.lot["lot_code"],
        round_no=1,
        seq=entry.seq,
        code=entry.body["code"],
        amount_minor=entry.body["amount_minor"],
        currency="CNY",
        at=entry.at,
        prev_hash=entry.prev_hash,
        hash=entry.hash,
        key_id=key_id(PUBLIC),
    )
    return receipt_document(payload, PUBLIC, KEY.sign(canonical(payload)))


def test_a_receipt_proves_its_bid_and_a_tampered_one_does_not():
    sale = small_sale()
    data = course.course_bytes(signed(sale.document()))
    good = receipt(sale, 4)
    assert run(data, PUBLIC, [good]) == 0
    for name, value in (
        ("amount_minor", 1),
        ("seq", 1),
        ("code", "Z"),
        ("at", "x"),
        ("seq", 99),
        ("hash", "0"),
    ):
        bad = copy.deepcopy(good)
        bad["receipt"][name] = value
        assert run(data, PUBLIC, [bad]) == 1
        bad["signature"]["value"] = KEY.sign(canonical(bad["receipt"])).hex()
        assert run(data, PUBLIC, [bad]) == 1  # signed, but not what the course says
    for bad in ({}, [], {"receipt": {}, "signature": {}}, {"receipt": good["receipt"], "signature": None}):
        assert run(data, PUBLIC, [bad]) == 1


def cli(*arguments):
    return subprocess.run(
        [sys.executable, "-I", "-S", str(TOOL), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_command_line_needs_only_the_standard_library_and_reports_in_both_languages(tmp_path):
    sale = small_sale()
    files = {name: tmp_path / name for name in ("course.json", "key.pem", "receipt.json", "protocol.pdf")}
    files["course.json"].write_bytes(course.course_bytes(signed(sale.document(hashlib.sha256(PROTOCOL).hexdigest()))))
    files["key.pem"].write_bytes(PEM)
    files["receipt.json"].write_bytes(canonical(receipt(sale, 1)))
    files["protocol.pdf"].write_bytes(PROTOCOL)
    good = cli(
        files["course.json"],
        *("--public-key", files["key.pem"]),
        *("--receipt", files["receipt.json"]),
        *("--protocol", files["protocol.pdf"]),
    )
    assert good.returncode == 0, good.stdout + good.stderr
    assert "核验通过" in good.stdout and "VERIFIED" in good.stdout

    files["course.json"].write_bytes(files["course.json"].read_bytes().replace(b"102000", b"103000", 1))
    bad = cli(files["course.json"])
    assert bad.returncode == 1 and "核验不通过" in bad.stdout

    files["course.json"].write_bytes(b"\x00\xff not json")
    assert cli(files["course.json"]).returncode == 2
    assert cli(tmp_path / "missing.json").returncode == 2
    files["key.pem"].write_bytes(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    assert cli(files["receipt.json"], "--public-key", files["key.pem"]).returncode == 2
    assert cli().returncode == 2


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b"1.5", b'"x"', b"NaN", b"{}", b"[" * 100_000, b"9" * 10_000])
def test_what_is_no_course_is_refused_without_a_traceback(data):
    assert attempt(data) != 0


def test_the_tool_shares_no_code_with_the_platform():
    text = TOOL.read_text(encoding="utf-8")
    assert "import marketplace" not in text and "from marketplace" not in text
