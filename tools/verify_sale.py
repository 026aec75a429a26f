#!/usr/bin/env python3
"""Verify the exported course of a sale (核验竞价过程文件). Python 3.9 or later, standard library only.

    python verify_sale.py course.json [--public-key key.pem] [--receipt receipt.json] [--protocol file]

Shares no code with the platform: it reads the file format (docs/course-format.md), rebuilds the hash chain,
decides every bid again by the rules frozen in the file, and compares the result and the signatures.
Exit code 0: verified (核验通过). 1: does not verify (核验不通过). 2: the input cannot be read (无法读取).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from datetime import datetime, timedelta, timezone

UTC = timezone.utc  # noqa: UP017  (Python 3.9)
HEX64, HEX128 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LINKED = {"seq", "kind", "at", "ends_at", "prev_hash", "hash"}
# fmt: off
BID_MEMBERS = LINKED | {
    "code", "rank", "bid_kind", "amount_minor", "confirmed_high", "extended", "received_at",
}
EVENT_MEMBERS = LINKED | {"reason"}
BAR_MEMBERS = LINKED | {"code", "reason"}
RESULT_NAMES = (
    "outcome", "price_minor", "winner_code", "winner_rank", "winner_seq",
    "backup_code", "backup_price_minor", "backup_seq", "bid_count", "extensions",
)
# fmt: on
CLOSED_MEMBERS = LINKED | set(RESULT_NAMES)
MALFORMED = (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError)


class DoesNotVerify(Exception):
    """A check failed; carries the Chinese and the English reason."""

    def __init__(self, zh, en):
        super().__init__(en)
        self.zh, self.en = zh, en


class Unreadable(Exception):
    """The input is not a course at all."""


def need(condition, zh, en):
    if not condition:
        raise DoesNotVerify(zh, en)


# --- reading ---------------------------------------------------------------------------------------------


def canonical(value):
    """Sorted members, no spaces, UTF-8: the only byte form of a value."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def sha256(value):
    return hashlib.sha256(canonical(value)).hexdigest()


