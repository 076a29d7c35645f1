"""Making sure that text of others notifies nobody.

A model repeats what it read, and what it read may say ``<!channel>``. Every Markdown library that was tried lets such
markup through, so it is broken here with an invisible word joiner: people see the same characters, Slack sees no
mention. Angle markup is broken everywhere, code included. A bare ``@channel`` is broken outside code only, because in
code it is more likely a decorator that somebody will copy.
"""

import re

from bot.views import structure

_JOINER = "\u2060"
_ANGLE = re.compile(
    # An entity or a backslash would turn into the same characters when the Markdown is read.
    r"(?P<open><|&lt;|&\#0*60;|&\#x0*3c;)"
    r"(?=\\?(?:!\\?(?:channel|here|everyone|group|subteam|date)\b|@\\?[UWB][A-Z0-9]+|\#\\?[CGD][A-Z0-9]+))",
    re.IGNORECASE | re.VERBOSE,
)
_BARE = re.compile(r"(?<![\w.+-])@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
# Slack shows boxes for them; a surrogate without its partner cannot be written to the wire at all.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def neutralise(markdown: str) -> str:
    """``markdown`` that looks the same and mentions nobody. Doing it twice changes nothing more."""
    text = _UNPRINTABLE.sub("", markdown.replace("\r\n", "\n").replace("\r", "\n"))
    text = _ANGLE.sub(rf"\g<open>{_JOINER}", text)
    return _break_outside_code(text) if _BARE.search(text) else text


def escape(text: str) -> str:
    """``text`` for mrkdwn and for a message's ``text``: taken literally, mentions broken.

    docs.slack.dev/messaging/formatting-message-text
    """
    safe = _break_bare(_UNPRINTABLE.sub("", text))
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _break_bare(text: str) -> str:
    return _BARE.sub(f"@{_JOINER}", text)


def _break_outside_code(text: str) -> str:
    lines = structure.lines_of(text)
    pieces: list[str] = []
    done = 0
    for start, end in structure.code_lines(text):
        pieces += [_break_outside_spans("".join(lines[done:start])), *lines[start:end]]
        done = end
    return "".join([*pieces, _break_outside_spans("".join(lines[done:]))])


def _break_outside_spans(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for span in _CODE_SPAN.finditer(text):
        pieces += [_break_bare(text[done : span.start()]), span.group()]
        done = span.end()
    return "".join([*pieces, _break_bare(text[done:])])
