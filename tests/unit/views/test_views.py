"""Every view, fed with more than fits, stays within Slack's limits and notifies nobody."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bot.views
from bot.views import content, help, home, limits, messages, notices, status
from sandbox.slack import blocks as slack_blocks

LONG = "<!channel> & `long` " * 2_000
WHO = "ada@brickfield.example" * 20
STEPS = [messages.Step(name=LONG, summary=LONG, state="done", outcome=LONG)] * 200
STATUSES: list[messages.Status] = [
    messages.Queued(ahead=10**9),
    messages.Queued(needs_sign_in=True),
    messages.Working(acting_as=LONG, elapsed=1e7, activity=LONG),
    *(
        messages.Over(
            outcome=outcome,
            duration=1e7,
            cost_usd=1e6,
            acting_as=LONG,
            error=LONG,
            changed_files=(LONG,) * 50,
        )
        for outcome in ("done", "stopped", "failed", "interrupted")
    ),
]
PROJECTS = tuple(
    home.Project(id=f"{number:0200}", name=LONG, channel_ids=("C1",) * 50) for number in range(150)
)
HOMES = [
    home.Home(user_id="U1", account=None),
    home.Home(user_id="U1", account=None, shared_as=LONG, projects=PROJECTS[:8], picked_id=PROJECTS[1].id),
    home.Home(
        user_id="U1",
        account=home.Account(user_name=LONG, host=LONG),
        projects=PROJECTS,
        picked_id=PROJECTS[120].id,
        turns=(home.Turn(project=LONG, prompt=LONG, state="running", link="https://x.example"),) * 60,
    ),
]
NOTICES = [
    notices.not_a_member(),
    notices.shared_channel(),
    notices.empty_mention(bot_user_id="U1"),
    notices.only_files(),
    notices.unknown_word(LONG),
    notices.sign_in_link(url="https://bricklayer.example/auth/start?x=1", minutes=10),
    notices.signed_out(),
    notices.not_signed_in(),
    notices.whoami(user_id="U1", account=LONG, host=LONG, facts=[LONG]),
    notices.stopping(count=3),
    notices.nothing_to_stop(),
    notices.already_over(),
    notices.unknown_button(),
    notices.may_not_stop(),
    notices.failure(LONG),
    notices.unavailable(),
    help.message(),
    status.message([]),
    status.message(
        [status.Line(state="queued", sender_id="U1", prompt=LONG, age=1e6, link="https://x")] * 90
    ),
]


def assert_fits(message: content.Content) -> None:
    assert 0 < limits.length(message.text) <= limits.MESSAGE_TEXT
    assert len(message.blocks) <= limits.MESSAGE_BLOCKS
    assert sum(limits.length(text) for text in _texts(list(message.blocks))) <= limits.BLOCKS_TEXT
    assert "<!channel>" not in json.dumps([message.text, message.blocks]) or _only_plain(message)
    scan = slack_blocks.problems_of(list(message.blocks), surface="message")
    assert scan.problems == []


def _only_plain(message: content.Content) -> bool:
    """Mention markup may stand where Slack reads no markup."""
    marked = [text for kind, text in _typed(list(message.blocks)) if kind != "plain_text"]
    return not any("<!channel>" in text for text in [message.text, *marked])


def _typed(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["type"], value["text"]
        for entry in value.values():
            yield from _typed(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _typed(entry)


def _texts(value: Any) -> Iterator[str]:
    return (text for _, text in _typed(value))


@pytest.mark.parametrize("state", STATUSES, ids=repr)
def test_a_reply_fits_whatever_is_in_it(state: messages.Status) -> None:
    part = "x" * 11_000
    assert_fits(messages.reply(messages.text(part), steps=STEPS, status=state, turn_id="t" * 36))
    assert_fits(messages.reply(messages.text(""), status=state, turn_id="t" * 36))


def test_an_earlier_message_is_text_alone() -> None:
    message = messages.text("x" * 11_000)
    assert_fits(message)
    assert [block["type"] for block in message.blocks] == ["markdown"]


@pytest.mark.parametrize("message", NOTICES, ids=lambda message: message.text[:40])
def test_notices_fit(message: content.Content) -> None:
    assert_fits(message)


@pytest.mark.parametrize("shown", HOMES, ids=["new", "listed", "full"])
def test_a_home_fits(shown: home.Home) -> None:
    view = home.view(shown)
    assert len(view["blocks"]) <= limits.VIEW_BLOCKS
    assert slack_blocks.problems_of(view["blocks"], surface="home").problems == []


def test_the_picked_project_is_marked() -> None:
    view = home.view(HOMES[1])
    labels = [
        block["accessory"]["text"]["text"]
        for block in view["blocks"]
        if "project:" in block.get("block_id", "")
    ]
    assert labels.count("Picked") == 1


def test_the_help_knows_every_word() -> None:
    shown = json.dumps(help.message().blocks)
    assert all(f"/brick {word}" in shown for word in ("help", "status", "stop", "login", "logout", "whoami"))


def test_plain_pieces_say_everything_that_the_blocks_say() -> None:
    text = " ".join(f"word{number}" for number in range(1_200))
    over = messages.Over(outcome="done", duration=3.0)
    pieces = content.plain(messages.reply(messages.text(text), status=over, turn_id="t"))
    assert all(limits.length(piece.text) <= limits.MESSAGE_TEXT and not piece.blocks for piece in pieces)
    assert " ".join(piece.text for piece in pieces).split() == [*text.split(), "Done", "in", "3", "s"]


FORBIDDEN = {
    "asyncio",
    "aiohttp",
    "slack_sdk",
    "slack_bolt",
    "storage",
    "agent",
    "time",
    "structlog",
    "sqlalchemy",
}


def test_views_import_nothing_that_acts() -> None:
    for path in Path(bot.views.__path__[0]).glob("*.py"):
        imported = {name.split(".")[0] for name in _imports(ast.parse(path.read_text()))}
        assert not imported & FORBIDDEN, path.name


def test_views_import_nothing_of_the_bot_but_views() -> None:
    for path in Path(bot.views.__path__[0]).glob("*.py"):
        ours = [name for name in _imports(ast.parse(path.read_text())) if name.startswith("bot")]
        assert all(name == "bot.views" for name in ours), path.name


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
