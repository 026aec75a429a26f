"""Imports every room's tables, for migrations and the application factory."""

from marketplace.auctions import models as auctions
from marketplace.cases import models as cases
from marketplace.core import models as core
from marketplace.discovery import models as discovery
from marketplace.interest import models as interest
from marketplace.listings import models as listings
from marketplace.money import models as money
from marketplace.parties import models as parties
from marketplace.rights import models as rights

__all__ = ["auctions", "cases", "core", "discovery", "interest", "listings", "money", "parties", "rights"]
