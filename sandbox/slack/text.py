"""What a person types, as Slack's clients send it on (docs.slack.dev/messaging/formatting-message-text)."""

import re
from collections.abc import Iterable, Mapping

# What is already in Slack's notation stays as it is.
_NOTATION = re.compile(r"<(?:[@#][UWCD][A-Z0-9]+(?:\|[^<>]*)?|![a-z^][^<>]*|(?:https?|mailto):[^<>]+)>")
_LINK = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)'\"\]*_~`]")
_EMAIL = re.compile(r"(?<![\w.@/:|])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NAME = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![\w#&])#([a-z0-9][a-z0-9_-]*)")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_TOKEN = re.compile("|".join(part.pattern for part in (_NOTATION, _CODE)), re.DOTALL)
_BROADCASTS = {"channel": "<!channel>", "here": "<!here>", "everyone": "<!everyone>"}

_TABLE_ROW = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


def escape(text: str) -> str:
    """The three characters that Slack escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(text: str, *, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Turn typed text into message text: mentions, channels and links become tokens, the rest is escaped.

    ``users`` and ``channels`` lead from names to ids.
    """
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(_plain(text[end : match.start()], users, channels))
        is_code = match.group().startswith("`")
        parts.append(escape(match.group()) if is_code else match.group())
        end = match.end()
    parts.append(_plain(text[end:], users, channels))
    return "".join(parts)


def _plain(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    def user(match: re.Match[str]) -> str:
        name = match.group(1).lower()
        stem = name.rstrip("._-")
        id_ = users.get(stem)
        token = f"<@{id_}>" if id_ else _BROADCASTS.get(stem)
        return token + name[len(stem) :] if token else match.group()

    def channel(match: re.Match[str]) -> str:
        id_ = channels.get(match.group(1))
        return f"<#{id_}|>" if id_ else match.group()

    text = escape(text)
    text = _LINK.sub(lambda match: f"<{match.group()}>", text)
    text = _EMAIL.sub(lambda match: f"<mailto:{match.group()}|{match.group()}>", text)
    return _CHANNEL.sub(channel, _NAME.sub(user, text))


def mentions(text: str) -> set[str]:
    """The ids of the users mentioned in message text."""
    return set(re.findall(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>", text))


def table_count(markdown: str) -> int:
    """How many tables a Markdown text holds, outside its code fences."""
    lines = list(_outside_fences(markdown.splitlines()))
    return sum(
        "|" in above and "|" in rule and _TABLE_ROW.match(rule) is not None
        for above, rule in zip(lines, lines[1:], strict=False)
    )


def _outside_fences(lines: Iterable[str]) -> Iterable[str]:
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if match and not fence:
            fence = match.group(1)
        elif match and match.group(1) == fence:
            fence = ""
        elif not fence:
            yield line
