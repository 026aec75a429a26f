"""What sign-in says. The library's own catalogue is half-empty in Chinese, so all of its texts stand here."""

from __future__ import annotations

from typing import Any


def _(text: str) -> str:
    """Mark for the catalogue; the library translates when it shows the text."""
    return text


BAD = "danger"
NO_ENTRY = _("邮箱、密码或验证码不正确，或账号因多次输错暂时锁定。请核对后稍候再试，也可以重设密码。")

TEXTS: dict[str, tuple[str, str]] = {
    "API_ERROR": (_("提交的内容格式不正确"), BAD),
    "GENERIC_AUTHN_FAILED": (NO_ENTRY, BAD),
    "GENERIC_RECOVERY": (_("如果该邮箱已注册，我们已向它发送邮件"), "success"),
    "UNAUTHORIZED": (_("您没有权限访问此页面"), BAD),
    "UNAUTHENTICATED": (_("请先登录"), "warning"),
    "REAUTHENTICATION_REQUIRED": (_("请再次输入密码以继续"), "warning"),
    "REAUTHENTICATION_SUCCESSFUL": (_("身份已确认"), "success"),
    "EMAIL_CONFIRMED": (_("邮箱已确认，请登录"), "success"),
    "ALREADY_CONFIRMED": (_("邮箱早已确认，请直接登录"), "warning"),
    "INVALID_CONFIRMATION_TOKEN": (_("确认链接无效，请重新发送确认邮件"), BAD),
    "CONFIRMATION_REQUIRED": (_("邮箱尚未确认"), BAD),
    "CONFIRMATION_REQUEST": (_("如果 %(email)s 已注册且尚未确认，确认邮件已发出"), "success"),
    "CONFIRMATION_EXPIRED": (_("确认链接已超过 %(within)s 有效期，请重新发送"), BAD),
    "EMAIL_NOT_PROVIDED": (_("请填写邮箱"), BAD),
    "INVALID_EMAIL_ADDRESS": (_("邮箱格式不正确"), BAD),
    "EMAIL_ALREADY_ASSOCIATED": (_("邮箱不可用"), BAD),
    "IDENTITY_NOT_REGISTERED": (NO_ENTRY, BAD),
    "USER_DOES_NOT_EXIST": (NO_ENTRY, BAD),
    "DISABLED_ACCOUNT": (NO_ENTRY, BAD),
    "INVALID_PASSWORD": (_("密码不正确"), BAD),
    "INVALID_PASSWORD_CODE": (_("密码或验证码不正确"), BAD),
    "PASSWORD_MISMATCH": (_("两次输入的密码不一致"), BAD),
    "RETYPE_PASSWORD_MISMATCH": (_("两次输入的密码不一致"), BAD),
    "PASSWORD_NOT_PROVIDED": (_("请填写密码"), BAD),
    "PASSWORD_INVALID_LENGTH": (_("密码至少 %(length)s 个字符"), BAD),
    "PASSWORD_TOO_SIMPLE": (_("密码过于简单"), BAD),
    "PASSWORD_IS_THE_SAME": (_("新密码不能与原密码相同"), BAD),
    "PASSWORD_CHANGE": (_("密码已修改，其他设备上的登录已全部退出"), "success"),
    "PASSWORD_RESET_REQUEST": (_("如果 %(email)s 已注册并已确认，重设密码的邮件已发出"), "success"),
    "PASSWORD_RESET_EXPIRED": (_("重设链接已超过 %(within)s 有效期，请重新申请"), BAD),
    "INVALID_RESET_PASSWORD_TOKEN": (_("重设链接无效或已使用，请重新申请"), BAD),
    "PASSWORD_RESET_NO_LOGIN": (_("密码已重设，请用新密码登录"), "success"),
    "PASSWORD_RESET": (_("密码已重设"), "success"),
    "FORGOT_PASSWORD": (_("忘记密码？"), "info"),
    "INVALID_REDIRECT": (_("不能跳转到本站以外的地址"), BAD),
    "INVALID_CODE": (_("验证码不正确"), BAD),
    "INVALID_INPUT": (_("填写的内容不正确"), BAD),
    "INVALID_INPUT_LENGTH": (_("填写的内容过长"), BAD),
    "INVALID_RECOVERY_CODE": (_("恢复码不正确或已使用"), BAD),
    "NO_RECOVERY_CODES_SETUP": (_("尚未生成恢复码"), "info"),
    "LOGIN": (_("请先登录"), "warning"),
    "REFRESH": (_("请再次输入密码以继续"), "warning"),
    "ANONYMOUS_USER_REQUIRED": (_("您已登录"), "warning"),
    "TWO_FACTOR_INVALID_TOKEN": (_("验证码不正确或已使用过，请等验证器显示下一个验证码后再试"), BAD),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (_("登录成功"), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (_("验证器已启用。请接着生成恢复码并妥善保存"), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (_("登录步骤已失效，请重新登录"), BAD),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (_("请选择可用的验证方式"), BAD),
    "TWO_FACTOR_DISABLED": (_("两步验证已停用"), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (_("设置已超过 %(within)s 未完成，请重新开始"), BAD),
    "FAILED_TO_SEND_CODE": (_("验证码发送失败，请稍后再试"), BAD),
    "CODE_HAS_BEEN_SENT": (_("验证码已发送"), "success"),
}


def message_settings() -> dict[str, Any]:
    return {f"SECURITY_MSG_{name}": value for name, value in TEXTS.items()}
