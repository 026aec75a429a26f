"""The texts of file refusals, marked for translation; codes and params come from the readers."""

from marketplace.core.i18n import _l

FILE_TEXTS = {
    "file_empty": _l("文件是空的"),
    "file_no_rows": _l("文件只有标题行，没有数据"),
    "file_type": _l("不能识别此文件，请上传 CSV 或 XLSX"),
    "file_name_mismatch": _l("文件的内容不是 %(expected)s，请核对后重新上传"),
    "file_xls": _l("不支持旧版 XLS 或加密的工作簿，请另存为不加密的 XLSX"),
    "file_macros": _l("不接受带宏的工作簿，请另存为不带宏的 XLSX"),
    "file_damaged": _l("文件已损坏，无法读取"),
    "file_bomb": _l("压缩包解开后过大，不予处理"),
    "file_encrypted": _l("不支持加密的文件"),
    "file_no_sheet": _l("工作簿中没有数据表"),
    "file_encoding": _l("不能识别文字编码，请另存为 UTF-8 或 GB18030"),
    "file_nul": _l("文件中有空字符（NUL），不是文本文件"),
    "file_quotes": _l("第 %(row)s 行的引号没有配对，或单元格过长"),
    "file_json": _l("第 %(row)s 行不是 JSON 对象"),
    "file_too_large": _l("文件过大：最多 %(max)s MB"),
    "file_too_many_rows": _l("行数过多：最多 %(max)s 行，请拆分后上传"),
    "file_too_many_columns": _l("列数过多：最多 %(max)s 列"),
    "header_duplicate": _l("有两列的标题都是“%(name)s”，请改名后重新上传"),
}
