"""Every setting of the service; the only reader of the environment.

Names in the environment are the field names in capitals. ``.env`` in the working directory is read too; the environment
wins. ``load`` turns whatever is missing or wrong into one line that names the setting and the remedy.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import pydantic
import pydantic_settings
from cryptography.fernet import Fernet
from pydantic import AliasChoices, Field, SecretStr

Names = Annotated[tuple[str, ...], pydantic_settings.NoDecode]
EXIT_CODE = 2


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it and the remedy."""


class Settings(pydantic_settings.BaseSettings):
    """What the service was told; immutable."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    env: Literal["production", "development"] = "production"

    slack_bot_token: SecretStr
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"

    lakebase_pg_url: SecretStr | None = None
    lakebase_endpoint: str | None = None
    lakebase_instance_name: str | None = None
    lakebase_database_name: str = "databricks_postgres"

    databricks_host: str
    databricks_oauth_client_id: str | None = None
    databricks_oauth_client_secret: SecretStr | None = None
    databricks_oauth_scopes: str = "all-apis offline_access"
    databricks_token: SecretStr | None = None
    # The service's own identity, as Databricks Apps injects it: for Lakebase and, if chosen, the model; never for senders.
    databricks_client_id: str | None = None
    databricks_client_secret: SecretStr | None = None

    public_url: str | None = None
    port: int = Field(
        default=8000, ge=0, le=65535, validation_alias=AliasChoices("databricks_app_port", "port")
    )

    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    anthropic_model: str | None = None

    projects_base_dir: Path | None = None
    enabled_skills: Names | None = None

    bricklayer_secret_keys: SecretStr | None = None
    bricklayer_data_dir: Path = Path(".data")
    bricklayer_model_provider: Literal["anthropic", "databricks"] = "anthropic"
    bricklayer_model_credentials: Literal["sender", "service"] = "sender"
    bricklayer_model_path: str = "/serving-endpoints/anthropic"
    bricklayer_backup_seconds: float = Field(default=600, gt=0)
    bricklayer_max_sessions: int = Field(default=16, ge=1)
    bricklayer_session_idle_seconds: float = Field(default=900, gt=0)
    bricklayer_handoff_seconds: float = Field(default=60, gt=0)
    bricklayer_admins: Names = ()
    bricklayer_allow_guests: bool = False
    bricklayer_allow_shared_channels: bool = False
    bricklayer_email_mapping: Annotated[Mapping[str, str], pydantic_settings.NoDecode] = Field(
        default_factory=dict
    )
    bricklayer_log_level: Literal["debug", "info", "warning", "error"] = "info"

    @pydantic.field_validator("enabled_skills", "bricklayer_admins", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @pydantic.field_validator("bricklayer_email_mapping", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError("write it as slack@example.com=databricks@example.com, separated by commas")
        return {slack.strip().casefold(): databricks.strip().casefold() for slack, _, databricks in pairs}

    @pydantic.field_validator("databricks_host", mode="before")
    @classmethod
    def _with_scheme(cls, value: object) -> object:
        return f"https://{value}" if isinstance(value, str) and value and "://" not in value else value

    @pydantic.field_validator("databricks_host", "slack_api_url", "anthropic_base_url", "public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("give a web address such as https://example.com")
        return value.rstrip("/")

    @pydantic.field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("give the app's bot token; it begins with xoxb-")
        return value

    @pydantic.field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("give an app-level token with the scope connections:write; it begins with xapp-")
        return value

    @pydantic.field_validator("lakebase_pg_url")
    @classmethod
    def _postgres_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError(
                "give a Postgres address such as postgresql://user:password@host:5432/bricklayer"
            )
        return value

    @pydantic.field_validator("bricklayer_secret_keys")
    @classmethod
    def _fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in _split(value):
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(
                    "give Fernet keys separated by commas; make one with `bricklayer generate-key`"
                ) from None
        return value

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Self:
        for complaint in _complaints(self):
            raise ValueError(complaint)
        return self

    @property
    def development(self) -> bool:
        return self.env == "development"

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The Fernet keys, newest first; empty when none are set."""
        return _split(self.bricklayer_secret_keys)

    @property
    def projects_dir(self) -> Path:
        return (self.projects_base_dir or self.bricklayer_data_dir / "projects").absolute()


def load() -> Settings:
    """The settings of this process; raises SettingsError with one line about the first thing that is wrong."""
    try:
        return Settings()
    except pydantic.ValidationError as error:
        raise SettingsError(_line(error)) from None


def _complaints(settings: Settings) -> list[str]:
    checks = [
        (
            settings.slack_app_token is None and settings.slack_signing_secret is None,
            "SLACK_APP_TOKEN is missing. Set it for Socket Mode, or set SLACK_SIGNING_SECRET to receive events over HTTP.",
        ),
        (
            not settings.development and not settings.secret_keys,
            "BRICKLAYER_SECRET_KEYS is missing. Make a key with `bricklayer generate-key` and set it; "
            "sign-ins are stored encrypted with it.",
        ),
        (
            settings.bricklayer_model_provider == "anthropic" and settings.anthropic_api_key is None,
            "ANTHROPIC_API_KEY is missing. Set it, or set BRICKLAYER_MODEL_PROVIDER=databricks to use model serving.",
        ),
        (
            settings.lakebase_endpoint is not None and settings.lakebase_instance_name is not None,
            "LAKEBASE_ENDPOINT and LAKEBASE_INSTANCE_NAME are both set. Keep the one that names your database.",
        ),
        (
            bool(settings.lakebase_endpoint or settings.lakebase_instance_name)
            and settings.lakebase_pg_url is None
            and not (settings.databricks_client_id and settings.databricks_client_secret),
            "DATABRICKS_CLIENT_ID is missing. Set it and DATABRICKS_CLIENT_SECRET to the service principal that may "
            "log in to Lakebase; a Databricks App has them set already.",
        ),
    ]
    return [complaint for wrong, complaint in checks if wrong]


def _split(keys: SecretStr | None) -> tuple[str, ...]:
    return tuple(key.strip() for key in keys.get_secret_value().split(",") if key.strip()) if keys else ()


def _spelled(name: str) -> str:
    """The name that was used, where a setting has two."""
    return "PORT" if name == "DATABRICKS_APP_PORT" and name not in os.environ else name


def _line(error: pydantic.ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = _spelled(str(first["loc"][0]).upper())
    if first["type"] == "missing":
        return f"{name} is missing. Set it in the environment or in .env; .env.example explains it."
    return f"{name} is wrong: {message[0].lower()}{message[1:].rstrip('.')}. See .env.example."
