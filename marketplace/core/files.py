"""Documents: kept by their hash in the transaction of their cause, read only by those who may.

Visibility: ``org`` and ``manager`` the owner's members and the platform's managers; ``bidders`` every verified
organisation too; ``public`` everyone. To anyone else a document does not exist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem
from marketplace.core.events import record
from marketplace.core.file_types import FileRefused, check_file, clean_name
from marketplace.core.i18n import _l
from marketplace.core.models import Document, StoredFile

#: Text of each refusal, filled with its params.
REFUSALS: dict[str, Callable[..., Any]] = {
    "file.missing": lambda **p: _l("请选择文件", **p),
    "file.empty": lambda **p: _l("文件是空的", **p),
    "file.too_large": lambda **p: _l("文件超过 %(max_mb)s MB", **p),
    "file.type_unknown": lambda **p: _l("不接受这种文件，请上传 PDF、PNG、JPEG、TIFF、DOCX、XLSX、CSV 或 TXT", **p),
    "file.damaged": lambda **p: _l("文件已损坏或不完整，请重新导出后上传", **p),
    "file.mixed": lambda **p: _l("文件里夹带了另一种文件，请重新导出后上传", **p),
    "file.markup": lambda **p: _l("文本中含有网页代码，不能上传", **p),
    "file.active": lambda **p: _l("文件含有脚本、宏或嵌入的附件（%(found)s），请另存为不含这些内容的文件", **p),
    "file.encrypted": lambda **p: _l("文件有密码，请去掉密码后上传", **p),
    "file.bomb": lambda **p: _l("文件解压后过大，不能上传", **p),
    "file.image_too_large": lambda **p: _l("图片尺寸过大（%(width)s × %(height)s）", **p),
}
#: Shown in the browser itself when public; everything else is downloaded.
INLINE = ("application/pdf", "image/png", "image/jpeg")


class Upload(Protocol):
    """What a form's file field gives (werkzeug's FileStorage)."""

    filename: str | None
    stream: Any


def keep_upload(
    file: Upload | None,
    *,
    kind: str,
    subject: str,
    subject_id: int,
    actor: Actor,
    visibility: str = "org",
    field: str = "file",
) -> Document:
    """Check an uploaded file by its content and keep it for the actor's organisation.

    The caller has decided that the actor may add to the subject. The same file given again for the same subject
    and kind is the same document. Refuses (Invalid at ``field``) with a code of REFUSALS.
    """
    if actor.org_id is None and not actor.is_system:
        raise Forbidden("person_needed", _l("此操作须由机构的成员进行"))
    if file is None or not file.filename:
        raise refused(FileRefused("file.missing"), field)
    max_mb: int = current_app.settings.max_upload_mb  # type: ignore[attr-defined]
    content = file.stream.read(max_mb * 1024 * 1024 + 1)
    if len(content) > max_mb * 1024 * 1024:
        raise refused(FileRefused("file.too_large", max_mb=max_mb), field)
    try:
        checked = check_file(content, file.filename)
    except FileRefused as refusal:
        raise refused(refusal, field) from None
    return _keep(
        content,
        actor,
        kind=kind,
        subject=subject,
        subject_id=subject_id,
        org_id=actor.org_id,
        filename=checked.filename,
        media_type=checked.media_type,
        visibility=visibility,
        uploaded_by=actor.user_id,
    )


def keep_generated(
    content: bytes,
    *,
    filename: str,
    media_type: str,
    kind: str,
    subject: str,
    subject_id: int,
    org_id: int | None,
    visibility: str,
    actor: Actor = SYSTEM,
) -> Document:
    """Keep a file the house made itself. Idempotent: same bytes, subject and kind are one document."""
    return _keep(
        content,
        actor,
        kind=kind,
        subject=subject,
        subject_id=subject_id,
        org_id=org_id,
        filename=clean_name(filename, media_type),
        media_type=media_type,
        visibility=visibility,
        uploaded_by=actor.user_id,
    )


def refused(refusal: FileRefused, field: str = "file") -> Invalid:
    """The refusal as an error at the form's field."""
    text = REFUSALS[refusal.code](**refusal.params)
    return Invalid([Problem(refusal.code, text, field, refusal.params)])


