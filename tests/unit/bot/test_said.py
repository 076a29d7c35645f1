"""What a Slack message says to us."""

from typing import Any

import pytest

from bot import said

BOT = "U0BRICKBOT"
ADA = "U0ADA0001"


def event(text: str | None = "hello", **changed: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C0SALES01",
        "channel_type": "channel",
        "user": ADA,
        "text": text,
        "ts": "2.000001",
        **changed,
    }


def read(event: dict[str, Any], **body: Any) -> said.Said | said.Edited | said.Deleted | None:
    return said.read({"team_id": "T0BRICK01", "event": event, **body}, bot_user_id=BOT)


def heard(text: str | None = "hello", **changed: Any) -> said.Said:
    found = read(event(text, **changed))
    assert isinstance(found, said.Said)
    return found


# Reading


def test_a_message_in_the_root_of_a_channel_begins_a_thread() -> None:
    message = heard(f"<@{BOT}> which region?")
    assert (message.text, message.thread_ts, message.is_reply) == ("which region?", "2.000001", False)
    assert message.is_mention
    assert not message.is_dm


def test_a_reply_belongs_to_its_thread() -> None:
    message = heard(thread_ts="1.000001")
    assert (message.thread_ts, message.is_reply) == ("1.000001", True)


def test_the_root_of_a_thread_that_has_replies_is_no_reply() -> None:
    assert not heard(thread_ts="2.000001").is_reply


@pytest.mark.parametrize(
    "mention", [f"<@{BOT}> ", f"<@{BOT}>: ", f"<@{BOT}>, ", f"<@{BOT}|bricklayer> ", f"  <@{BOT}> "]
)
def test_our_mention_is_taken_out(mention: str) -> None:
    assert heard(f"{mention}select 1").text == "select 1"


def test_white_space_and_other_mentions_stay_as_they_are() -> None:
    statement = "select  1\n\n  from\tx -- <@U0BEN0001>"
    assert heard(f"<@{BOT}> {statement}").text == statement


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("see <https://example.com/a?b=1&amp;c=2>", "see https://example.com/a?b=1&c=2"),
        ("see <https://example.com|our page>", "see https://example.com"),
        ("to <mailto:ada@brickfield.example|ada@brickfield.example>", "to ada@brickfield.example"),
        ("in <#C0SALES01|sales>", "in #sales"),
        ("&amp;lt; stays escaped once", "&lt; stays escaped once"),
    ],
)
def test_slacks_notation_becomes_what_was_typed(text: str, typed: str) -> None:
    assert said.plain(text) == typed


def test_a_direct_message_is_known_by_its_type_or_its_channel() -> None:
    assert heard(channel="D1", channel_type="im").is_dm
    assert heard(channel="D1", channel_type=None).is_dm


def test_files_are_named() -> None:
    files = [{"name": "orders.csv"}, {"id": "F1"}]
    assert heard(subtype="file_share", files=files).file_names == ("orders.csv", "file")


@pytest.mark.parametrize(
    "changed",
    [
        {"bot_id": "B1"},
        {"user": BOT},
        {"user": None},
        {"ts": None},
        {"channel": None},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"subtype": "message_deleted"},
        {"subtype": "message_changed"},
    ],
)
def test_what_no_person_said_is_nothing(changed: dict[str, Any]) -> None:
    assert read(event(**changed)) is None


def test_a_null_text_is_an_empty_one() -> None:
    assert heard(None).text == ""


def test_a_shared_channel_is_known_from_the_delivery() -> None:
    found = read(event(), is_ext_shared_channel=True)
    assert isinstance(found, said.Said)
    assert found.is_shared


# Edits and deletions


def edit(old: str, new: str, **changed: Any) -> said.Said | said.Edited | said.Deleted | None:
    before, now = event(old), event(new, **changed)
    return read(event(subtype="message_changed", message=now, previous_message=before))


def test_an_edit_carries_the_new_text() -> None:
    found = edit("old", "new")
    assert isinstance(found, said.Edited)
    assert found.said.text == "new"


def test_an_unfurl_is_no_edit() -> None:
    assert edit("same", "same") is None


def test_a_deletion_names_the_message() -> None:
    found = read(event(subtype="message_deleted", deleted_ts="1.5"))
    assert found == said.Deleted(team_id="T0BRICK01", channel_id="C0SALES01", ts="1.5")


def test_a_root_whose_thread_goes_on_is_deleted_all_the_same() -> None:
    found = edit("old", "This message was deleted.", subtype="tombstone", user="USLACKBOT")
    assert found == said.Deleted(team_id="T0BRICK01", channel_id="C0SALES01", ts="2.000001")


# Words and asides


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"<@{BOT}> help", "help"),
        (f"<@{BOT}> HELP", "help"),
        (f"<@{BOT}> !stop", "stop"),
        (f"<@{BOT}> !stop now please", "stop"),
    ],
)
def test_a_word_after_the_mention_is_a_command(text: str, word: str) -> None:
    found = said.command(heard(text))
    assert found is not None
    assert found.word == word


def test_a_marked_word_in_a_thread_is_a_command() -> None:
    found = said.command(heard("!status", thread_ts="1.0"))
    assert found is not None
    assert found.word == "status"


def test_a_marked_word_that_is_not_known_is_said_so() -> None:
    assert said.command(heard("!frobnicate", thread_ts="1.0")) == said.Command(
        word=None, written="!frobnicate"
    )


@pytest.mark.parametrize(
    "text",
    [f"<@{BOT}> help me build a dashboard", f"<@{BOT}> !important: drop nothing", f"<@{BOT}> !!say x", ""],
)
def test_a_request_is_no_command(text: str) -> None:
    assert said.command(heard(text)) is None


@pytest.mark.parametrize("text", ["stop", "help", "!stop"])
def test_in_the_root_of_a_channel_a_word_without_a_mention_is_nothing(text: str) -> None:
    assert said.command(heard(text)) is None


@pytest.mark.parametrize(
    "text", ["!aside not for you", "!ASIDE: nor this", f"<@{BOT}> aside we talk", "<@U0BEN0001> look"]
)
def test_an_aside_in_a_thread_is_not_for_us(text: str) -> None:
    assert said.is_aside(heard(text, thread_ts="1.0"))


@pytest.mark.parametrize(
    "text", ["aside from that, go on", f"<@U0BEN0001> and <@{BOT}> look", "look <@U0BEN0001>"]
)
def test_what_speaks_to_us_too_is_no_aside(text: str) -> None:
    assert not said.is_aside(heard(text, thread_ts="1.0"))


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\ufeff\u2060 \u200d", "\u00ad"])
def test_what_cannot_be_seen_is_empty(text: str) -> None:
    assert said.is_empty(text)


@pytest.mark.parametrize("text", ["a", "🎉", "👩🏽‍💻", "."])
def test_what_can_be_seen_is_not_empty(text: str) -> None:
    assert not said.is_empty(text)


@pytest.mark.parametrize(("text", "word"), [("", "help"), ("  STATUS  ", "status"), ("stop it", "stop")])
def test_the_slash_command_is_its_first_word(text: str, word: str) -> None:
    assert said.slash(text).word == word


def test_the_slash_command_keeps_a_word_that_it_does_not_know() -> None:
    assert said.slash("Frobnicate all") == said.Command(word=None, written="frobnicate")
