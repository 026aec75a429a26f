"""The platform's signature on receipts and courses, in the form that ``tools/verify_sale.py`` reads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from marketplace.auctions.rules.chain import canonical, key_id, receipt_document, receipt_payload
from marketplace.auctions.rules.course import head_payload, with_signature
from marketplace.auctions.rules.state import Entry
from marketplace.auctions.sale import Sale
from marketplace.core import signing


@lru_cache(maxsize=8)
def _raw(pem: str) -> bytes:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("the platform signs with Ed25519")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_key() -> bytes:
    """The 32 raw bytes of the platform's public key."""
    return _raw(signing.public_key_pem())


def receipt_of(sale: Sale, entry: Entry, key: bytes) -> dict[str, Any]:
    """What a receipt says about a bid's entry."""
    return receipt_payload(
        lot_code=sale.code,
        round_no=sale.round_no,
        seq=entry.seq,
        code=entry.body["code"],
        amount_minor=entry.body["amount_minor"],
        currency=sale.currency,
        at=entry.at,
        prev_hash=entry.prev_hash,
        hash=entry.hash,
        key_id=key_id(key),
    )


def sign_receipt(sale: Sale, entry: Entry) -> tuple[dict[str, Any], str]:
    """The bidder's receipt, and what is stored of it: ``key id:signature``."""
    key = public_key()
    payload = receipt_of(sale, entry, key)
    signature = signing.sign_raw(canonical(payload))
    return receipt_document(payload, key, signature), f"{key_id(key)}:{signature.hex()}"


def stored_receipt(sale: Sale, entry: Entry, stored: str | None) -> dict[str, Any] | None:
    """The same receipt again; None when it was signed by a key that is no longer the platform's."""
    key = public_key()
    name, _, value = (stored or "").partition(":")
    if name != key_id(key):
        return None
    return receipt_document(receipt_of(sale, entry, key), key, bytes.fromhex(value))


def sign_course(document: dict[str, Any]) -> dict[str, Any]:
    """The course with the platform's signature over its head."""
    key = public_key()
    return with_signature(document, key, signing.sign_raw(head_payload(document, key)))