def _keep(content: bytes, actor: Actor, **values: Any) -> Document:
    digest = hashlib.sha256(content).hexdigest()
    same = (values["subject"], values["subject_id"], values["kind"], digest, values["org_id"])
    # two requests with the same file wait for each other here, so the second finds the first's document
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("|".join(map(str, same)), 0))))
    held = db.session.scalar(
        select(Document).where(
            Document.subject == values["subject"],
            Document.subject_id == values["subject_id"],
            Document.kind == values["kind"],
            Document.sha256 == digest,
            Document.org_id.is_not_distinct_from(values["org_id"]),
            Document.removed_at.is_(None),
        )
    )
    if held is not None:
        return held
    db.session.execute(insert(StoredFile).values(sha256=digest, content=content).on_conflict_do_nothing())
    document = Document(sha256=digest, size=len(content), **values)
    db.session.add(document)
    db.session.flush()
    record(
        "document.kept",
        document.subject,
        document.subject_id,
        actor,
        document_id=document.id,
        document_kind=document.kind,
        sha256=digest,
    )
    return document


def may_read(document: Document, actor: Actor) -> bool:
    """Whether the actor may know of this document and read it."""
    if document.removed_at is not None:
        return False
    if document.visibility == "public" or actor.is_system or actor.is_manager:
        return True
    if document.visibility == "bidders" and actor.org_verified:
        return True
    return document.org_id is not None and document.org_id == actor.org_id


def find(document_id: int, actor: Actor) -> Document:
    """The document without its bytes; NotFound where the actor may not know of it."""
    document = db.session.get(Document, document_id)
    if document is None or not may_read(document, actor):
        raise NotFound("document_unknown", _l("没有这份文件"))
    return document


def read(document_id: int, actor: Actor) -> tuple[Document, bytes]:
    """A document and its bytes; NotFound where the actor may not know of it."""
    document = find(document_id, actor)
    content = db.session.scalar(select(StoredFile.content).where(StoredFile.sha256 == document.sha256))
    if content is None:
        raise NotFound("document_unknown", _l("没有这份文件"))
    return document, content


def list_for(subject: str, subject_id: int, actor: Actor) -> list[Document]:
    """The subject's documents that the actor may read, oldest first."""
    rows = db.session.scalars(
        select(Document)
        .where(Document.subject == subject, Document.subject_id == subject_id, Document.removed_at.is_(None))
        .order_by(Document.id)
    )
    return [row for row in rows if may_read(row, actor)]


def remove(document_id: int, actor: Actor) -> Document:
    """Take a document away from its subject (the owner or a manager); its bytes stay for the record.

    The caller has decided that the subject's state still allows it.
    """
    document = db.session.scalar(select(Document).where(Document.id == document_id).with_for_update())
    if document is None or not may_read(document, actor):
        raise NotFound("document_unknown", _l("没有这份文件"))
    if not (actor.is_system or actor.is_manager or document.org_id == actor.org_id):
        raise Forbidden("not_owner", _l("只有上传的机构可以移除这份文件"))
    document.removed_at = now()
    record("document.removed", document.subject, document.subject_id, actor, document_id=document.id)
    return document


def set_visibility(document_id: int, visibility: str, actor: Actor) -> Document:
    """Widen or narrow who may read a document (the owner or a manager), for publication."""
    document = find(document_id, actor)
    if not (actor.is_system or actor.is_manager or document.org_id == actor.org_id):
        raise Forbidden("not_owner", _l("只有上传的机构可以更改这份文件"))
    document.visibility = visibility
    record(
        "document.visibility",
        document.subject,
        document.subject_id,
        actor,
        document_id=document.id,
        visibility=visibility,
    )
    return document
