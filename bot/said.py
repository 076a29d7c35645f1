"""What a Slack message says to us, read from its event: pure functions, no client, no database.

Only our own mention is taken out of the text and nothing else is touched: collapsing white space would change what a
pasted statement means. Facts about the event: docs.slack.dev/reference/events/message.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["help", "status", "stop", "login", "logout", "whoami"]
WORDS: tuple[Word, ...] = ("help", "status", "stop", "login", "logout", "whoami")
ASIDE = "aside"
# Messages of these subtypes are things a person said; all others are Slack's own notices.
SPOKEN_SUBTYPES = (None, "file_share", "thread_broadcast")

_LINK = re.compile(r"<((?:https?|mailto|ftp|tel):[^|>\s]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#C[A-Z0-9]+\|([^>]+)>")
_ANY_MENTION = re.compile(r"^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>")


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message of a person. ``thread_ts`` is the conversation's root: the message itself when it began one."""

    team_id: str
    channel_id: str
    ts: str
    thread_ts: str
    user_id: str
    text: str
    is_dm: bool
    is_reply: bool
    is_mention: bool
    is_shared: bool
    file_names: tuple[str, ...] = ()
    #: The message begins by addressing somebody else.
    to_another: bool = False


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A message's text was changed by its author."""

    said: Said


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """A message was deleted."""

    team_id: str
    channel_id: str
    ts: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A word instead of a request; ``word`` is ``None`` for one that we do not know."""

    word: Word | None
    written: str


def read(body: Mapping[str, Any], *, bot_user_id: str) -> Said | Edited | Deleted | None:
    """The event in a delivery's body, or ``None`` when it is nobody's message to us."""
    event = body.get("event") or {}
    team_id = str(body.get("team_id") or "")
    subtype = event.get("subtype")
    if subtype == "message_changed":
        return _edited(body, event, team_id, bot_user_id)
    if subtype == "message_deleted":
        deleted = event.get("deleted_ts")
        return (
            Deleted(team_id=team_id, channel_id=str(event.get("channel")), ts=str(deleted))
            if deleted
            else None
        )
    return _said(body, event, team_id, str(event.get("channel") or ""), bot_user_id)


def _edited(
    body: Mapping[str, Any], event: Mapping[str, Any], team_id: str, bot_user_id: str
) -> Edited | Deleted | None:
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        # What is left of a deleted message that has replies.
        return Deleted(team_id=team_id, channel_id=str(event.get("channel")), ts=str(now.get("ts")))
    # Slack also reports unfurls and file changes as edits; only a changed text is one.
    if now.get("text") == before.get("text"):
        return None
    said = _said(body, now, team_id, str(event.get("channel") or ""), bot_user_id)
    return Edited(said=said) if said else None


def _said(
    body: Mapping[str, Any], event: Mapping[str, Any], team_id: str, channel: str, bot_user_id: str
) -> Said | None:
    user, ts = event.get("user"), event.get("ts")
    if (
        event.get("bot_id")
        or event.get("subtype") not in SPOKEN_SUBTYPES
        or not user
        or not ts
        or not channel
    ):
        return None
    if user == bot_user_id:
        return None
    raw = str(event.get("text") or "")
    mention = re.compile(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>")
    channel_type = event.get("channel_type") or ("im" if channel.startswith("D") else "channel")
    return Said(
        team_id=team_id,
        channel_id=channel,
        ts=str(ts),
        thread_ts=str(event.get("thread_ts") or ts),
        user_id=str(user),
        text=plain(_without_mention(raw, mention)),
        is_dm=channel_type == "im",
        is_reply=bool(event.get("thread_ts")) and event.get("thread_ts") != ts,
        is_mention=bool(mention.search(raw)),
        is_shared=bool(body.get("is_ext_shared_channel")),
        file_names=tuple(str(file.get("name") or "file") for file in event.get("files") or ()),
        to_another=bool(_ANY_MENTION.match(raw)) and not mention.search(raw),
    )


def plain(text: str) -> str:
    """Slack's escapes undone: entities, links and channel names as a person typed them."""
    text = _LINK.sub(lambda found: found[1].removeprefix("mailto:"), text)
    return html.unescape(_CHANNEL.sub(r"#\1", text))


def is_empty(text: str) -> bool:
    """Whether nothing visible was written; zero-width characters are nothing."""
    return all(character.isspace() or unicodedata.category(character) == "Cf" for character in text)


def command(said: Said) -> Command | None:
    """The command word that this message is, if it is one.

    ``!word`` counts in a thread and in a DM; a bare word counts only when the bot was mentioned and nothing else was
    written, so that "help me build a dashboard" is a request.
    """
    words = said.text.strip().split()
    if not words:
        return None
    first = words[0].casefold()
    if first.startswith("!") and first[1:].isalpha() and (said.is_reply or said.is_dm or said.is_mention):
        known = _known(first[1:])
        return Command(word=known, written=first) if known or len(words) == 1 else None
    if said.is_mention and len(words) == 1 and _known(first):
        return Command(word=_known(first), written=first)
    return None


def is_addressed(said: Said) -> bool:
    """Whether the bot was spoken to by a mention or in its own DM; in a thread that it is in, everybody does."""
    return said.is_dm or said.is_mention


def is_aside(said: Said) -> bool:
    """Whether the sender talks beside the bot: an aside, or a reply that addresses somebody else."""
    words = said.text.strip().split(maxsplit=1)
    first = words[0].casefold().rstrip(":,") if words else ""
    return first == f"!{ASIDE}" or (said.is_mention and first == ASIDE) or (said.is_reply and said.to_another)


def _known(word: str) -> Word | None:
    return next((known for known in WORDS if known == word), None)


def _without_mention(raw: str, mention: re.Pattern[str]) -> str:
    leading = re.compile(rf"^\s*{mention.pattern}[:,]?[ \t]?")
    return mention.sub("", leading.sub("", raw, count=1))


def slash(text: str) -> Command:
    """The command in the text of ``/brick``; nothing at all asks for help."""
    words = text.strip().split()
    written = words[0].casefold() if words else "help"
    return Command(word=_known(written), written=written)
