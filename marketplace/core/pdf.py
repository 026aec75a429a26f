"""PDF documents of the house: one quiet page in Chinese with English beside it, fonts embedded as subsets.

    paper = Paper("网络竞价成交记录", "Record of an online sale", made_at)
    paper.facts([("标的", "Lot", "一种发明专利")])
    paper.ledger(("序号", "金额"), rows, widths=(1, 3))
    content = paper.content()

The same input gives the same bytes, so a job that runs twice makes one document. Moments and amounts come in as
text; the caller decides what may be told.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pylopdf_fonts_zh_cn as fonts
import qrcode
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis
from fpdf.fonts import FontFace

SANS = "sans"
INK, MUTED, RULE, SHADE = (28, 34, 43), (106, 114, 125), (208, 213, 220), (244, 246, 248)
LEFT = 20.0  # millimetres, both sides


class Paper(FPDF):
    """An A4 document with a title in two languages, sections, fact lists, tables, page numbers."""

    def __init__(self, title: str, title_en: str, made_at: datetime, foot: str = "知流 Zhiliu") -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_creation_date(made_at)
        self.set_producer("Zhiliu")
        self.set_title(title)
        self.set_lang("zh-CN")
        self.set_margins(LEFT, 18, LEFT)
        self.set_auto_page_break(True, 20)
        self.add_font(SANS, "", fonts.sans_path())
        self.add_page()
        self._text(title, 18, align="C")
        self._text(title_en, 9, MUTED, align="C")
        self.ln(3)
        self._rule()

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(SANS, size=7.5)
        self.set_text_color(*MUTED)
        self.cell(self.epw / 2, 5, self.foot)
        self.cell(self.epw / 2, 5, f"{self.page_no()} / {{nb}}", align="R")

    def section(self, title: str, title_en: str = "", keep: float = 22) -> None:
        """A heading; it and the next ``keep`` millimetres stay on one page."""
        if self.will_page_break(keep):
            self.add_page()
        self.ln(4)
        self.set_font(SANS, size=11.5)
        self.set_text_color(*INK)
        width = self.get_string_width(title) + 3
        self.cell(width, 7, title)
        self.set_font(SANS, size=8)
        self.set_text_color(*MUTED)
        self.cell(0, 7.6, title_en, new_x="LMARGIN", new_y="NEXT")
        self.ln(0.5)

    def paragraph(self, text: str, small: bool = False) -> None:
        self._text(text, 8 if small else 10, MUTED if small else INK, leading=1.65)
        self.ln(1)

    def facts(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Rows of (Chinese label, English label, value)."""
        self.set_draw_color(*RULE)
        with self._grid((24, 76), TableBordersLayout.HORIZONTAL_LINES, headings=0) as grid:
            for label, label_en, value in rows:
                row = grid.row()
                row.cell(f"{label}\n{label_en}" if label_en else label, style=FontFace(size_pt=8, color=MUTED))
                row.cell(value or "—", style=FontFace(size_pt=9.5, color=INK))

    def ledger(
        self,
        head: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
        align: Sequence[str] | None = None,
    ) -> None:
        """A table whose head repeats on each page."""
        with self._grid(widths, TableBordersLayout.HORIZONTAL_LINES, 1, align) as grid:
            top = grid.row()
            for name in head:
                top.cell(name)
            for values in rows:
                row = grid.row()
                for value in values:
                    row.cell(value)

    def hashes(self, rows: Iterable[tuple[str, str]], link: str = "") -> None:
        """Label and hash in small print; with ``link`` its QR code beside them."""
        rows = list(rows)
        height = max(5.0 * len(rows), 30.0 if link else 0.0)
        if self.will_page_break(height + 4):
            self.add_page()
        top = self.get_y() + 1
        width = self.epw - (36 if link else 0)
        for number, (label, value) in enumerate(rows):
            self.set_xy(LEFT, top + 5 * number)
            self.set_font(SANS, size=7.5)
            self.set_text_color(*MUTED)
            self.cell(28, 5, label)
            self.set_text_color(*INK)
            self.set_font("Courier", size=7.5)
            self.cell(width - 28, 5, value)
        if link:
            self.image(_qr(link), x=LEFT + self.epw - 30, y=top, w=30, alt_text=link)
        self.set_y(top + height + 1)

    def content(self) -> bytes:
        return bytes(self.output())

    def _grid(
        self,
        widths: Sequence[float],
        borders: TableBordersLayout,
        headings: int = 1,
        align: Sequence[str] | None = None,
    ) -> Any:
        self.set_font(SANS, size=8.5)
        self.set_text_color(*INK)
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        return self.table(
            col_widths=tuple(widths),
            borders_layout=borders,
            first_row_as_headings=headings > 0,
            num_heading_rows=headings,
            headings_style=FontFace(emphasis=TextEmphasis.NONE, fill_color=SHADE, color=MUTED, size_pt=8),
            line_height=4.6,
            padding=1.1,
            text_align=tuple(align) if align else "LEFT",
        )

    def _text(
        self,
        text: str,
        size: float,
        colour: tuple[int, int, int] = INK,
        align: str = "L",
        leading: float = 1.4,
    ) -> None:
        self.set_font(SANS, size=size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.3528 * leading, text, align=align, new_x="LMARGIN", new_y="NEXT")

    def _rule(self) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.3)
        self.line(LEFT, self.get_y(), LEFT + self.epw, self.get_y())
        self.ln(3)


def _qr(link: str) -> io.BytesIO:
    code = qrcode.QRCode(border=1, box_size=6)
    code.add_data(link)
    out = io.BytesIO()
    code.make_image().save(out)
    out.seek(0)
    return out
