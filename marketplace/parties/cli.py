"""Commands for what no page may do: the first manager, platform and regulator, a lost second factor."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from marketplace.core.actor import MEMBER_ROLES, ORG_KINDS, PLATFORM, Actor
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError, Invalid
from marketplace.core.events import record
from marketplace.parties import members, organisations, second_factor
from marketplace.parties.models import Membership, Organisation, User

cli = AppGroup("parties", help="Organisations and the people who act for them.")
COMMAND = Actor(via="command")


def fail(error: DomainError) -> click.ClickException:
    lines = [
        f"{p.field or '-'}: {str(p.message) % p.params if p.params else p.message} [{p.code}]" for p in error.problems
    ]
    return click.ClickException("\n".join(lines))


def join(user: User, org: Organisation, roles: list[str]) -> Membership:
    """The membership with these roles; an existing one gets them."""
    row = db.session.scalar(select(Membership).where(Membership.user_id == user.id, Membership.org_id == org.id))
    if row is None:
        row = Membership(user_id=user.id, org_id=org.id, roles=roles, active=True)
        db.session.add(row)
    row.roles, row.active = roles, True
    db.session.flush()
    record("member.joined", "organisation", org.id, COMMAND, user_id=user.id, membership_id=row.id)
    return row


def platform_org() -> Organisation:
    org = db.session.scalar(select(Organisation).where(Organisation.kind == PLATFORM).order_by(Organisation.id))
    if org is None:
        org = Organisation(kind=PLATFORM, name="知流平台", state="verified")
        db.session.add(org)
        db.session.flush()
        record("organisation.registered", "organisation", org.id, COMMAND, organisation_kind=PLATFORM)
    return org


def person(email: str, name: str, password: str | None) -> User:
    """The account with this address, made when there is none; its address counts as confirmed."""
    address = members.clean_email(email)
    user = members.user_by_email(address)
    if user is not None:
        return user
    secret = password or click.prompt("Password / 密码", hide_input=True, confirmation_prompt=True)
    return members.new_user(address, name or address.partition("@")[0], secret, "zh", confirmed=True)


@cli.command("create-manager")
@click.argument("email")
@click.option("--name", default="", help="The person's name.")
@click.option("--password", default=None, help="Asked for when not given.")
def create_manager(email: str, name: str, password: str | None) -> None:
    """Make EMAIL a manager of the platform (with the platform itself, the first time)."""
    try:
        with unit_of_work():
            user = person(email, name, password)
            join(user, platform_org(), ["admin", "maker", "approver"])
            address = user.email
    except DomainError as error:
        raise fail(error) from None
    click.echo(f"{address} is a manager; the first sign-in asks to set up an authenticator / 首次登录须设置验证器")


@cli.command("create-org")
@click.argument("kind", type=click.Choice(ORG_KINDS))
@click.argument("name")
@click.argument("uscc")
@click.option("--verified", is_flag=True, help="Verified at once.")
def create_org(kind: str, name: str, uscc: str, verified: bool) -> None:
    """Make an organisation of any KIND, also platform and regulator."""
    try:
        with unit_of_work():
            data = organisations.OrgData(name=name, uscc=uscc)
            org = organisations.create_org(kind, data, None, COMMAND, by_command=True)
            if verified:
                org.state = "submitted"
                db.session.flush()
                organisations.verify_org(org.id, COMMAND)
            org_id = org.id
    except DomainError as error:
        raise fail(error) from None
    click.echo(f"organisation {org_id}")


@cli.command("add-member")
@click.argument("org_id", type=int)
@click.argument("email")
@click.option("--role", "roles", multiple=True, type=click.Choice(MEMBER_ROLES), default=("viewer",))
@click.option("--name", default="", help="The person's name.")
@click.option("--password", default=None, help="Asked for when the account is new and this is not given.")
def add_member(org_id: int, email: str, roles: tuple[str, ...], name: str, password: str | None) -> None:
    """Make EMAIL a member of organisation ORG_ID with these roles."""
    try:
        with unit_of_work():
            org = organisations.lock_org(org_id)
            user = person(email, name, password)
            join(user, org, members.clean_roles(roles))
            said = f"{user.email} → {org.name}"
    except DomainError as error:
        raise fail(error) from None
    click.echo(said)


@cli.command("reset-two-factor")
@click.argument("email")
def reset_two_factor(email: str) -> None:
    """Forget EMAIL's authenticator and recovery codes and end their sessions, after checking who asks."""
    from marketplace.parties.sign_in import sign_out_everywhere

    try:
        with unit_of_work():
            user = members.user_by_email(email)
            if user is None:
                raise Invalid([members.Problem("user_unknown", "no such account / 没有这个账号", "email")])
            second_factor.reset_second_factor(user)
            sign_out_everywhere(user.id)
            record("user.second_factor_reset", "user", user.id, COMMAND)
    except DomainError as error:
        raise fail(error) from None
    click.echo(f"{email}: reset")
