"""Handlers of deadlines, outbox topics and approvals of this room; imported once at start."""

from marketplace.core import outbox
from marketplace.parties import mail, notices

outbox.on(notices.TOPIC)(mail.deliver)
