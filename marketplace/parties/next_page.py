"""Where sign-in leads on to: a path of this site, or nothing. Whatever else stands in ``next`` is dropped without a
word, and sign-in ends at the desk: somebody else's link is no fault of the one who follows it."""

from __future__ import annotations

import re

from flask import request
from werkzeug.datastructures import ImmutableMultiDict

# one slash first; a second one, a backslash or a control character would lead a browser to another host
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def is_own_path(address: str) -> bool:
    """A path of this site, with its query, as our own links to the sign-in page carry it."""
    return _OWN_PATH.fullmatch(address) is not None


def drop_foreign_next() -> None:
    """Before the library reads ``next`` from the address or the form."""
    if request.blueprint != "security":
        return
    for name in ("args", "form"):
        values = getattr(request, name)
        if not all(map(is_own_path, values.getlist("next"))):
            kept = [(key, value) for key, value in values.items(multi=True) if key != "next"]
            setattr(request, name, ImmutableMultiDict(kept))
