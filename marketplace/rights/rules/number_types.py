"""What reading a number gives: a parsed number, or a typed refusal; and the Chinese text of each code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Refusals: the writing cannot be this number. Templates take the refusal's params.
REFUSALS: dict[str, str] = {
    "number.empty": "请填写号码",
    "number.too_long": "号码过长（%(length)s 个字符，最多 %(max)s 个）",
    "number.several": "一栏只能填写一个号码",
    "number.characters": "号码中有不能识别的字符“%(character)s”",
    "number.other_kind": "这是%(family)s，不是%(kind)s的号码",
    "number.unreadable": "不能识别为%(kind)s的号码",
    "patent.length": "专利号应为 13 位（2003 年 10 月以前为 9 位），含末位校验位；这里有 %(length)s 位",
    "patent.check_digit_missing": "专利号缺少小数点后的校验位",
    "patent.year": "专利号中的年份 %(year)s 不成立",
    "patent.type": "专利号中的种类数字 %(digit)s 不成立，应为 1、2、3、8 或 9",
    "patent.check_digit": "专利号校验位不符：末位是 %(found)s，按前面各位计算应为 %(expected)s，请核对每一位",
    "patent.type_mismatch": "号码中的种类数字 %(digit)s 表示%(found)s，与所选的%(kind)s不一致",
    "publication.length": "公开（公告）号应为 CN 加 7 位或 9 位数字和种类字母；这里有 %(length)s 位数字",
    "publication.unmarked": "9 位数字看似公开号，请补上 CN 和末尾的种类字母（如 A、B、U、S）",
    "software.format": "软件著作权登记号应为年份、SR 和 6 位或 7 位数字，例如 2020SR0109251",
    "software.year": "登记号中的年份 %(year)s 不成立",
    "plant.length": "品种权号应为 CNA 加 11 位数字；这里有 %(length)s 位",
    "plant.year": "品种权号中的年份 %(year)s 不成立",
    "trademark.class": "商品和服务类别应为 1 至 45，这里是 %(found)s",
    "uscc.length": "统一社会信用代码应为 18 位；这里有 %(length)s 位",
    "uscc.characters": "统一社会信用代码前 8 位应为数字，其后只用数字和大写字母，且不用 I、O、Z、S、V",
    "uscc.check_digit": "统一社会信用代码校验位不符，请核对每一位",
}

#: Warnings: the number is kept, a person should look.
WARNINGS: dict[str, str] = {
    "number.format_unconfirmed": "此类号码的格式未经官方确认，请与证书核对",
    "number.no_register": "此类权利没有全国统一的登记号",
    "number.foreign": "外国或境外号码，未核对校验位",
    "patent.zl_on_application": "“ZL”只用于已授权的专利，而所选的是专利申请权",
    "publication.kind_letter_missing": "公开（公告）号末尾缺少种类字母，不能区分申请公布与授权公告",
    "publication.kind_letter_unknown": "公开（公告）号末尾的种类字母不常见，请核对",
    "publication.kind_mismatch": "公开（公告）号表示的专利类型与所选的不一致",
    "publication.first_digit": "公开（公告）号首位数字与种类字母不一致，请核对",
    "publication.application_only": "这是申请公布号，不能证明已授权；请补充专利号",
    "publication.length_unconfirmed": "8 位数字的早期公开号，请与公报核对",
    "publication.zl_prefix": "“ZL”应与专利号连用，这里按公开（公告）号处理",
    "software.certificate": "这是软件著作权证书号，不是登记号",
    "plant.application": "未写 CNA，按品种权申请号处理，请确认已授权",
    "uscc.organisation_code": "统一社会信用代码中的组织机构代码校验位不符，请核对",
}

#: What a family of numbers is called.
FAMILIES: dict[str, str] = {
    "cn_patent": "专利（申请）号",
    "cn_publication": "专利公开（公告）号",
    "foreign_patent": "境外专利号",
    "foreign_catalogue": "境外目录编号",
    "software_registration": "软件著作权登记号",
    "software_certificate": "软件著作权证书号",
    "trademark": "商标注册号",
    "trademark_international": "马德里国际注册号",
    "plant_variety": "植物新品种权号",
    "plant_variety_old": "植物新品种权号（旧）",
    "plant_variety_forestry": "林草植物新品种权号",
    "ic_layout": "布图设计登记号",
    "free": "自由格式编号",
    "pledge_registration": "质押登记号",
    "licence_registration": "许可备案号",
    "uscc": "统一社会信用代码",
}


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number that was read.

    `canonical` is the same for every way of writing it and differs between families; store and compare it.
    `display` is what a page shows. `warnings` are codes of WARNINGS. `facts` say what the number tells:
    year, patent_type, document (application | grant), office, stem, nice_class, as the family has them.
    """

    kind_family: str
    canonical: str
    display: str
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


class NumberRefused(ValueError):
    """A writing that cannot be the number asked for; `code` is stable, `template` its Chinese text."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        self.template = REFUSALS[code]
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The Chinese text with its params filled in."""
        return self.template % self.params
