"""Who lives in the demo market. All names, codes and accounts are made up and marked as demo."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask_security.utils import hash_password
from sqlalchemy import select
from stdnum.cn import uscc

from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.parties.models import Membership, Organisation, User

DOMAIN = "demo.zhiliu.example"


@dataclass(frozen=True)
class Member:
    """``login`` is the part before the @; ``role_zh``/``role_en`` say what this person does in the demo."""

    login: str
    name: str
    roles: tuple[str, ...]
    role_zh: str
    role_en: str

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"


@dataclass(frozen=True)
class House:
    key: str
    kind: str
    name: str
    name_en: str
    region: str
    members: tuple[Member, ...]


ALL = ("admin", "maker", "approver")
HOUSES = (
    House("platform", "platform", "知流平台（演示）", "Zhiliu platform (demo)", "420100", (
        Member("manager", "甲经理", ALL, "平台管理员", "platform manager"),
        Member("manager2", "乙经理", ALL, "平台管理员（复核）", "platform manager (second person)"),
    )),
    House("bank", "bank", "江汉示范银行（演示）", "Jianghan Model Bank (demo)", "420100", (
        Member("bank", "王经办", ALL, "银行经办", "bank, maker"),
        Member("bank2", "李复核", ALL, "银行复核", "bank, second person"),
    )),
    House("bidder", "operator", "光谷知产运营有限公司（演示）", "Optics Valley IP Operations (demo)", "420115", (
        Member("bidder", "赵竞买", ALL, "运营机构竞买人", "operating firm, bidder"),
    )),
    House("rival", "operator", "鄂州华容技术转移有限公司（演示）", "Huarong Technology Transfer (demo)", "420703", (
        Member("rival", "钱竞买", ALL, "另一竞买人", "another bidder"),
    )),
    House("enterprise", "enterprise", "江夏精密制造有限公司（演示）", "Jiangxia Precision (demo)", "420115", (
        Member("enterprise", "孙企业", ALL, "企业", "enterprise"),
    )),
    House("regulator", "regulator", "演示监管机构", "Regulator (demo)", "420000", (
        Member("regulator", "周监管", ("viewer",), "监管", "regulator, read only"),
    )),
)  # fmt: skip


def made_up_code(number: int) -> str:
    """A made-up unified social credit code with right check characters, under a region that is only a demo."""
    body = f"91420100DEM{number:05d}0"[:17].replace("O", "0")
    return body + uscc.calc_check_digit(body)


def settle(password: str) -> None:
    """Make the organisations and their members, once."""
    hashed = hash_password(password)
    for number, house in enumerate(HOUSES, 1):
        org = db.session.scalar(select(Organisation).where(Organisation.name == house.name))
        if org is None:
            org = Organisation(
                kind=house.kind, name=house.name, name_en=house.name_en, uscc=made_up_code(number),
                region_code=house.region, state="verified", verified_at=now(), demo=True, account_name=house.name,
                account_no=f"0000 0000 0000 {number:04d}", account_bank="演示银行（非真实银行）",
                contact_email=house.members[0].email,
            )  # fmt: skip
            db.session.add(org)
            db.session.flush()
        for member in house.members:
            user = db.session.scalar(select(User).where(User.email == member.email))
            if user is None:
                user = User(
                    email=member.email, display_name=member.name, password=hashed, active=True, confirmed_at=now(),
                    fs_uniquifier=uuid.uuid4().hex, demo=True,
                )  # fmt: skip
                db.session.add(user)
                db.session.flush()
                db.session.add(Membership(user_id=user.id, org_id=org.id, roles=list(member.roles), active=True))
            else:
                user.password = hashed
    db.session.flush()


def actor(login: str) -> Actor:
    """The demo person as the services see them."""
    row = db.session.execute(
        select(User, Membership, Organisation)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(User.email == f"{login}@{DOMAIN}")
    ).one()
    user, membership, org = row
    return Actor(
        user_id=user.id, org_id=org.id, org_kind=org.kind, org_verified=True, roles=frozenset(membership.roles)
    )
