"""One guard before every view against values that no row can hold.

PostgreSQL text has no NUL character and its integers end at 2^63 - 1; a lone surrogate cannot be written as
UTF-8. Rather than each form remembering that, such requests are refused here: ids in paths answer 404, values
answer 400 with ``bad_character``, a question longer than any page asks answers 414.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, NotFound, RequestURITooLarge
from werkzeug.routing import IntegerConverter, ValidationError

from marketplace.core.direct import this_request
from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _l

if TYPE_CHECKING:
    from marketplace import Zhiliu

MAX_BIGINT = 2**63 - 1
MAX_QUERY = 8192
#: Views that keep nothing of the question, read only its beginning and answer whatever it holds.
QUESTIONS = ("listings.public_list", "discovery.suggest")
MAX_QUESTION = 131_072
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RowId(IntegerConverter):
    """``<int:…>`` of every route: only numbers a BIGINT key can have, written in ASCII digits."""

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = super().to_python(value)
        if number > MAX_BIGINT:
            raise ValidationError
        return int(number)


def is_storable(text: str) -> bool:
    """No NUL and no lone surrogate."""
    return UNSTORABLE.search(text) is None


def bad_place(value: Any, where: str = "") -> str | None:
    """The path of the first unstorable text in parsed JSON (``items[3].name``), or None."""
    if isinstance(value, str):
        return None if is_storable(value) else where
    if isinstance(value, dict):
        for key, inner in value.items():
            if not is_storable(str(key)):
                return where or "?"
            if (found := bad_place(inner, f"{where}.{key}" if where else str(key))) is not None:
                return found
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if (found := bad_place(inner, f"{where}[{index}]")) is not None:
                return found
    return None


def refuse_character(field: str | None) -> None:
    raise Invalid([Problem("bad_character", _l("内容含有无法保存的字符，请删除后重试"), field)])


def check_texts(found: MultiDict[str, str]) -> None:
    for name, value in found.items(multi=True):
        if not is_storable(name) or not is_storable(value):
            refuse_character(name if is_storable(name) else None)


def check_request() -> None:
    """Refuse what cannot be stored, before anything looks at it."""
    asked = this_request()
    asks = asked.endpoint in QUESTIONS
    if len(asked.query_string) > (MAX_QUESTION if asks else MAX_QUERY):
        raise RequestURITooLarge
    if not is_storable(asked.path):
        raise NotFound
    if asked.query_string and not asks:
        check_texts(asked.args)
    if asked.method in ("GET", "HEAD", "OPTIONS"):
        return
    if asked.is_json:
        raw = asked.get_data(cache=True)
        if b"\\u" in raw or b"\x00" in raw:
            try:
                place = bad_place(asked.get_json(silent=True))
            except RecursionError:
                raise BadRequest from None
            if place is not None:
                refuse_character(place)
        return
    check_texts(asked.form)
    for name, file in asked.files.items(multi=True):
        if not is_storable(file.filename or ""):
            refuse_character(name)


def configure_guard(app: Zhiliu) -> None:
    app.url_map.converters["int"] = RowId
    app.before_request_funcs.setdefault(None, []).insert(1, check_request)  # after the request has its id
