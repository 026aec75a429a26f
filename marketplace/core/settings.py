"""Typed settings from the environment, checked at start. Each bad one is named; a weak secret is refused."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsRefused(SystemExit):
    """The process must not start; the text names every bad or missing setting."""


class Settings(BaseSettings):
    """The environment variables of the product, upper case. ``docs/deploy.md`` explains each one."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", case_sensitive=False)

    database_url: str
    redis_url: str
    secret_key: str = Field(min_length=32)
    password_salt: str = Field(min_length=16)
    signing_key_file: Path
    base_url: str = "http://127.0.0.1:8000"
    open_data_licence: str = ""  # what the open-data page says of its terms
    open_data_licence_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    demo: bool = False
    testing: bool = False
    rate_limits: bool = True
    bids_per_minute: int = Field(default=120, ge=10, le=1_000_000)  # an organisation, in each web process
    bids_burst: int = Field(default=60, ge=10, le=1_000_000)
    secure_cookies: bool = True
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    database_pool: int = Field(default=20, ge=2, le=200)
    live_watchers: int = Field(default=24, ge=0, le=2000)
    elasticsearch_url: str | None = None
    search_dir: Path = Path("var/search")
    search_index: str = Field(default="zhiliu", pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    search_local_too: bool = False  # beside Elasticsearch, for when it is away
    search_dense: bool = False  # by meaning too; needs the extra zhiliu[dense] and ``flask search dense``
    searches_per_minute: int = Field(default=120, ge=10, le=100_000)  # a visitor
    max_upload_mb: int = Field(default=25, ge=1, le=200)
    mail_server: str = ""
    mail_port: int = Field(default=587, ge=1, le=65535)
    mail_username: str = ""
    mail_password: str = ""
    mail_use_tls: bool = True
    mail_from: str = "zhiliu@localhost"
    mail_dir: Path | None = None
    platform_account_name: str = ""
    platform_account_no: str = ""
    platform_bank_name: str = ""

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not rest:
            raise ValueError("must be a postgresql:// address")
        return f"postgresql+psycopg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value.partition("://")[0] not in ("redis", "rediss", "unix"):
            raise ValueError("must be a redis://, rediss:// or unix:// address")
        return value

    @field_validator("elasticsearch_url")
    @classmethod
    def _elasticsearch(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("signing_key_file")
    @classmethod
    def _key(cls, value: Path) -> Path:
        if not value.is_file():
            raise ValueError(f"no such file: {value} (make one with: openssl genpkey -algorithm ed25519 -out {value})")
        return value


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; refuses to start with one line for each bad or missing one."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = ["Zhiliu cannot start. Please correct these settings / 无法启动，请更正以下设置:"]
        for fault in error.errors(include_url=False, include_input=False):
            name = ".".join(str(part) for part in fault["loc"]).upper()
            text = "is missing / 未设置" if fault["type"] == "missing" else fault["msg"]
            lines.append(f"  {name}: {text}")
        raise SettingsRefused("\n".join(lines)) from None
