"""The App Home: who you are on Databricks, which project your direct messages go to, what runs now, and how to ask.

A Home view takes no ``markdown`` block, so everything here is sections and context lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.views import content, elements, help, limits, mentions, messages, wording

PICK_ACTION: Final = "project.pick"
#: Up to this many projects have a line and a button each; more go into one menu.
_LISTED: Final = 8
_RUNNING_SHOWN: Final = 10
_NAME: Final = 200


@dataclass(frozen=True, kw_only=True)
class Account:
    """The linked Databricks account; ``user_name`` is what Databricks calls the person."""

    user_name: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project that the person can pick for direct messages; ``channel_ids`` are those it is bound to."""

    id: str
    name: str
    channel_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Something under way; ``prompt`` is what was asked and ``link`` leads to the message, when known."""

    project: str
    prompt: str
    state: str
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Home:
    """What the Home of one person shows. ``shared_as`` names the shared account that serves unlinked people."""

    user_id: str
    account: Account | None
    shared_as: str | None = None
    projects: tuple[Project, ...] = ()
    picked_id: str | None = None
    turns: tuple[Turn, ...] = ()


def view(home: Home) -> dict[str, Any]:
    """The argument ``view`` of views.publish."""
    blocks = [
        elements.header("Bricklayer"),
        elements.section(
            f"Hello <@{home.user_id}>. Ask in a channel or here, and I build it on Databricks as you."
        ),
        *_account(home),
        elements.divider(),
        *_projects(home.projects, picked_id=home.picked_id),
        elements.divider(),
        *_turns(home.turns),
        elements.divider(),
        elements.section(f"*How to ask*\n{help.EXAMPLES}"),
    ]
    return {"type": "home", "blocks": blocks[: limits.VIEW_BLOCKS]}


def _account(home: Home) -> list[content.Block]:
    if home.account is not None:
        name, host = _quoted(home.account.user_name), _quoted(home.account.host)
        return [elements.section(f"*Databricks*\nYou work as {name} on {host}.")]
    login = elements.button("Sign in to Databricks", action_id=messages.LOGIN_ACTION, style="primary")
    if home.shared_as is not None:
        line = f"You are not signed in; until you are, your messages run as {_quoted(home.shared_as)}."
    else:
        line = "You are not signed in yet. Sign in, so that I can work with your rights and nobody else's."
    return [elements.section(f"*Databricks*\n{line}", accessory=login, block_id="identity")]


def _projects(projects: Sequence[Project], *, picked_id: str | None) -> list[content.Block]:
    if not projects:
        return [
            elements.section(
                "*Projects*\nThere are none yet. Mention me in a channel, and its project is made."
            )
        ]
    title = "*Projects*\nMessages that you send me directly go to the one you pick."
    if len(projects) > _LISTED:
        options = [elements.Option(text=project.name, value=project.id) for project in projects]
        menu = elements.select("Pick a project", action_id=PICK_ACTION, options=options, chosen=picked_id)
        unlisted = len(projects) - limits.SELECT_OPTIONS
        note = f"\n{wording.count(unlisted, 'project')} more than the menu can show." if unlisted > 0 else ""
        return [elements.section(title + note, accessory=menu, block_id="projects")]
    lines = [_project(project, is_picked=project.id == picked_id) for project in projects]
    return [elements.section(title), *lines]


def _project(project: Project, *, is_picked: bool) -> content.Block:
    name = f"*{_quoted(project.name)}*"
    places = wording.some([f"<#{channel}>" for channel in project.channel_ids], at_most=5)
    text = " · ".join(part for part in (f"✓ {name}" if is_picked else name, places) if part)
    pick = elements.button("Picked" if is_picked else "Pick", action_id=PICK_ACTION, value=project.id)
    return elements.section(text, accessory=pick, block_id=f"project:{project.id}")


def _turns(turns: Sequence[Turn]) -> list[content.Block]:
    if not turns:
        return [elements.section("*Under way*\nNothing at the moment.")]
    lines = [_turn(turn) for turn in turns[:_RUNNING_SHOWN]]
    hidden = len(turns) - len(lines)
    return [
        elements.section("\n".join(["*Under way*", *lines, *([f"and {hidden} more"] if hidden > 0 else [])]))
    ]


def _turn(turn: Turn) -> str:
    prompt = mentions.escape(limits.one_line(turn.prompt, 80))
    link = f" · <{turn.link}|open>" if turn.link else ""
    return f"• {mentions.escape(turn.state)} in {mentions.escape(limits.one_line(turn.project, 40))}: {prompt}{link}"


def _quoted(text: str) -> str:
    return mentions.escape(limits.one_line(text, _NAME))
