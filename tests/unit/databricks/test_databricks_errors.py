"""A platform's text reaches nobody with a secret in it, nor whole."""

import pytest
from databricks.sdk import errors as sdk_errors

from agent.databricks import errors


@pytest.mark.parametrize(
    "secret",
    [
        "dapi0123456789abcdef",
        "doau-Ab3_x9Qm77",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
        "xoxb-1234-abcdef",
        "sk-ant-api03-secret",
    ],
)
def test_tokens_are_hidden(secret: str) -> None:
    assert secret not in errors.scrub(f"request with {secret} failed, Bearer {secret}, ?code={secret}&x=1")


def test_what_the_sdk_appends_is_taken_off() -> None:
    text = "User may not. Config: host=https://x.example, token=***. Env: DATABRICKS_HOST, DATABRICKS_TOKEN"
    assert errors.scrub(text) == "User may not"


def test_sql_is_left_alone() -> None:
    text = "cannot resolve in SELECT * FROM t WHERE state='CA' AND code=7"
    assert errors.scrub(text) == text


def test_long_texts_are_cut() -> None:
    assert len(errors.scrub("word " * 1000)) == errors.LONGEST_TEXT


def test_a_denied_permission_keeps_databricks_words() -> None:
    error = errors.from_sdk(
        sdk_errors.PermissionDenied("No CAN USE on warehouse w1", error_code="PERMISSION_DENIED")
    )
    assert isinstance(error, errors.AccessDeniedError)
    assert str(error) == "Databricks refused this: No CAN USE on warehouse w1"


@pytest.mark.parametrize("error", [TimeoutError("Timed out after 0:01:00"), ValueError("token=dapi12345")])
def test_other_faults_become_a_sentence_of_ours(error: Exception) -> None:
    assert str(errors.from_sdk(error)).endswith("Please try again.")
