"""The texts that the pure rules give as codes and Chinese templates, named here so that each gets its English.

``say`` puts a rule's template and params into the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.core.i18n import _l

TEXTS: tuple[Any, ...] = (
    # kinds
    _l("发明专利"),
    _l("实用新型专利"),
    _l("外观设计专利"),
    _l("专利申请权"),
    _l("商标"),
    _l("集体商标"),
    _l("证明商标"),
    _l("地理标志"),
    _l("作品著作权"),
    _l("计算机软件著作权"),
    _l("集成电路布图设计专有权"),
    _l("植物新品种权"),
    _l("数据权益"),
    _l("商业秘密"),
    # families of numbers
    _l("专利（申请）号"),
    _l("专利公开（公告）号"),
    _l("境外专利号"),
    _l("境外目录编号"),
    _l("软件著作权登记号"),
    _l("软件著作权证书号"),
    _l("商标注册号"),
    _l("马德里国际注册号"),
    _l("植物新品种权号"),
    _l("植物新品种权号（旧）"),
    _l("林草植物新品种权号"),
    _l("布图设计登记号"),
    _l("自由格式编号"),
    _l("质押登记号"),
    _l("许可备案号"),
    _l("统一社会信用代码"),
    # refusals of numbers
    _l("请填写号码"),
    _l("号码过长（%(length)s 个字符，最多 %(max)s 个）"),
    _l("一栏只能填写一个号码"),
    _l("号码中有不能识别的字符“%(character)s”"),
    _l("这是%(family)s，不是%(kind)s的号码"),
    _l("不能识别为%(kind)s的号码"),
    _l("专利号应为 13 位（2003 年 10 月以前为 9 位），含末位校验位；这里有 %(length)s 位"),
    _l("专利号缺少小数点后的校验位"),
    _l("专利号中的年份 %(year)s 不成立"),
    _l("专利号中的种类数字 %(digit)s 不成立，应为 1、2、3、8 或 9"),
    _l("专利号校验位不符：末位是 %(found)s，按前面各位计算应为 %(expected)s，请核对每一位"),
    _l("号码中的种类数字 %(digit)s 表示%(found)s，与所选的%(kind)s不一致"),
    _l("公开（公告）号应为 CN 加 7 位或 9 位数字和种类字母；这里有 %(length)s 位数字"),
    _l("9 位数字看似公开号，请补上 CN 和末尾的种类字母（如 A、B、U、S）"),
    _l("软件著作权登记号应为年份、SR 和 6 位或 7 位数字，例如 2020SR0109251"),
    _l("登记号中的年份 %(year)s 不成立"),
    _l("品种权号应为 CNA 加 11 位数字；这里有 %(length)s 位"),
    _l("品种权号中的年份 %(year)s 不成立"),
    _l("商品和服务类别应为 1 至 45，这里是 %(found)s"),
    _l("统一社会信用代码应为 18 位；这里有 %(length)s 位"),
    _l("统一社会信用代码前 8 位应为数字，其后只用数字和大写字母，且不用 I、O、Z、S、V"),
    _l("统一社会信用代码校验位不符，请核对每一位"),
    # warnings of numbers
    _l("此类号码的格式未经官方确认，请与证书核对"),
    _l("此类权利没有全国统一的登记号"),
    _l("外国或境外号码，未核对校验位"),
    _l("“ZL”只用于已授权的专利，而所选的是专利申请权"),
    _l("公开（公告）号末尾缺少种类字母，不能区分申请公布与授权公告"),
    _l("公开（公告）号末尾的种类字母不常见，请核对"),
    _l("公开（公告）号表示的专利类型与所选的不一致"),
    _l("公开（公告）号首位数字与种类字母不一致，请核对"),
    _l("这是申请公布号，不能证明已授权；请补充专利号"),
    _l("8 位数字的早期公开号，请与公报核对"),
    _l("“ZL”应与专利号连用，这里按公开（公告）号处理"),
    _l("这是软件著作权证书号，不是登记号"),
    _l("未写 CNA，按品种权申请号处理，请确认已授权"),
    _l("统一社会信用代码中的组织机构代码校验位不符，请核对"),
    # refusals of terms and burdens
    _l("缺少计算保护期所需的日期：%(fields)s"),
    _l("%(later)s不应早于%(earlier)s"),
    _l("申请日"),
    _l("授权日"),
    _l("注册（登记）日"),
    _l("首次发表日"),
    _l("完成日"),
    _l("作者死亡日"),
    _l("首次商业利用日"),
    _l("对此类权利的每次保全不超过 %(months)s 个月，最晚到 %(latest)s"),
    _l("保全到期日不应早于开始日"),
    _l("原保全已于 %(until)s 到期，续行保全应在到期前办理"),
    _l("未定"),
    # reasons of health
    _l("权利已被宣告无效"),
    _l("权利已终止"),
    _l("保护期已于 %(end)s 届满"),
    _l("尚未授权，不能作为已授权的权利发布"),
    _l("标的是专利申请权，可能不被授权"),
    _l("专利申请权不能质押"),
    _l("已质押给%(pledgee)s，质押期内不能再次质押"),
    _l("第 %(year)s 年年费逾期且滞纳期已于 %(grace_end)s 届满，权利自 %(lapsed_from)s 起终止"),
    _l("第 %(year)s 年年费应于 %(due)s 前缴纳，现在滞纳期内，最晚 %(grace_end)s"),
    _l("第 %(year)s 年年费应于 %(due)s 前缴纳"),
    _l("未提供年费缴纳情况"),
    _l("被%(court)s保全（%(case_no)s），至 %(until)s"),
    _l("由处置法院%(court)s保全（%(case_no)s），至 %(until)s"),
    _l("因权属纠纷中止程序，至 %(until)s"),
    _l("正在无效宣告程序中"),
    _l("已质押，缺少质权人%(pledgee)s的书面同意"),
    _l("已质押给%(pledgee)s，质权人已同意"),
    _l("缺少共有人%(owner)s的书面同意"),
    _l("%(kind)s只能转让给具备相应资格的受让人，请先限定竞买人资格"),
    _l("%(kind)s：只限具备相应资格的受让人"),
    _l("有独占许可（%(licensee)s，至 %(until)s），转让后继续有效"),
    _l("有排他许可（%(licensee)s，至 %(until)s），转让后继续有效"),
    _l("有普通或开放许可（%(licensee)s，至 %(until)s），转让后继续有效"),
    _l("已有独占或排他许可（%(licensee)s，至 %(until)s），不能再许可"),
    _l("保护期将于 %(end)s 届满，剩余 %(days)s 天"),
    _l("缺少日期，不能计算保护期"),
    _l("保护期按未经核实的规则计算，请与证书核对"),
    _l("缺少登记号码"),
    _l("号码 %(number)s 需核对：%(warnings)s"),
    # what a term rests on
    _l("发明专利权期限 20 年，自申请日起（专利法第 42 条）"),
    _l("实用新型专利权期限 10 年，自申请日起（专利法第 42 条）"),
    _l("外观设计专利权期限 15 年，自申请日起（专利法第 42 条）"),
    _l("2021 年 6 月 1 日前申请的外观设计，期限 10 年，自申请日起（专利法第 42 条）"),
    _l("发明专利权期限 20 年，自申请日起（专利法第 42 条），含登记的期限补偿"),
    _l("实用新型专利权期限 10 年，自申请日起（专利法第 42 条），含登记的期限补偿"),
    _l("外观设计专利权期限 15 年，自申请日起（专利法第 42 条），含登记的期限补偿"),
    _l("2021 年 6 月 1 日前申请的外观设计，期限 10 年，自申请日起（专利法第 42 条），含登记的期限补偿"),
    _l("专利申请权：授权前没有专利权期限"),
    _l("注册商标有效期 10 年，自核准注册日起，每次续展 10 年（商标法第 39、40 条）"),
    _l("地理标志的保护期未经核实"),
    _l("按商标注册的地理标志：注册商标有效期 10 年，自核准注册日起，每次续展 10 年（商标法第 39、40 条）"),
    _l("商业秘密没有法定期限，以保密状态为限"),
    _l("数据登记证书所载有效期（通常 3 年，可续期）"),
    _l("自申请日或首次商业利用日（较前者）起 10 年，不超过创作完成后 15 年（布图设计条例第 12 条）"),
    _l("自然人终生及死亡后 50 年（软件条例第 14 条）"),
    _l("首次发表后 50 年，至 12 月 31 日（软件条例第 14 条）"),
    _l("未发表，自完成起 50 年，至 12 月 31 日（软件条例第 14 条）"),
    _l("自然人终生及死亡后 50 年（著作权法第 23 条）"),
    _l("首次发表后 50 年，至 12 月 31 日（著作权法第 23 条）"),
    _l("未发表，自完成起 50 年，至 12 月 31 日（著作权法第 23 条）"),
    _l("藤本、木本植物 25 年，自授权日起（植物新品种保护条例（2025 修订，未经核实））"),
    _l("其他植物 20 年，自授权日起（植物新品种保护条例（2025 修订，未经核实））"),
    _l("藤本、木本植物 20 年，自授权日起（植物新品种保护条例（2014））"),
    _l("其他植物 15 年，自授权日起（植物新品种保护条例（2014））"),
)
_KNOWN = frozenset(text._args[0] for text in TEXTS)


def known(text: str) -> bool:
    """Whether this text of the rules stands in the catalogue."""
    return text in _KNOWN


def say(template: str, params: Mapping[str, Any] | None = None) -> Any:
    """The template in the reader's language, lazily; params that are texts of the rules are translated too."""
    values = {name: in_words(value) for name, value in (params or {}).items()}
    return _l(template, **values)


def in_words(value: Any) -> Any:
    """A figure of a rule as it is; a text of the rules so that it is translated when shown."""
    if isinstance(value, str) and value in _KNOWN:
        return _l(value)
    if isinstance(value, str) and all(part in _KNOWN for part in value.split("；")):
        return Joined(value.split("；"))
    return value


class Joined:
    """Several texts of the rules as one, each translated when shown."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = [_l(part) for part in parts]

    def __str__(self) -> str:
        return "；".join(str(part) for part in self.parts)
