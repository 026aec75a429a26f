"""Handlers of deadlines, outbox topics and approvals of this room; imported once at start."""
