"""Random sales: the invariants hold, and the verifier accepts the course but no alteration of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from marketplace.auctions.rules import events
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE, PLEDGEE_AGREED, SANDBOX
from marketplace.auctions.rules.closing import NotYet, Outcome
from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.state import Accepted, Refused

from .sale import OPENS, Sale, verify_sale

RANKS = {"A": None, "B": None, "C": None, "P1": 1, "Q1": 1, "P2": 2}
CAPPED = replace(JUDICIAL_ONLINE, extension_cap=Term(600, "seconds", "test", "contract"))
LOOSE = replace(PLEDGEE_AGREED, increment_multiple=Term(False, "flag", "test", "contract"))
SHORT = {"warnings": (), "notice_items": (), "documents": (), "may_not_bid": ()}
PROFILES = [replace(profile, **SHORT) for profile in (JUDICIAL_ONLINE, CAPPED, LOOSE, SANDBOX)]

mutations = st.sampled_from(["amount_minor", "code", "rank", "at", "ends_at", "seq", "hash", "drop", "double"])


class RandomSale(RuleBasedStateMachine):
    @initialize(profile=st.sampled_from(PROFILES))
    def open(self, profile):
        length = timedelta(minutes=1) if profile.sandbox else timedelta(hours=24)
        self.sale = Sale(profile, ends_at=OPENS + length)
        self.now = OPENS
        self.before = self.sale.state
        self.leads: list[str] = []

    @rule(
        code=st.sampled_from(sorted(RANKS)),
        steps=st.integers(min_value=-1, max_value=4),
        off=st.sampled_from([0, 0, 0, 1]),
        right=st.booleans(),
    )
    def bid(self, code, steps, off, right):
        state, rank = self.sale.state, RANKS[code]
        base = state.start_minor if state.price_minor is None else state.price_minor
        amount = base + steps * state.increment_minor + off
        kind = "priority" if rank and right else "ordinary"
        answer = self.sale.bid(code, amount, self.now, rank, kind=kind)
        if isinstance(answer, Refused):
            assert self.sale.state == state
            return
        after = self.sale.state
        assert state.state in ("scheduled", "running") and state.opens_at <= self.now < state.ends_at
        assert after.leader_code == code != state.leader_code
        if state.price_minor is None:
            assert amount >= state.start_minor
        elif amount == state.price_minor:
            assert kind == "priority" and (state.leader_rank is None or rank < state.leader_rank)
        else:
            assert amount >= state.price_minor + state.increment_minor
        assert after.extensions - state.extensions == (after.ends_at > state.ends_at)
        self.leads.append(code)

    @rule(part=st.integers(min_value=1, max_value=64))
    def time_passes(self, part):
        self.now += max(self.sale.state.ends_at - self.now, timedelta(seconds=64)) * part / 64

    @rule()
    def almost_the_end(self):
        self.now = max(self.now, self.sale.state.ends_at - timedelta(microseconds=1))

    @rule()
    def suspend(self):
        self.sale.take(events.suspend(self.sale.state, self.now, "系统故障"))

    @rule()
    def resume(self):
        self.sale.take(events.resume(self.sale.state, self.now, "恢复", self.sale.profile))

    @rule(minutes=st.integers(min_value=-5, max_value=90))
    def prolong(self, minutes):
        end = self.sale.state.ends_at + timedelta(minutes=minutes)
        self.sale.take(events.prolong(self.sale.state, self.now, end, "停机顺延"))

    @precondition(lambda self: self.sale.state.seq > 6)
    @rule()
    def withdraw(self):
        self.sale.take(events.withdraw(self.sale.state, self.now, "债务清偿"))

    @rule()
    def close(self):
        state = self.sale.state
        answer = self.sale.close(self.now)
        if isinstance(answer, Outcome):
            assert state.state in ("scheduled", "running") and self.now >= state.ends_at
            assert (answer.winner.code if answer.winner else None) == state.leader_code
            if answer.backup:
                assert answer.backup.code != answer.winner.code
                assert answer.backup.amount_minor <= answer.price_minor
            else:
                assert len(set(self.leads)) <= 1
        elif isinstance(answer, NotYet):
            assert state.state == "suspended" or self.now < state.ends_at

    @rule(
        field=mutations,
        choice=st.integers(min_value=0, max_value=10**6),
        change=st.integers(min_value=1, max_value=9),
    )
    def alter(self, field, choice, change):
        """An altered entry never verifies, and neither does a dropped or a doubled one."""
        data = json.loads(self.sale.file())
        if not data["entries"]:
            return
        index = choice % len(data["entries"])
        entry = data["entries"][index]
        if field == "drop":
            del data["entries"][index]
        elif field == "double":
            data["entries"].insert(index, entry)
        elif isinstance(entry.get(field), int):
            entry[field] += change
        else:
            entry[field] = f"{entry.get(field)}{change}"
        assert verify_sale.verify(verify_sale.canonical(data) + b"\n")[0] == 1

    @invariant()
    def price_and_end_only_rise(self):
        if not hasattr(self, "sale"):
            return
        before, after = self.before, self.sale.state
        assert after.ends_at >= before.ends_at
        assert (after.price_minor or 0) >= (before.price_minor or 0)
        assert after.seq == len(self.sale.entries)
        assert after.bid_count == len(self.leads) == len(self.sale.bids())
        assert all(one != two for one, two in zip(self.leads, self.leads[1:], strict=False))
        self.before = after

    def teardown(self):
        if hasattr(self, "sale"):
            code, lines = verify_sale.verify(self.sale.file())
            assert code == 0, lines


RandomSale.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
TestRandomSale = RandomSale.TestCase


def test_an_accepted_answer_carries_the_entry_that_follows_the_last():
    sale = Sale()
    first, second = sale.bid("A", 100_000), sale.bid("B", 101_000)
    assert isinstance(first, Accepted) and isinstance(second, Accepted)
    assert second.record.prev_hash == first.record.hash == first.state.last_hash
