"""Who lives in the sandbox: one Slack team, its people and channels, and the same people in the Databricks workspace.

The roles cover every answer to "who may?": an admin, two full members, a single-channel guest, and a stranger
from another team who is seen through a shared channel. E-mail addresses are the same on both services.
"""

from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "member", "guest", "stranger"]
ChannelKind = Literal["public", "private", "shared"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """A human being with a Slack account and, unless a stranger, a Databricks account."""

    id: str
    name: str
    real_name: str
    email: str
    role: Role
    team_id: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Team:
    """A Slack workspace."""

    id: str
    name: str
    domain: str


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel at the start of the world; ``members`` are user ids, the bot's among them where it was invited."""

    id: str
    name: str
    kind: ChannelKind
    topic: str
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Bot:
    """The app's own user in the team."""

    user_id: str
    bot_id: str
    app_id: str
    name: str


TEAM = Team(id="T0BRICK01", name="Brickfield", domain="brickfield")
OTHER_TEAM = Team(id="T0OTHER01", name="Quarry Partners", domain="quarry")
BOT = Bot(user_id="U0BRICKBOT", bot_id="B0BRICKBOT", app_id="A0BRICKAPP", name="bricklayer")

ADA = Person(
    id="U0ADA0001",
    name="ada",
    real_name="Ada Okafor",
    email="ada@brickfield.example",
    role="admin",
    team_id=TEAM.id,
    color="#7c3aed",
)
BEN = Person(
    id="U0BEN0001",
    name="ben",
    real_name="Ben Lindqvist",
    email="ben@brickfield.example",
    role="member",
    team_id=TEAM.id,
    color="#0f766e",
)
CLEO = Person(
    id="U0CLEO001",
    name="cleo",
    real_name="Cleo Marchetti",
    email="cleo@brickfield.example",
    role="member",
    team_id=TEAM.id,
    color="#b45309",
)
GUS = Person(
    id="U0GUS0001",
    name="gus",
    real_name="Gus Weber",
    email="gus@contractor.example",
    role="guest",
    team_id=TEAM.id,
    color="#64748b",
)
SAM = Person(
    id="U0SAM0001",
    name="sam",
    real_name="Sam Rivera",
    email="sam@quarry.example",
    role="stranger",
    team_id=OTHER_TEAM.id,
    color="#be123c",
)
PEOPLE = (ADA, BEN, CLEO, GUS, SAM)

CHANNELS = (
    Channel(
        id="C0SALES01",
        name="sales",
        kind="public",
        topic="Orders, regions, revenue",
        members=(ADA.id, BEN.id, CLEO.id, GUS.id, BOT.user_id),
    ),
    Channel(
        id="C0ENG0001",
        name="engineering",
        kind="public",
        topic="Pipelines and platform",
        members=(ADA.id, BEN.id, CLEO.id, BOT.user_id),
    ),
    Channel(
        id="C0FINANCE",
        name="finance",
        kind="private",
        topic="Numbers that stay here",
        members=(ADA.id, CLEO.id, BOT.user_id),
    ),
    Channel(
        id="C0PARTNER",
        name="partners",
        kind="shared",
        topic="Shared with Quarry Partners",
        members=(ADA.id, BEN.id, SAM.id, BOT.user_id),
    ),
    Channel(
        id="C0RANDOM1",
        name="random",
        kind="public",
        topic="The bot is not in here",
        members=(ADA.id, BEN.id, CLEO.id),
    ),
)


def person(user_id: str) -> Person:
    """The person with this id; ``KeyError`` when nobody has it."""
    for candidate in PEOPLE:
        if candidate.id == user_id:
            return candidate
    raise KeyError(user_id)
