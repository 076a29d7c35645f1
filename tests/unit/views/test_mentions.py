"""Nothing that a model writes notifies anybody."""

import re

import pytest

from bot.views import mentions

ANGLE = [
    "<!channel>",
    "<!here>",
    "<!everyone|everyone>",
    "<!subteam^S123|@team>",
    "<@U0ADA0001>",
    "<@W12345>",
    "<#C0SALES01>",
]
# What Slack reads as a mention. docs.slack.dev/messaging/formatting-message-text
MENTION = re.compile(r"<[!@#][\w^]+[^>]*>|(?<!\w)@(?:channel|here|everyone)\b")


@pytest.mark.parametrize("mention", ANGLE)
@pytest.mark.parametrize("around", ["{}", "hey {} you", "`{}`", "```\n{}\n```", "\\{}", "**{}**"])
def test_angle_mentions_are_broken_everywhere(mention: str, around: str) -> None:
    safe = mentions.neutralise(around.format(mention))
    assert not MENTION.search(safe)
    assert safe.replace("\u2060", "") == around.format(mention)


@pytest.mark.parametrize("text", ["&lt;!channel&gt;", "&#60;!here>", "<\\!here>", "<!CHANNEL>"])
def test_ways_around_are_broken_too(text: str) -> None:
    assert "\u2060" in mentions.neutralise(text)


@pytest.mark.parametrize("name", ["@channel", "@here", "@everyone", "@Here"])
def test_bare_names_are_broken_in_prose(name: str) -> None:
    assert mentions.neutralise(f"Ask {name}, please") == f"Ask @\u2060{name[1:]}, please"


@pytest.mark.parametrize(
    "text",
    [
        "mail me@here.example",
        "`@channel.route`",
        "```python\n@channel.route\n```",
        "    @here\n",
        "@hereafter",
        "a < b and c > d",
        "<!-- a comment -->",
        "List<@NonNull String>",
    ],
)
def test_what_is_no_mention_is_left_alone(text: str) -> None:
    assert mentions.neutralise(text) == text


@pytest.mark.parametrize("text", [*ANGLE, "@here", "a\r\nb", "\x00x", "\ud83d alone"])
def test_doing_it_twice_changes_nothing_more(text: str) -> None:
    once = mentions.neutralise(text)
    assert mentions.neutralise(once) == once


def test_code_and_prose_keep_their_order() -> None:
    text = "@here\n\n```\n@here\n```\n\n`@here` and @here\n"
    assert mentions.neutralise(text).replace("\u2060", "") == text


def test_escaped_text_is_literal() -> None:
    assert mentions.escape("<!here> & @here") == "&lt;!here&gt; &amp; @\u2060here"