def parse(data):
    """JSON with whole numbers only and no member twice; Unreadable for anything else."""

    def members(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member stands twice")
        return found

    def no_float(text):
        raise ValueError("not a whole number: " + text)

    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=members, parse_float=no_float, parse_constant=no_float
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def moment(text):
    need(
        isinstance(text, str) and MOMENT.fullmatch(text),
        f"时间格式不符：{text!r}",
        f"not a recorded moment: {text!r}",
    )
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise DoesNotVerify(f"时间无效：{text!r}", f"no such moment: {text!r}") from error


def whole(value, low, name):
    need(type(value) is int and value >= low, f"{name} 不是合法整数", f"{name} is not a proper whole number")
    return value


# --- Ed25519 verification, RFC 8032 section 5.1.7 ----------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _x_of(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    return P - x if x % 2 != sign else x


def _point(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = _x_of(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(factor, point):
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    return total


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _x_of(_BASE_Y, 0)
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def ed25519_verify(public_key, message, signature):
    """Whether `signature` (64 bytes) over `message` is by `public_key` (32 bytes)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r, s = _point(public_key), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(k, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def key_from_pem(text):
    """The 32 raw bytes of an Ed25519 public key in PEM (SubjectPublicKeyInfo)."""
    match = re.search(r"-----BEGIN PUBLIC KEY-----(.+?)-----END PUBLIC KEY-----", text, re.S)
    prefix = bytes.fromhex("302a300506032b6570032100")
    try:
        der = base64.b64decode("".join(match.group(1).split()), validate=True) if match else b""
    except ValueError:
        der = b""
    if len(der) != 44 or not der.startswith(prefix):
        raise Unreadable("not an Ed25519 public key in PEM")
    return der[12:]


def check_signature(block, message, trusted):
    """The signature block over `message`; with `trusted` the key must be that one."""
    need(
        isinstance(block, dict) and set(block) == {"algorithm", "key_id", "public_key", "value"},
        "签名块不完整",
        "the signature block is not complete",
    )
    need(block["algorithm"] == "Ed25519", "签名算法不是 Ed25519", "the signature algorithm is not Ed25519")
    for name, form in (("public_key", HEX64), ("value", HEX128)):
        need(
            isinstance(block[name], str) and form.fullmatch(block[name]),
            f"签名块 {name} 格式不符",
            f"signature block: {name} is malformed",
        )
    key = bytes.fromhex(block["public_key"])
    need(
        block["key_id"] == hashlib.sha256(key).hexdigest()[:16],
        "公钥编号不符",
        "the key id does not fit the key",
    )
    need(trusted is None or key == trusted, "签名公钥不是所给公钥", "signed by another key than the one given")
    need(ed25519_verify(key, message, bytes.fromhex(block["value"])), "签名无效", "the signature is not valid")


# --- the course --------------------------------------------------------------------------------------------


def check_shape(course):
    top = {"format", "lot", "entries", "result", "integrity", "signature"}
    need(isinstance(course, dict) and set(course) == top, "顶层成员不符", "the top-level members do not fit")
    need(course["format"] == "zhiliu-course/1", "文件版本不符", "unknown course format")
    need(isinstance(course["lot"], dict), "缺少标的信息", "the lot is missing")
    entries = course["entries"]
    need(
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries),
        "过程记录不是列表",
        "the entries are not a list of objects",
    )
    seal = course["integrity"]
    need(
        isinstance(seal, dict) and set(seal) == {"genesis", "head", "head_seq", "digest"},
        "完整性块成员不符",
        "the integrity block does not fit",
    )


def check_chain(course):
    """Genesis, gapless sequence, each link, head and whole digest."""
    seal = course["integrity"]
    head = sha256({"label": "zhiliu-genesis/1", "lot": course["lot"]})
    need(
        seal["genesis"] == head,
        "起始哈希不符：标的信息被改动",
        "genesis hash differs: the lot facts were altered",
    )
    for number, entry in enumerate(course["entries"], 1):
        need(entry.get("seq") == number, f"第 {number} 条序号不连续", f"entry {number}: the sequence has a gap")
        need(
            entry.get("prev_hash") == head,
            f"第 {number} 条前序哈希不符",
            f"entry {number}: previous hash differs",
        )
        hashed = {name: entry[name] for name in entry if name not in ("prev_hash", "hash")}
        head = sha256({"prev": head, "entry": hashed})
        need(entry.get("hash") == head, f"第 {number} 条哈希不符", f"entry {number}: hash differs")
    need(seal["head"] == head, "末端哈希不符", "the head hash differs")
    need(seal["head_seq"] == len(course["entries"]), "末端序号不符", "the head sequence differs")
    body = {name: course[name] for name in ("format", "lot", "entries", "result")}
    need(seal["digest"] == sha256(body), "文件摘要不符", "the digest of the file differs")


class Rules:
    """The figures that the replay needs, taken from the profile frozen in the lot."""

    def __init__(self, lot):
        profile = lot["profile"]
        self.sandbox = profile["sandbox"]
        self.rate = whole(profile["clock_rate"], 1, "clock_rate")
        self.floor = timedelta(seconds=whole(profile["clock_floor_seconds"], 0, "clock_floor_seconds"))
        need(
            self.sandbox is True or self.rate == 1,
            "真实处置不得加速时钟",
            "a real sale has no accelerated clock",
        )
        self.window = self.span(profile["extension_window"])
        self.length = self.span(profile["extension_length"])
        cap = profile["extension_cap"]
        self.cap = None if cap is None else self.span(cap)
        self.multiple = profile["increment_multiple"]["value"] is True
        self.priority = profile["priority_right"]["value"] is True
        self.jump = whole(profile["jump_factor"]["value"], 1, "jump_factor")
        self.start = whole(lot["start_minor"], 1, "start_minor")
        self.step = whole(lot["increment_minor"], 1, "increment_minor")

    def span(self, term):
        need(term["unit"] == "seconds", "时长单位不符", "a duration is not in seconds")
        seconds = timedelta(seconds=whole(term["value"], 0, "seconds"))
        if self.rate == 1:
            return seconds
        return max(seconds // self.rate, min(seconds, self.floor))


class Replay:
    """The sale played again: every entry is decided by the rules and must come out as recorded."""

    def __init__(self, lot):
        need(
            lot["format"] == "english_priority",
            f"不认识的竞价方式：{lot['format']}",
            f"unknown format {lot['format']}",
        )
        self.rules = Rules(lot)
        self.opens, self.ends = moment(lot["opens_at"]), moment(lot["ends_at"])
        need(self.opens < self.ends, "结束不晚于开始", "the sale ends before it opens")
        self.scheduled = self.ends
        self.last_at = None
        self.price = self.leader = self.rank = self.suspended_at = self.ended = None
        self.bids, self.ranks, self.extensions = [], {}, 0
        self.barred = set()

    def play(self, entry):
        kind, where = entry.get("kind"), f"{entry.get('seq')}"
        step = {"bid": self.bid, "barred": self.bar, "closed": self.closed}.get(kind, self.event)
        try:
            need(self.ended is None, "结束后仍有记录", "an entry follows the end of the sale")
            at = moment(entry["at"])
            need(self.last_at is None or at >= self.last_at, "时间倒流", "time runs backwards")
            before = self.ends
            step(entry, at)
            need(
                moment(entry["ends_at"]) == self.ends,
                "结束时间计算不符",
                "the end is not the one the rules give",
            )
            need(self.ends >= before, "结束时间提前", "the end moved back")
            self.last_at = at
        except DoesNotVerify as error:
            raise DoesNotVerify(f"第 {where} 条：{error.zh}", f"entry {where}: {error.en}") from error

    def bid(self, entry, at):
        need(set(entry) == BID_MEMBERS, "出价成员不符", "the members of the bid do not fit")
        rules, code, rank = self.rules, entry["code"], entry["rank"]
        need(self.suspended_at is None, "中止期间的出价", "a bid while suspended")
        need(self.opens <= at < self.ends, "出价不在竞价时间内", "a bid outside the bidding time")
        need(isinstance(code, str) and code, "缺少竞买代码", "the bidder code is missing")
        need(rank is None or (type(rank) is int and rank >= 1), "优先顺位不合法", "not a priority rank")
        need(self.ranks.setdefault(code, rank) == rank, "同一代码顺位前后不一", "the rank of a code changed")
        need(entry["bid_kind"] in ("ordinary", "priority"), "出价类型不符", "unknown kind of bid")
        need(entry["bid_kind"] == "ordinary" or rank is not None, "无优先购买权", "priority without a rank")
        need(
            entry["bid_kind"] == "ordinary" or rules.priority,
            "本场无优先购买权",
            "no priority right in this sale",
        )
        if entry["received_at"] is not None:
            moment(entry["received_at"])
        need(code != self.leader, "领先者重复领先", "the leader outbids himself")
        need(code not in self.barred, "被限制者出价", "a bid of a barred bidder")
        self.amount(entry, whole(entry["amount_minor"], 1, "amount_minor"), rank)
        end = self.ends
        if self.ends - at <= rules.window:
            end = at + rules.length
            if rules.cap is not None:
                end = min(end, self.scheduled + rules.cap)
        extended = end > self.ends
        need(entry["extended"] is extended, "延时标记不符", "the extension mark differs")
        self.ends = max(self.ends, end)
        self.extensions += extended
        self.price, self.leader, self.rank = entry["amount_minor"], code, rank
        self.bids.append((entry["amount_minor"], entry["seq"], code, rank))

    def amount(self, entry, amount, rank):
        rules, base = self.rules, self.rules.start if self.price is None else self.price
        need(amount < 2**63, "金额过大", "the amount is too large")
        if self.price is None:
            need(amount >= base, "低于起拍价", "below the start price")
        elif entry["bid_kind"] == "priority" and amount == self.price:
            higher = rank is not None and (self.rank is None or rank < self.rank)
            need(higher, "同价优先顺位不足", "equal price without a higher rank")
            return
        else:
            need(amount >= base + rules.step, "加价不足", "below the price plus the increment")
        need(
            not rules.multiple or (amount - base) % rules.step == 0,
            "非加价幅度整数倍",
            "not a multiple of the increment",
        )
        confirmed = entry["confirmed_high"]
        need(type(confirmed) is bool, "确认标记不符", "the confirmation mark is malformed")
        need(
            amount <= base * rules.jump or confirmed,
            "异常高价未确认",
            "an absurdly high bid was not confirmed",
        )

    def event(self, entry, at):
        kind, end = entry.get("kind"), moment(entry["ends_at"])
        need(
            kind in ("suspended", "resumed", "prolonged", "withdrawn"),
            "未知记录类型",
            "unknown kind of entry",
        )
        need(set(entry) == EVENT_MEMBERS, "事件成员不符", "the members of the event do not fit")
        need(
            isinstance(entry["reason"], str) and entry["reason"].strip(),
            "事件无理由",
            "the event gives no reason",
        )
        if kind == "suspended":
            need(self.suspended_at is None, "重复中止", "suspended twice")
            need(at < self.ends, "结束后中止", "suspended after the end")
            self.suspended_at = at
        elif kind == "resumed":
            need(self.suspended_at is not None, "未中止而恢复", "resumed without a suspension")
            left = max(self.ends - max(self.suspended_at, self.opens), self.rules.length)
            least = max(self.ends, max(at, self.opens) + left)
            need(end >= least, "恢复后剩余时间不足", "less time after the resumption than was left")
            self.suspended_at, self.ends, self.scheduled = None, end, end
        elif kind == "prolonged":
            need(self.suspended_at is None, "中止期间顺延", "prolonged while suspended")
            need(end > max(self.ends, at), "顺延未推后", "the prolongation does not move the end forward")
            self.ends = self.scheduled = end
        else:
            sold = self.leader is not None and self.suspended_at is None and at >= self.ends
            need(not sold, "成交后撤回", "withdrawn although sold")
            self.ended = {**dict.fromkeys(RESULT_NAMES), "outcome": "withdrawn"}

    def bar(self, entry, at):
        need(set(entry) == BAR_MEMBERS, "限制记录成员不符", "the members of the bar do not fit")
        need(
            isinstance(entry["reason"], str) and entry["reason"].strip(),
            "事件无理由",
            "the event gives no reason",
        )
        need(isinstance(entry["code"], str) and entry["code"], "缺少竞买代码", "the bidder code is missing")
        need(entry["code"] != self.leader, "限制了领先者", "the leader was barred")
        need(entry["code"] not in self.barred, "重复限制", "barred twice")
        self.barred.add(entry["code"])

    def closed(self, entry, at):
        need(set(entry) == CLOSED_MEMBERS, "结束记录成员不符", "the members of the close do not fit")
        need(self.suspended_at is None, "中止期间结束", "closed while suspended")
        need(at >= self.ends, "提前结束", "closed before the end")
        self.ended = self.outcome()
        for name in RESULT_NAMES:
            same = type(entry[name]) is type(self.ended[name]) and entry[name] == self.ended[name]
            need(same, f"结果不符：{name}", f"the result differs: {name}")

    def outcome(self):
        """Winner = last leader; backup = best bid of another bidder, the later one at equal price."""
        won = self.bids[-1] if self.bids else (None, None, None, None)
        others = [bid for bid in self.bids if bid[2] != won[2]]
        second = max(others, key=lambda bid: bid[:2]) if others else (None, None, None, None)
        values = ("sold" if self.bids else "unsold", won[0], won[2], won[3], won[1])
        tail = (second[2], second[0], second[1], len(self.bids), self.extensions)
        return dict(zip(RESULT_NAMES, values + tail))  # noqa: B905  (Python 3.9)


def check_rules(course):
    """Plays the sale again and returns the replay."""
    replay = Replay(course["lot"])
    for entry in course["entries"]:
        replay.play(entry)
    return replay


def check_result(course, replay):
    result = course["result"]
    if replay.ended is None:
        need(result is None, "竞价未结束却有结果", "a result although the sale has not ended")
        return
    need(isinstance(result, dict), "缺少结果", "the result is missing")
    last = course["entries"][-1]
    expected = {**replay.ended, "ended_at": last["at"], "ends_at": last["ends_at"]}
    need(set(result) == {*expected, "protocol_sha256"}, "结果成员不符", "the members of the result do not fit")
    for name, value in expected.items():
        same = type(result[name]) is type(value) and result[name] == value
        need(same, f"结果不符：{name}", f"the result differs: {name}")
    protocol = result["protocol_sha256"]
    good = protocol is None or (isinstance(protocol, str) and HEX64.fullmatch(protocol))
    need(good, "成交记录哈希格式不符", "the protocol hash is malformed")


def head_message(course):
    lot, block = course["lot"], course["signature"]
    facts = {"lot_code": lot.get("lot_code"), "round_no": lot.get("round_no"), **course["integrity"]}
    key = block.get("key_id") if isinstance(block, dict) else None
    return canonical({"label": "zhiliu-course-head/1", "key_id": key, **facts})


def check_receipt(course, receipt, trusted):
    """A bidder's receipt: its signature, and its bid in the course with the same values."""
    need(
        isinstance(receipt, dict) and set(receipt) == {"receipt", "signature"} and isinstance(receipt["receipt"], dict),
        "回执成员不符",
        "the members of the receipt do not fit",
    )
    payload = receipt["receipt"]
    if trusted is None and isinstance(course["signature"], dict):
        trusted = bytes.fromhex(course["signature"]["public_key"])
    check_signature(receipt["signature"], canonical(payload), trusted)
    lot, seq = course["lot"], payload.get("seq")
    need(
        type(seq) is int and 1 <= seq <= len(course["entries"]),
        "回执所载出价不在过程中",
        "the receipt's bid is not in the course",
    )
    entry = course["entries"][seq - 1]
    expected = {name: lot[name] for name in ("lot_code", "round_no", "currency")}
    expected.update({name: entry.get(name) for name in ("seq", "code", "amount_minor", "at", "prev_hash", "hash")})
    expected.update({"label": "zhiliu-receipt/1", "key_id": receipt["signature"]["key_id"]})
    need(payload == expected, "回执与过程记录不一致", "the receipt differs from the entry in the course")


# --- the report --------------------------------------------------------------------------------------------


class Report:
    """Lines for people; remembers whether anything failed."""

    def __init__(self, out):
        self.out, self.failed = out, False

    def line(self, mark, zh, en):
        self.out.append(f"[{mark}] {zh} | {en}")

    def check(self, zh, en, function, *arguments):
        try:
            value = function(*arguments)
        except DoesNotVerify as error:
            self.failed = True
            self.line("失败 FAIL", f"{zh}：{error.zh}", f"{en}: {error.en}")
            return None
        except MALFORMED as error:
            self.failed = True
            self.line("失败 FAIL", f"{zh}：成员缺失或错误 {error!r}", f"{en}: missing or ill-typed member {error!r}")
            return None
        self.line("通过 OK  ", zh, en)
        return value


def check_bytes(data, course):
    try:
        same = data == canonical(course) + b"\n"
    except ValueError:
        same = False
    need(same, "文件不是规范形式", "the file is not in canonical form")


def check_protocol(course, protocol):
    result = course["result"] if isinstance(course["result"], dict) else {}
    same = hashlib.sha256(protocol).hexdigest() == result.get("protocol_sha256")
    need(same, "文件哈希不符", "its hash differs from the result")


def verify(data, trusted=None, receipts=(), protocol=None):
    """(exit code, report lines) for the bytes of a course; raises Unreadable when they are no JSON."""
    course = parse(data)
    lines: list[str] = []
    report = Report(lines)
    report.check("文件结构", "structure of the file", check_shape, course)
    if report.failed:
        return 1, lines
    report.check("文件为规范形式", "canonical form", check_bytes, data, course)
    report.check("哈希链、序号、摘要", "hash chain, sequence, digest", check_chain, course)
    replay = report.check("逐条重新裁决", "every entry decided again", check_rules, course)
    if replay is not None:
        report.check("结果与过程一致", "result follows from the course", check_result, course, replay)
    if course["signature"] is not None:
        if not report.failed:
            report.check(
                "平台签名",
                "platform signature",
                check_signature,
                course["signature"],
                head_message(course),
                trusted,
            )
            if trusted is None and not report.failed:
                zh, en = (
                    "未提供公钥，仅以文件内公钥核验",
                    "no public key given: checked with the key in the file only",
                )
                report.line("提示 NOTE", f"{zh}（{course['signature'].get('key_id')}）", en)
    elif trusted is not None:
        report.failed = True
        report.line("失败 FAIL", "文件未签名", "the course is not signed")
    else:
        report.line("提示 NOTE", "文件未签名", "the course is not signed")
    for number, receipt in enumerate(receipts, 1):
        if not report.failed:
            report.check(f"出价回执 {number}", f"receipt {number}", check_receipt, course, receipt, trusted)
    if protocol is not None:
        report.check("成交记录文件", "protocol file", check_protocol, course, protocol)
    if replay is not None:
        lines.extend(summary(course, replay))
    return (1 if report.failed else 0), lines


def summary(course, replay):
    """What the course says, in a few lines."""
    lot, currency = course["lot"], course["lot"].get("currency")
    yield f"标的 lot: {lot.get('lot_code')} / {lot.get('round_no')}  {lot.get('title')}"
    if replay.rules.sandbox is True:
        yield "沙盒演练，非真实处置 | sandbox rehearsal, not a real sale"
    yield f"出价 bids: {len(replay.bids)}  延时 extensions: {replay.extensions}"
    for event in course["entries"]:
        if event["kind"] in ("suspended", "resumed", "prolonged", "barred", "withdrawn"):
            yield f"事件 event: {event['at']} {event['kind']} {event.get('code') or ''} {event['reason']}"
    if replay.ended is None:
        yield "竞价尚未结束 | the sale has not ended"
        return
    yield f"结果 outcome: {replay.ended['outcome']}  {replay.ended['winner_code'] or '-'}"
    if replay.ended["price_minor"] is not None:
        yuan, fen = divmod(replay.ended["price_minor"], 100)
        yield f"价格 price: {yuan:,}.{fen:02d} {currency}  候补 backup: {replay.ended['backup_code'] or '-'}"


def main(arguments=None):
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = argparse.ArgumentParser(description="核验竞价过程文件 | verify the exported course of a sale")
    parser.add_argument("course", help="过程文件 | the course (JSON)")
    parser.add_argument("--public-key", help="平台公钥 | the platform's Ed25519 public key (PEM)")
    parser.add_argument("--receipt", action="append", default=[], help="出价回执 | a bidder's receipt (JSON)")
    parser.add_argument("--protocol", help="成交记录文件 | the protocol file whose hash the result carries")
    options = parser.parse_args(arguments)
    try:
        with open(options.course, "rb") as file:
            data = file.read()
        trusted = None
        if options.public_key:
            with open(options.public_key, encoding="ascii") as pem:
                trusted = key_from_pem(pem.read())
        receipts, protocol = [], None
        for name in options.receipt:
            with open(name, "rb") as file:
                receipts.append(parse(file.read()))
        if options.protocol:
            with open(options.protocol, "rb") as file:
                protocol = file.read()
        code, lines = verify(data, trusted, receipts, protocol)
    except (OSError, ValueError, Unreadable) as error:
        print(f"无法读取 | cannot be read: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    print("核验不通过 | DOES NOT VERIFY" if code else "核验通过 | VERIFIED")
    return code


if __name__ == "__main__":
    sys.exit(main())
