"""What a file is, told by its bytes and never by its name; and whether it is safe to keep (pure, no database).

Accepted: PDF, PNG, JPEG, TIFF, DOCX, XLSX, CSV, TXT. Refused: everything else, and what could act by itself
when opened (scripts and embedded files in a PDF, macros and linked templates in an office file).
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PDF, PNG, JPEG, TIFF = "application/pdf", "image/png", "image/jpeg", "image/tiff"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV, TXT = "text/csv", "text/plain"
EXTENSIONS = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    TIFF: (".tif", ".tiff"),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
    CSV: (".csv",),
    TXT: (".txt",),
}
MAX_INFLATED = 256 * 1024 * 1024
MAX_RATIO = 200  # office text packs up to some 50 to 1; bombs 1000 to 1
MAX_PARTS = 5000
MAX_PIXELS = 250_000_000
MAX_NAME = 120


class FileRefused(ValueError):
    """The bytes may not be kept; ``code`` is stable, ``params`` belong to its text in ``core.files``."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its true media type and a harmless name with the extension of that type."""

    media_type: str
    filename: str


def check_file(content: bytes, name: str) -> Checked:
    """Tell the type of ``content`` and refuse what is unsafe.

    Codes: file.empty, file.type_unknown, file.damaged, file.mixed (one file that is two), file.markup,
    file.active, file.encrypted, file.bomb, file.image_too_large.
    """
    if not content:
        raise FileRefused("file.empty")
    for starts, check in _CHECKS:
        if content.startswith(starts):
            media_type = check(content)
            break
    else:
        media_type = _text(content, name)
    return Checked(media_type, clean_name(name, media_type))


def clean_name(name: str, media_type: str) -> str:
    """A name without folders, control or direction marks, at most 120 characters, ending as its type does."""
    base = unicodedata.normalize("NFC", name or "").replace("\\", "/").rsplit("/", 1)[-1]
    base = "".join(sign for sign in base if unicodedata.category(sign)[0] != "C")
    base = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*%;\u2028\u2029]', "_", base)).rstrip(" .")
    endings = EXTENSIONS.get(media_type, ("",))
    stem, dot, ending = base.rpartition(".")
    told = re.fullmatch(r"(?i)(?=.*[a-z])[a-z0-9]{1,5}", ending) if dot else None
    stem = stem if told else base
    ending = f".{ending.lower()}" if told and f".{ending.lower()}" in endings else endings[0]
    stem = stem.strip(" .")
    if re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", stem):
        stem = f"_{stem}"
    return (stem[: MAX_NAME - len(ending)].strip(" .") or "file") + ending


# --- PDF

_PDF_ACTIVE = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|ImportData|SubmitForm)(?=[\s/<>\[\](){}%]|$)"
)
_PDF_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_STREAM = re.compile(rb"(?<!end)stream\r?\n")


def _pdf(content: bytes) -> str:
    """Names are compared after undoing their #xx escapes, also inside compressed object streams."""
    if b"%%EOF" not in content[-2048:] or not re.match(rb"%PDF-[12]\.\d", content):
        raise FileRefused("file.damaged")
    if b"PK\x05\x06" in content[-66000:] or re.match(rb"(?is).{0,1024}<(html|script|svg|!doctype)", content):
        raise FileRefused("file.mixed")
    plain = _unescaped(content)
    _refuse_active(plain)
    if re.search(rb"/Encrypt[\s/<]", plain):
        raise FileRefused("file.encrypted")
    left = MAX_INFLATED
    for match in _PDF_STREAM.finditer(content):
        begin = max(content.rfind(b"obj", 0, match.start()), match.start() - 65536, 0)
        described = _unescaped(content[begin : match.start()])
        if b"/ObjStm" in described:
            left -= _object_stream(content, match.end(), described, left)
    return PDF


def _object_stream(content: bytes, start: int, described: bytes, limit: int) -> int:
    """Look inside a compressed object stream; returns how many bytes it holds."""
    if b"/Filter" not in described:
        return 0  # not compressed: already looked at
    if b"/Predictor" in described or b"/ASCII" in described or b"/LZW" in described:
        raise FileRefused("file.damaged")
    unpacker = zlib.decompressobj()
    try:
        inner = unpacker.decompress(content[start:], limit + 1)
    except zlib.error:
        raise FileRefused("file.damaged") from None
    if len(inner) > limit:
        raise FileRefused("file.bomb")
    _refuse_active(_unescaped(inner))
    return len(inner)


def _unescaped(raw: bytes) -> bytes:
    return _PDF_ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), raw)


def _refuse_active(plain: bytes) -> None:
    found = _PDF_ACTIVE.search(plain)
    if found:
        raise FileRefused("file.active", found=found[1].decode())


# --- pictures


