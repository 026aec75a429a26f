"""Two people act on one organisation at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.parties import locking, members
from marketplace.parties.models import Membership, User
from tests.factories.parties import make_actor, make_org, make_user


def together(app: Zhiliu, *acts: Callable[[], object]) -> list[str]:
    """Run the acts at once, each in its own unit of work; "done" or the code of its refusal."""
    barrier, answers = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with unit_of_work():
                    act()
                answers.append("done")
            except DomainError as error:
                answers.append(error.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return sorted(answers)


def test_an_invitation_accepted_twice_at_once_is_accepted_once(app: Zhiliu) -> None:
    actor = make_actor("operator")
    _invitation, secret = members.invite("new@example.cn", ["maker"], actor)
    user_id = make_user(email="new@example.cn").id
    db.session.commit()

    def accept() -> None:
        members.accept_invitation(secret, db.session.get_one(User, user_id), actor)

    assert together(app, *[accept] * 4) == ["done"] + ["invitation_void"] * 3
    assert db.session.scalar(select(func.count()).where(Membership.user_id == user_id)) == 1


@pytest.mark.parametrize("how", ["deactivate", "change_roles"])
def test_two_administrators_cannot_remove_each_other(app: Zhiliu, how: str) -> None:
    org = make_org()
    first, second = make_actor(org=org), make_actor(org=org)
    rows = {row.user_id: row.id for row, _user in members.members_of(org.id)}
    db.session.commit()

    def remove(target: int | None, actor: object) -> Callable[[], object]:
        row_id = rows[target or 0]
        if how == "deactivate":
            return lambda: members.deactivate(row_id, actor)  # type: ignore[arg-type]
        return lambda: members.change_roles(row_id, ["viewer"], actor)  # type: ignore[arg-type]

    answers = together(app, remove(second.user_id, first), remove(first.user_id, second))
    assert answers == ["done", "last_admin"]


def test_wrong_passwords_at_once_are_all_counted(app: Zhiliu) -> None:
    user_id = make_user().id
    together(app, *[lambda: locking.note_failure(user_id)] * 6)
    assert db.session.scalar(select(User.failed_sign_ins).where(User.id == user_id)) == 6
    assert locking.locked(user_id)
