"""Each setting that is missing or wrong is one line that names it and the remedy."""

import os
from pathlib import Path

import pytest

from bot import settings
from storage import vault

KEY = vault.Vault.generate_key()
GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "DATABRICKS_HOST": "https://adb-1.azuredatabricks.net",
    "ANTHROPIC_API_KEY": "sk-ant-1",
    "BRICKLAYER_SECRET_KEYS": KEY,
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working directory without an .env and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in (*settings.Settings.model_fields, "databricks_app_port"):
        for spelled in (name, name.upper()):
            monkeypatch.delenv(spelled, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> settings.Settings:
    for name, value in {**GOOD, **changed}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return settings.load()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("SLACK_BOT_TOKEN", None, "SLACK_BOT_TOKEN is missing. Set it"),
        ("SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN is missing. Set it"),
        ("SLACK_BOT_TOKEN", "xapp-1", "SLACK_BOT_TOKEN is wrong: give the app's bot token"),
        (
            "SLACK_APP_TOKEN",
            None,
            "SLACK_APP_TOKEN is missing. Set it for Socket Mode, or set SLACK_SIGNING_SECRET",
        ),
        ("SLACK_APP_TOKEN", "xoxb-1", "SLACK_APP_TOKEN is wrong: give an app-level token"),
        ("SLACK_API_URL", "slack.com", "SLACK_API_URL is wrong: give a web address"),
        ("DATABRICKS_HOST", None, "DATABRICKS_HOST is missing. Set it"),
        ("DATABRICKS_HOST", "ftp://somewhere", "DATABRICKS_HOST is wrong: give a web address"),
        ("PUBLIC_URL", "bricklayer", "PUBLIC_URL is wrong: give a web address"),
        ("LAKEBASE_PG_URL", "mysql://db/x", "LAKEBASE_PG_URL is wrong: give a Postgres address"),
        (
            "LAKEBASE_ENDPOINT",
            "projects/p",
            "DATABRICKS_CLIENT_ID is missing. Set it and DATABRICKS_CLIENT_SECRET",
        ),
        ("ANTHROPIC_API_KEY", None, "ANTHROPIC_API_KEY is missing. Set it, or set BRICKLAYER_MODEL_PROVIDER"),
        ("ANTHROPIC_BASE_URL", "anthropic", "ANTHROPIC_BASE_URL is wrong: give a web address"),
        ("BRICKLAYER_SECRET_KEYS", None, "BRICKLAYER_SECRET_KEYS is missing. Make a key with"),
        ("BRICKLAYER_SECRET_KEYS", "short", "BRICKLAYER_SECRET_KEYS is wrong: give Fernet keys"),
        ("BRICKLAYER_SECRET_KEYS", f"{KEY},short", "BRICKLAYER_SECRET_KEYS is wrong: give Fernet keys"),
        (
            "BRICKLAYER_MODEL_PROVIDER",
            "openai",
            "BRICKLAYER_MODEL_PROVIDER is wrong: input should be 'anthropic'",
        ),
        ("BRICKLAYER_MAX_SESSIONS", "0", "BRICKLAYER_MAX_SESSIONS is wrong: input should be greater"),
        (
            "BRICKLAYER_MAX_SESSIONS",
            "many",
            "BRICKLAYER_MAX_SESSIONS is wrong: input should be a valid integer",
        ),
        (
            "BRICKLAYER_ALLOW_GUESTS",
            "perhaps",
            "BRICKLAYER_ALLOW_GUESTS is wrong: input should be a valid boolean",
        ),
        ("BRICKLAYER_EMAIL_MAPPING", "ada", "BRICKLAYER_EMAIL_MAPPING is wrong: write it as"),
        ("BRICKLAYER_LOG_LEVEL", "loud", "BRICKLAYER_LOG_LEVEL is wrong: input should be"),
        ("PORT", "http", "PORT is wrong: input should be a valid integer"),
        ("PORT", "70000", "PORT is wrong: input should be less"),
        ("DATABRICKS_APP_PORT", "x", "DATABRICKS_APP_PORT is wrong: input should be a valid integer"),
        ("ENV", "staging", "ENV is wrong: input should be 'production' or 'development'"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, line: str
) -> None:
    with pytest.raises(settings.SettingsError) as error:
        load(monkeypatch, **{name: value})

    said = str(error.value)
    assert said.startswith(line)
    assert "\n" not in said


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(settings.SettingsError) as error:
        load(monkeypatch, SLACK_BOT_TOKEN="oops-my-secret-token")

    assert "oops-my-secret" not in str(error.value)


def test_two_lakebases_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(settings.SettingsError, match="are both set"):
        load(monkeypatch, LAKEBASE_ENDPOINT="projects/p", LAKEBASE_INSTANCE_NAME="i")


def test_what_is_needed_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch)

    assert chosen.socket_mode
    assert chosen.secret_keys == (KEY,)
    assert not chosen.development


def test_http_mode_needs_the_signing_secret_instead_of_the_app_token(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET="s")

    assert not chosen.socket_mode


def test_in_development_no_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ENV="development", BRICKLAYER_SECRET_KEYS=None).secret_keys == ()


def test_a_host_may_be_given_without_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, DATABRICKS_HOST="adb-1.example/").databricks_host == "https://adb-1.example"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(
        monkeypatch,
        BRICKLAYER_ADMINS="U1, U2,",
        ENABLED_SKILLS="",
        BRICKLAYER_EMAIL_MAPPING="Ada@Slack.example=ada@data.example",
    )

    assert chosen.bricklayer_admins == ("U1", "U2")
    assert chosen.enabled_skills is None
    assert chosen.bricklayer_email_mapping == {"ada@slack.example": "ada@data.example"}


def test_the_port_of_a_databricks_app_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="1", DATABRICKS_APP_PORT="2").port == 2


def test_a_file_in_the_working_directory_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("BRICKLAYER_MAX_SESSIONS=3\nPORT=3\n")

    chosen = load(monkeypatch, PORT="4")

    assert (chosen.bricklayer_max_sessions, chosen.port) == (3, 4)
    assert "BRICKLAYER_MAX_SESSIONS" not in os.environ


def test_secrets_do_not_show_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = repr(load(monkeypatch, DATABRICKS_TOKEN="dapi123456"))

    assert KEY not in shown
    assert "dapi123456" not in shown