def _png(content: bytes) -> str:
    """Every part with a right checksum, and nothing after the last."""
    place, first = 8, True
    while True:
        length = int.from_bytes(content[place : place + 4], "big")
        kind, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        checksum = content[place + 8 + length : place + 12 + length]
        if len(checksum) != 4 or zlib.crc32(kind + body) != int.from_bytes(checksum, "big"):
            raise FileRefused("file.damaged")
        if first:
            if kind != b"IHDR" or length != 13:
                raise FileRefused("file.damaged")
            _refuse_vast(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
        first = False
        place += 12 + length
        if kind == b"IEND":
            break
    if content[place:].strip(b"\0\r\n "):
        raise FileRefused("file.mixed")
    return PNG


def _jpeg(content: bytes) -> str:
    """A frame header before the scan, an end mark at the end, and no archive or page hidden inside."""
    place, framed = 2, False
    while content[place : place + 1] == b"\xff" and content[place + 1 : place + 2] != b"\xda":
        marker, length = content[place + 1 : place + 2], int.from_bytes(content[place + 2 : place + 4], "big")
        if marker == b"\xff":  # fill byte
            place += 1
            continue
        if length < 2:
            raise FileRefused("file.damaged")
        if marker[0] in range(0xC0, 0xD0) and marker[0] not in (0xC4, 0xC8, 0xCC):
            frame = content[place + 4 : place + 2 + length]
            _refuse_vast(int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"))
            framed = True
        place += 2 + length
    if not framed or content[place : place + 2] != b"\xff\xda":
        raise FileRefused("file.damaged")
    end = content.rfind(b"\xff\xd9")
    if end < place:
        raise FileRefused("file.damaged")
    if content[end + 2 :].strip(b"\0\r\n ") or b"PK\x05\x06" in content[-66000:]:
        raise FileRefused("file.mixed")
    if re.search(rb"(?i)<(html|script|svg|iframe)[\s>/]|%PDF-1", content):
        raise FileRefused("file.mixed")
    return JPEG


def _tiff(content: bytes) -> str:
    order = "little" if content[:2] == b"II" else "big"
    first = int.from_bytes(content[4:8], order)  # type: ignore[arg-type]
    if len(content) < 14 or not 8 <= first <= len(content) - 6:
        raise FileRefused("file.damaged")
    if b"PK\x05\x06" in content[-66000:]:
        raise FileRefused("file.mixed")
    return TIFF


def _refuse_vast(width: int, height: int) -> None:
    if not width or not height:
        raise FileRefused("file.damaged")
    if width * height > MAX_PIXELS:
        raise FileRefused("file.image_too_large", width=width, height=height)


# --- office files

_ACTIVE_PART = re.compile(
    r"(?i)vbaproject|vbadata|activex|macrosheet|oleobject|\.(exe|dll|js|vbs|bat|cmd|ps1|hta|scr)$"
)


def _office(content: bytes) -> str:
    """An Office Open XML document: right parts, no macros, no controls, bounded size when unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _office_parts(archive, len(content))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError) as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused("file.damaged") from None


def _office_parts(archive: zipfile.ZipFile, size: int) -> str:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    inflated = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or inflated > MAX_INFLATED or (inflated > 2**20 and inflated > size * MAX_RATIO):
        raise FileRefused("file.bomb")
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("file.encrypted")
    if archive.comment or len(set(names)) != len(names) or min(part.header_offset for part in parts) != 0:
        raise FileRefused("file.mixed")
    if any(name.startswith("/") or ".." in name.split("/") or "\\" in name for name in names):
        raise FileRefused("file.damaged")
    found = next((name for name in names if _ACTIVE_PART.search(name)), None)
    if found:
        raise FileRefused("file.active", found=found.rsplit("/", 1)[-1][:60])
    if "[Content_Types].xml" not in names:
        raise FileRefused("file.type_unknown")
    media_type = DOCX if "word/document.xml" in names else XLSX if "xl/workbook.xml" in names else None
    if media_type is None:
        raise FileRefused("file.type_unknown")
    if archive.testzip() is not None:  # sizes above bound what this unpacks
        raise FileRefused("file.damaged")
    for name in names:
        if name == "[Content_Types].xml" or name.endswith(".rels"):
            text = archive.read(name).replace(b"\0", b"")
            if (
                b"macroEnabled" in text
                or b"vbaProject" in text
                or (b"attachedTemplate" in text and b"External" in text)
            ):
                raise FileRefused("file.active", found=name.rsplit("/", 1)[-1][:60])
    return media_type


# --- text

_MARKUP = re.compile(
    r"(?i)^\s*<[!?a-z]|<(html|script|svg|iframe|body|object|embed|meta|img|style|link|form)[\s>/]|\bon(?:error|load)\s*="
)


def _text(content: bytes, name: str) -> str:
    """Plain text in UTF-8, GB18030 or marked UTF-16; nothing a browser could take for a page."""
    text = _decoded(content)
    if text is None or re.search(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]", text):
        raise FileRefused("file.type_unknown")
    if _MARKUP.search(text):
        raise FileRefused("file.markup")
    if text.lstrip("\ufeff \r\n\t").startswith(("%PDF", "%!PS", "{\\rtf", "MZ")):
        raise FileRefused("file.type_unknown")
    return CSV if name.lower().endswith(".csv") else TXT


def _decoded(content: bytes) -> str | None:
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


_CHECKS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes], str]], ...] = (
    (b"%PDF-", _pdf),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    ((b"II*\x00", b"MM\x00*"), _tiff),
    (b"PK\x03\x04", _office),
)
