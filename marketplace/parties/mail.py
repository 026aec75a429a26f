"""Delivery of mail: by SMTP when MAIL_SERVER is set, else as files that a demo can show."""

from __future__ import annotations

import os
import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from marketplace.core.clock import now
from marketplace.core.db import unit_of_work

TIMEOUT_SECONDS = 20


def mail_folder() -> Path:
    """Where mail is kept while no mail server is set: MAIL_DIR, else ``var/mail``."""
    folder = current_app.settings.mail_dir  # type: ignore[attr-defined]
    return folder or Path(current_app.root_path).parent / "var" / "mail"


def absolute(link: str) -> str:
    """A link for a mail: always under BASE_URL, never under the host a request claimed to be for."""
    base = current_app.settings.base_url  # type: ignore[attr-defined]
    if link.startswith(base + "/") or not link:
        return link
    if link.startswith(("http://", "https://")):
        parts = urlsplit(link)
        link = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{base}/{link.lstrip('/')}"


def compose(message_id: int, payload: dict[str, Any]) -> EmailMessage:
    """The message of one outbox row. Its Message-ID comes from the row, so a second sending of the row is
    known to be the same message by every mail server on the way."""
    settings = current_app.settings  # type: ignore[attr-defined]
    host = urlsplit(settings.base_url).hostname or "localhost"
    message = EmailMessage()
    message["Message-ID"] = f"<outbox-{message_id}@{host}>"
    with unit_of_work():
        message["Date"] = format_datetime(now())
    message["From"] = settings.mail_from
    message["To"] = Address(addr_spec=payload["to"])
    message["Subject"] = " ".join(payload["subject"].split())
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = payload.get("lang", "zh")
    message.set_content(payload["body"])
    return message


def deliver(message_id: int, payload: dict[str, Any]) -> None:
    """Send one message. An address or server that refuses raises, and the outbox tries again later."""
    settings = current_app.settings  # type: ignore[attr-defined]
    message = compose(message_id, payload)
    if not settings.mail_server:
        keep(message_id, message)
        return
    with smtplib.SMTP(settings.mail_server, settings.mail_port, timeout=TIMEOUT_SECONDS) as server:
        if settings.mail_use_tls:
            server.starttls()
        if settings.mail_username:
            server.login(settings.mail_username, settings.mail_password)
        server.send_message(message)


def keep(message_id: int, message: EmailMessage) -> None:
    """Write the message as a file named by its row; writing it twice leaves one file."""
    folder = mail_folder()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{message_id}.{os.getpid()}"
    part.write_bytes(bytes(message))
    part.replace(folder / f"{message_id:010d}.eml")
