"""How the source of a rule reads: ``网拍规定 art. 20`` is 网拍规定第 20 条 in Chinese and *Judicial online sale rules
(网拍规定) art. 20* in English.

The stored source is stable (the API gives it as it is); only pages put it into the reader's language. Laws keep their
Chinese short names beside the English ones, because that is how one finds them.
"""

from __future__ import annotations

import re

LAWS = {
    "网拍规定": "Judicial online sale rules",
    "拍变规定": "Rules on auction and sale in enforcement",
    "参考价规定": "Reference price rules",
    "担保解释": "Interpretation on security",
    "技术合同解释": "Interpretation on technology contracts",
    "专利纠纷规定": "Rules on patent disputes",
    "商标保全解释": "Interpretation on preservation of trade marks",
    "民诉解释": "Interpretation of the Civil Procedure Law",
    "民诉法": "Civil Procedure Law",
    "民法典": "Civil Code",
    "拍卖法": "Auction Law",
    "专利法实施细则": "Implementing rules of the Patent Law",
    "专利法": "Patent Law",
    "细则": "Implementing rules of the Patent Law",
    "商标法实施条例": "Trade Mark Regulations",
    "商标法": "Trade Mark Law",
    "著作权法": "Copyright Law",
    "软件条例": "Software Regulations",
    "布图设计条例": "Layout Design Regulations",
    "植物新品种保护条例": "Plant Variety Regulations",
    "集体商标、证明商标注册和管理办法": "Measures on collective and certification marks",
    "专利权质押登记办法": "Measures on patent pledge registration",
    "企业破产法": "Enterprise Bankruptcy Law",
    "企业国有资产法": "State-owned Assets Law",
    "电子商务法": "E-commerce Law",
    "电子签名法": "Electronic Signature Law",
    "32号令": "Order No. 32 on state-owned assets",
    "国资发产权规〔2025〕17号": "State assets transaction rules 2025 No. 17",
    "鄂知发〔2025〕17号": "Hubei IP finance guideline 2025 No. 17",
}
PHRASES = {
    "平台规则": "platform rule",
    "拍卖规则": "auction rules",
    "委托拍卖合同": "consignment contract",
    "质押合同": "pledge contract",
    "公告": "notice",
    "公告载明": "as the notice states",
    "公告通例": "usual practice of notices",
    "变卖实务": "practice of sell-offs",
    "法院问答实务口径": "practice stated by courts",
    "增价幅度": "increment",
    "加价幅度或其整数倍": "the increment or a multiple of it",
    "防止误报价": "against mistyped bids",
    "系统故障顺延": "time lost to faults is added",
    "候补买受人": "backup buyer",
    "候补买受人保证金留存至余款付清": "the backup buyer's deposit is kept until the balance is paid",
    "候补买受人确认期限": "time for the backup buyer to answer",
    "处置方及其关联方不得竞买": "the seller and its affiliates may not bid",
    "领先者无需再次出价": "the leader need not bid again",
    "委托人确定保留价": "the consignor sets the reserve",
    "不以“拍卖”名义": "not held out as an “auction”",
    "产权交易机构": "property rights exchange",
    "管理人变价方案": "administrator's realisation plan",
    "重新拍卖": "new auction",
    "沙盒": "sandbox",
    "未定期限": "sets no period",
    "修订": "revision",
    "未经核实": "not confirmed",
}
_WORDS = {zh: f"{en} ({zh})" for zh, en in LAWS.items()} | PHRASES
_KNOWN = re.compile("(" + "|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))) + ")")
#: A law's Chinese name behind its English one.
NAMED = re.compile(r"\((" + "|".join(map(re.escape, sorted(LAWS, key=len, reverse=True))) + r")\)")
_UNKNOWN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_MARKS = (
    ("（", " ("),
    ("）", ") "),
    ("；", "; "),
    ("，", ", "),
    ("、", ", "),
    ("。", "."),
    ("参照", "following "),
    ("依", "under "),
)
_ARTICLE = re.compile(r"\s*\barts?\. ?(\d+(?:(?:, ?|[-–])\d+)*)")
_CHINESE_ARTICLE = re.compile(r"第 ?(\d+(?:[、–-]\d+)*) ?条")


def in_chinese(source: str) -> str:
    """``网拍规定 art. 19, 21`` → ``网拍规定第 19、21 条``."""

    def article(found: re.Match[str]) -> str:
        return f"第 {re.sub(', ?', '、', found[1]).replace('-', '–')} 条"

    # a Chinese word that follows an article stands without a space
    return re.sub(r" 条 (?=[\u4e00-\u9fff])", " 条", _ARTICLE.sub(article, source))


def in_english(source: str) -> str:
    """``平台规则（参照拍卖法 art. 30）`` → ``Platform rule (following Auction Law (拍卖法) art. 30)``.
    A text with anything unknown in it (somebody's own words) stays as it is."""
    parts = _KNOWN.split(_CHINESE_ARTICLE.sub(lambda m: f" art. {m[1].replace('、', ', ')}", source))
    text = "".join(f" {_WORDS[part]} " if place % 2 else _plain(part) for place, part in enumerate(parts))
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\( ", "(", re.sub(r" ([,;.)])", r"\1", text))
    return source if _UNKNOWN.search(NAMED.sub("", text)) else text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """What stands between known words: marks in their Latin form, several articles as ``arts.``."""
    for mark, plain in _MARKS:
        text = text.replace(mark, plain)

    def articles(found: re.Match[str]) -> str:
        numbers = found[1].replace("-", "–")
        return f" {'art.' if numbers.isdigit() else 'arts.'} {numbers}"

    return _ARTICLE.sub(articles, text)


def source_text(source: str, language: str) -> str:
    """The source as a page in this language names it."""
    return in_english(source) if language == "en" else in_chinese(source)
