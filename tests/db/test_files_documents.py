"""Documents: who may read them, how long they stay, what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core import files
from marketplace.core.actor import PUBLIC, SYSTEM, Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound
from marketplace.core.models import Document, StoredFile
from tests.factories.parties import make_actor, make_org
from tests.factories.rights import PDF, pdf_upload


def keep(actor: Actor, visibility: str = "org", name: str = "a.pdf", content: bytes = PDF) -> Document:
    return files.keep_upload(
        pdf_upload(name, content), kind="other", subject="case", subject_id=7, actor=actor, visibility=visibility
    )


READERS = [
    ("org", {"owner", "manager", "system"}),
    ("manager", {"owner", "manager", "system"}),
    ("bidders", {"owner", "manager", "system", "bidder"}),
    ("public", {"owner", "manager", "system", "bidder", "waiting", "public"}),
]


@pytest.mark.parametrize(("visibility", "readers"), READERS)
def test_a_document_exists_only_for_those_who_may_read_it(app: Zhiliu, visibility: str, readers: set[str]) -> None:
    owner = make_actor("bank")
    document = keep(owner, visibility)
    actors = {
        "owner": owner,
        "manager": make_actor("platform"),
        "bidder": make_actor("operator"),
        "waiting": make_actor("operator", org=make_org("operator", state="submitted")),
        "system": SYSTEM,
        "public": PUBLIC,
    }
    for name, actor in actors.items():
        listed = [row.id for row in files.list_for("case", 7, actor)]
        if name in readers:
            assert files.read(document.id, actor)[1] == PDF and listed == [document.id], name
        else:
            assert listed == [], name
            with pytest.raises(NotFound):
                files.read(document.id, actor)


def test_the_same_file_twice_is_one_document_and_its_bytes_are_kept_once(app: Zhiliu) -> None:
    owner, other = make_actor("bank"), make_actor("bank")
    first = keep(owner)
    assert keep(owner, name="b.pdf").id == first.id
    assert keep(other).id != first.id
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 1


def test_a_removed_document_is_gone_for_everyone_and_its_bytes_stay(app: Zhiliu) -> None:
    owner = make_actor("bank")
    document = keep(owner, "public")
    with pytest.raises(Forbidden):
        files.remove(document.id, make_actor("operator"))
    files.remove(document.id, owner)
    for actor in (owner, SYSTEM, PUBLIC):
        with pytest.raises(NotFound):
            files.read(document.id, actor)
    assert keep(owner).id != document.id, "it may be given again"
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 1


def test_a_file_over_the_limit_is_refused_by_its_size(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "settings", app.settings.model_copy(update={"max_upload_mb": 1}))
    owner = make_actor("bank")
    for content, code in ((b"a" * (2**20 + 1), "file.too_large"), (b"", "file.empty")):
        with pytest.raises(Invalid) as refusal:
            keep(owner, content=content)
        assert refusal.value.code == code and str(refusal.value.message)
    assert keep(owner, name="x.txt", content=b"a" * 2**20).size == 2**20


def test_only_members_of_an_organisation_upload(app: Zhiliu) -> None:
    with pytest.raises(Forbidden):
        keep(PUBLIC)
    with pytest.raises(Invalid) as refusal:
        files.keep_upload(None, kind="other", subject="case", subject_id=7, actor=make_actor("bank"))
    assert refusal.value.code == "file.missing"
