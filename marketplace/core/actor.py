"""Who acts. The edge makes one Actor per request, job or command and hands it to services."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.core.errors import Forbidden

BANK, OPERATOR, ENTERPRISE, PLATFORM, REGULATOR = "bank", "operator", "enterprise", "platform", "regulator"
ORG_KINDS = (BANK, OPERATOR, ENTERPRISE, PLATFORM, REGULATOR)

# what a member may do inside the organisation; a second person needs a different member with `approver`
MEMBER_ROLES = ("admin", "maker", "approver", "viewer")


@dataclass(frozen=True)
class Actor:
    """``via`` is page, api, job or command. ``roles`` are member roles; ``scopes`` bound an API token."""

    user_id: int | None = None
    org_id: int | None = None
    org_kind: str | None = None
    org_verified: bool = False
    roles: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    via: str = "page"
    token_id: int | None = None

    @property
    def is_manager(self) -> bool:
        """A member of the platform who is more than a viewer."""
        return self.org_kind == PLATFORM and bool(self.roles & {"admin", "maker", "approver"})

    @property
    def is_system(self) -> bool:
        return self.via in ("job", "command")

    def may(self, role: str) -> bool:
        """Has the member role, or is the system itself."""
        return self.is_system or role in self.roles

    def require(self, role: str) -> None:
        """Refuse with ``role_needed`` unless the actor has the member role."""
        if not self.may(role):
            from marketplace.core.i18n import _l

            raise Forbidden("role_needed", _l("您没有执行此操作的权限"), role=role)


SYSTEM = Actor(via="job")
PUBLIC = Actor()
