"""Everything this Slack remembers.

Plain data and look-ups only: what a change means for pages and events is told in ``messages`` and ``events``. Messages,
views and files are kept in Slack's own JSON shapes.
"""

import copy
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field

from sandbox import people
from sandbox.slack.changes import Changes
from sandbox.slack.errors import SlackError
from sandbox.slack.values import Json, Version

SLACKBOT = "USLACKBOT"


@dataclass(kw_only=True)
class Conversation:
    """A channel or the direct messages of one person with the bot."""

    id: str
    name: str
    #: "public", "private", "shared" or "im".
    kind: str
    topic: str
    members: list[str]
    created: int
    is_archived: bool = False
    is_pending_ext_shared: bool = False

    @property
    def bot_is_member(self) -> bool:
        """Whether the bot hears what is said here."""
        return people.BOT.user_id in self.members

    @property
    def event_type(self) -> str:
        """The ``channel_type`` of message events."""
        return {"private": "group", "im": "im"}.get(self.kind, "channel")


@dataclass(kw_only=True)
class File:
    """An uploaded file; ``info`` is Slack's file object."""

    info: Json
    content: bytes | None
    owner: str


@dataclass(kw_only=True)
class Stream:
    """A message that is being streamed."""

    started: float
    #: "markdown_text" or "chunks": one stream keeps to one style.
    style: str = ""
    text: str = ""
    task_texts: int = 0
    plan_title: str = ""
    display: str = "timeline"
    tasks: dict[str, Json] = field(default_factory=dict)
    blocks: list[Json] = field(default_factory=list)
    stopped_by_user: bool = False


@dataclass(kw_only=True)
class Session:
    """An agent session (docs.slack.dev/ai): one per thread in which the agent said what it does."""

    status: str
    title: str
    since: float


class State:
    """The team's people, conversations, messages, views and files."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.people = {person.id: person for person in people.PEOPLE}
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, dict[str, Json]] = defaultdict(dict)
        self.history: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self.ephemerals: dict[str, list[Json]] = defaultdict(list)
        self.homes: dict[str, Json] = {}
        self.modals: dict[str, list[Json]] = defaultdict(list)
        self.files: dict[str, File] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.statuses: dict[tuple[str, str], Json] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.prompts: dict[tuple[str, str], list[Json]] = {}
        #: What people chose in messages, by (channel, ts, user), and what was last suggested to them.
        self.choices: dict[tuple[str, str, str], Json] = {}
        self.suggestions: dict[tuple[str, str], list[Json]] = {}
        self._last_ts = 0
        self._populate()

    def _populate(self) -> None:
        created = int(time.time()) - 90 * 86_400
        for channel in people.CHANNELS:
            self.conversations[channel.id] = Conversation(
                id=channel.id,
                name=channel.name,
                kind=channel.kind,
                topic=channel.topic,
                members=list(channel.members),
                created=created,
            )
        for person in people.PEOPLE:
            if person.team_id == people.TEAM.id:
                self.direct(person.id)

    def direct(self, user: str) -> Conversation:
        """The direct messages of a person of the team with the bot, opened when there are none yet.

        Strangers have none (``channel_not_found``): the app is not installed where they are.
        """
        person = self.people.get(user)
        if person is None or person.team_id != people.TEAM.id:
            raise SlackError("channel_not_found")
        id_ = direct_id(user)
        if id_ not in self.conversations:
            self.conversations[id_] = Conversation(
                id=id_,
                name=user,
                kind="im",
                topic="",
                members=[user, people.BOT.user_id],
                created=int(time.time()),
            )
        return self.conversations[id_]

    def conversation(self, channel: str) -> Conversation:
        """The conversation with this id or, for people's sake, "#name"; ``channel_not_found``."""
        if found := self.conversations.get(channel):
            return found
        name = channel.removeprefix("#")
        for candidate in self.conversations.values():
            if candidate.kind != "im" and candidate.name == name:
                return candidate
        raise SlackError("channel_not_found")

    def new_ts(self, at: float | None = None) -> str:
        """A timestamp that nobody has: later than every one before, unless ``at`` names a time in the past."""
        now = int((time.time() if at is None else at) * 1_000_000)
        now = max(now, self._last_ts + 1)
        self._last_ts = now
        return f"{now // 1_000_000}.{now % 1_000_000:06d}"

    def message(self, channel: str, ts: str) -> Json:
        """The message as it stands; ``message_not_found``."""
        found = self.messages[channel].get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def keep(self, channel: str, message: Json, *, deleted: bool = False) -> None:
        """Remember one more version of a message."""
        version = Version(at=time.monotonic(), message=copy.deepcopy(message), deleted=deleted)
        self.history[(channel, message["ts"])].append(version)

    def replies(self, channel: str, thread_ts: str) -> list[Json]:
        """The replies of a thread, oldest first, without its root."""
        return [
            message
            for message in self.messages[channel].values()
            if message.get("thread_ts") == thread_ts and message["ts"] != thread_ts
        ]

    def is_root(self, message: Json) -> bool:
        """Whether the message can carry a thread: it is not a reply itself."""
        return bool(message.get("thread_ts", message["ts"]) == message["ts"])

    def viewers(self, conversation: Conversation) -> list[str]:
        """The people whose page shows this conversation."""
        if conversation.kind != "public":
            return conversation.members
        team = [p.id for p in self.people.values() if p.role in ("admin", "member")]
        return [*team, *conversation.members]


def direct_id(user: str) -> str:
    """The id that a person's direct messages with the bot have, or would have."""
    return f"D0{user.removeprefix('U0')}"


def new_id(prefix: str) -> str:
    """An id in Slack's style that nobody has, in this sandbox or any other run."""
    return prefix + "0" + secrets.token_hex(5).upper()
