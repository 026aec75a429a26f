"""What may be uploaded: told by the bytes, whatever the name says."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.file_types import (
    CSV,
    DOCX,
    EXTENSIONS,
    JPEG,
    MAX_NAME,
    PDF,
    PNG,
    TIFF,
    TXT,
    XLSX,
    FileRefused,
    check_file,
    clean_name,
)


def pdf(body: bytes = b"1 0 obj<</Type/Catalog>>endobj\n") -> bytes:
    return b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def object_stream(inner: bytes, extra: bytes = b"") -> bytes:
    packed = zlib.compress(inner)
    return b"5 0 obj<</Type/ObjStm/Filter/FlateDecode%s/Length %d>>stream\n%s\nendstream endobj\n" % (
        extra,
        len(packed),
        packed,
    )


def png_part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 1, height: int = 1, tail: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_part(b"IHDR", head)
        + png_part(b"IDAT", zlib.compress(b"\0\0"))
        + png_part(b"IEND", b"")
        + tail
    )


def jpeg(tail: bytes = b"", note: bytes = b"x") -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 1, 1, 1) + b"\x01\x11\x00"
    comment = b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note
    return b"\xff\xd8" + comment + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12" + b"\xff\xd9" + tail


def office(part: str = "word/document.xml", **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr(part, b"<w/>")
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb() -> bytes:
    return office(**{"word/media/a.bin": b"\0" * (40 * 2**20)})


TIFF_BYTES = b"II*\x00\x08\x00\x00\x00" + b"\x00" * 10
GOOD = [
    (pdf(), PDF),
    (pdf(object_stream(b"1 0 <</Type/Pages>>")), PDF),
    (png(), PNG),
    (jpeg(), JPEG),
    (TIFF_BYTES, TIFF),
    (office(), DOCX),
    (office("xl/workbook.xml"), XLSX),
    ("名称,号码\n水泵,ZL95115608.X\n".encode(), TXT),
    ("名称,号码\n水泵,ZL95115608.X\n".encode("gb18030"), TXT),
    ("a < b 且 c > d".encode("utf-16"), TXT),
]


@pytest.mark.parametrize(("content", "media_type"), GOOD)
def test_the_type_is_told_by_the_bytes_and_the_name_follows(content: bytes, media_type: str) -> None:
    checked = check_file(content, "合同.exe")
    assert checked.media_type == media_type
    assert checked.filename == "合同" + EXTENSIONS[media_type][0]


def test_only_text_called_csv_is_a_table() -> None:
    assert check_file(b"a,b\n1,2\n", "rows.CSV").media_type == CSV
    assert check_file(pdf(), "rows.csv").media_type == PDF


HTML = b"<html><script>alert(1)</script></html>"
BAD = [
    ("empty", b"", "file.empty"),
    ("page named pdf", HTML, "file.markup"),
    ("page after blanks", b"\n \n<!DOCTYPE html><p>", "file.markup"),
    ("page in the midst of text", b"hello <script src=x>", "file.markup"),
    ("page in utf-16", "<svg onload=1>".encode("utf-16"), "file.markup"),
    ("drawing", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "file.markup"),
    ("program", b"MZ\x90\x00\x03\x00", "file.type_unknown"),
    ("elf program", b"\x7fELF\x02\x01\x01\x00", "file.type_unknown"),
    ("old office file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file.type_unknown"),
    ("gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "file.type_unknown"),
    ("postscript", b"%!PS-Adobe-3.0", "file.type_unknown"),
    ("cut pdf", b"%PDF-1.7\n1 0 obj", "file.damaged"),
    ("pdf with a script", pdf(b"1 0 obj<</S/JavaScript/JS(x)>>endobj\n"), "file.active"),
    ("pdf with a written-around script", pdf(b"1 0 obj<</S/Java#53cript/JS(x)>>endobj\n"), "file.active"),
    ("pdf with a packed script", pdf(object_stream(b"1 0 <</S/JavaScript/JS(x)>>")), "file.active"),
    ("pdf that starts a program", pdf(b"1 0 obj<</S /Launch /F(x)>>endobj\n"), "file.active"),
    ("pdf with a file inside", pdf(b"1 0 obj<</Type/EmbeddedFile>>endobj\n"), "file.active"),
    ("pdf with a password", pdf(b"1 0 obj<</Encrypt 4 0 R>>endobj\n"), "file.encrypted"),
    ("pdf hiding objects in a predictor", pdf(object_stream(b"x", b"/DecodeParms<</Predictor 12>>")), "file.damaged"),
    ("pdf that is a page too", pdf(b"<html><body>\n"), "file.mixed"),
    ("pdf that is an archive too", pdf(office()), "file.mixed"),
    ("picture with an archive after it", png(tail=office()), "file.mixed"),
    ("picture with a page after it", png(tail=HTML), "file.mixed"),
    ("broken picture", png()[:-6], "file.damaged"),
    ("vast picture", png(60000, 60000), "file.image_too_large"),
    ("photo with a page after it", jpeg(HTML), "file.mixed"),
    ("photo with a page in its comment", jpeg(note=b"<script>1</script>"), "file.mixed"),
    ("photo without picture", b"\xff\xd8\xff\xd9", "file.damaged"),
    ("scan that points outside", b"II*\x00\xff\xff\xff\x00" + b"\0" * 8, "file.damaged"),
    ("archive that is no document", office("readme.txt"), "file.type_unknown"),
    ("zip bomb", bomb(), "file.bomb"),
    ("macros", office(**{"word/vbaProject.bin": b"x"}), "file.active"),
    ("macro sheet", office("xl/workbook.xml", **{"xl/macrosheets/s1.xml": b"x"}), "file.active"),
    ("program inside", office(**{"word/embeddings/a.exe": b"x"}), "file.active"),
    ("path that climbs", office(**{"../../etc/cron.d/x": b"x"}), "file.damaged"),
    ("archive cut off", office()[:-30], "file.damaged"),
    ("archive with something in front", b"PK\x03\x04" + b"\0" * 40 + office(), "file.mixed"),
    (
        "linked template",
        office(**{"word/_rels/s.rels": b'<R Type="x/attachedTemplate" TargetMode="External"/>'}),
        "file.active",
    ),
]


@pytest.mark.parametrize(("content", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.parametrize("name", ["合同.pdf", "x.txt"])
def test_unsafe_or_unknown_files_are_refused(content: bytes, code: str, name: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        check_file(content, name)
    assert refusal.value.code == code


def test_real_office_files_and_pdfs_pass() -> None:
    """Made by the libraries people use, not by this test."""
    from fpdf import FPDF
    from openpyxl import Workbook

    page = FPDF()
    page.add_page()
    out = io.BytesIO()
    Workbook().save(out)
    assert check_file(bytes(page.output()), "a").media_type == PDF
    assert check_file(out.getvalue(), "a").media_type == XLSX


@settings(max_examples=300)
@given(content=st.one_of(st.binary(max_size=400), st.sampled_from([row[0] for row in GOOD])), cut=st.integers(0, 400))
def test_any_bytes_are_told_or_refused_and_never_a_page(content: bytes, cut: int) -> None:
    for data in (content, content[:cut], content + content[:cut]):
        try:
            checked = check_file(data, "f.html")
        except FileRefused:
            continue
        assert checked.media_type in EXTENSIONS
        assert checked.filename.endswith(EXTENSIONS[checked.media_type])


@settings(max_examples=400)
@given(name=st.text(max_size=300), media_type=st.sampled_from(list(EXTENSIONS)))
def test_names_are_harmless_and_cleaning_again_changes_nothing(name: str, media_type: str) -> None:
    clean = clean_name(name, media_type)
    assert 1 < len(clean) <= MAX_NAME and clean.endswith(EXTENSIONS[media_type])
    assert not set(clean) & set('/\\<>:"|?*\r\n\0\u202e\u2066\u200b')
    assert not clean.startswith(".")
    assert clean_name(clean, media_type) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\scans\\合同.PDF", "合同.pdf"),
        ("a\u202efdp.exe", "afdp.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("", "file.pdf"),
        (".pdf", "file.pdf"),
        ("专利证书.jpeg", "专利证书.pdf"),
    ],
)
def test_names_of_uploads(name: str, clean: str) -> None:
    assert clean_name(name, PDF) == clean
