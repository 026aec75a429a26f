"""Handlers of deadlines, outbox topics and approvals of this room; imported once at start."""

from __future__ import annotations

from marketplace.cases import service
from marketplace.core.approvals import act_of

act_of("case.approve", on_refuse=service.refused)(service.approved)
