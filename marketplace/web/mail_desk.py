"""Mail that goes to a folder because no mail server is set: list and read it. Nothing is shown once a server is set,
because messages carry sign-in links."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from flask import current_app

from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l

NAME = re.compile(r"[0-9A-Za-z_-]{1,80}\.eml")


def folder() -> Path | None:
    """Where the messages are; None when a mail server is set."""
    from marketplace.parties.mail import mail_folder

    return None if current_app.settings.mail_server else mail_folder()  # type: ignore[attr-defined]


def parse(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return BytesParser(policy=policy.default).parse(file)


def messages(limit: int = 100) -> list[dict[str, Any]]:
    """Newest first."""
    place = folder()
    if place is None or not place.is_dir():
        return []
    paths = sorted((p for p in place.iterdir() if NAME.fullmatch(p.name)), key=lambda p: p.name, reverse=True)
    return [summary(path) for path in paths[:limit]]


def summary(path: Path) -> dict[str, Any]:
    message = parse(path)
    return {
        "name": path.name,
        "to": message["To"],
        "subject": message["Subject"],
        "at": datetime.fromtimestamp(path.stat().st_mtime, UTC),
    }


def message(name: str) -> dict[str, Any]:
    """One message with its text and the links in it. Refused with ``mail_unknown``."""
    place = folder()
    path = place / name if place is not None and NAME.fullmatch(name) else None
    if path is None or not path.is_file():
        raise NotFound("mail_unknown", _l("没有这封邮件"))
    body = parse(path).get_body(("plain",))
    text = str(body.get_content()) if body else ""
    links = list(dict.fromkeys(re.findall(r"https?://[^\s<>\"]+", text)))
    return summary(path) | {"text": text, "links": links}
