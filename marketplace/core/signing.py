"""The platform's Ed25519 key: signs bid receipts and the head of each sale's course."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app

if TYPE_CHECKING:
    from marketplace import Zhiliu


def configure_signing(app: Zhiliu) -> None:
    from marketplace.core.settings import SettingsRefused

    try:
        key = serialization.load_pem_private_key(app.settings.signing_key_file.read_bytes(), None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsRefused(f"SIGNING_KEY_FILE: {app.settings.signing_key_file} is not an Ed25519 key in PEM form")
    app.extensions["signing_key"] = key


def new_key_file(path: Path) -> None:
    """Write a new private key, readable by its owner only; an existing file is kept (FileExistsError)."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def sign_raw(payload: bytes) -> bytes:
    """The 64 bytes of the Ed25519 signature over ``payload``."""
    key: Ed25519PrivateKey = current_app.extensions["signing_key"]
    return key.sign(payload)


def sign(payload: bytes) -> str:
    """The signature in base64."""
    return base64.b64encode(sign_raw(payload)).decode()


def public_key_pem() -> str:
    return _pem(current_app.extensions["signing_key"])


@lru_cache(maxsize=8)
def _pem(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
