"""Who a Slack user is, and whether this person may use the bot.

Profiles come from ``users.info`` and are kept for some minutes; while a look-up is under way everybody waits for the
same one. A person who cannot be looked up may nothing: the error goes to the caller, who tries the message again.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

PROFILE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Person:
    """A Slack user as ``users.info`` describes them (docs.slack.dev/reference/objects/user-object)."""

    id: str
    team_id: str
    name: str
    email: str | None
    is_admin: bool
    is_guest: bool
    is_stranger: bool
    is_bot: bool
    is_deleted: bool

    def is_full_member(self, team_id: str) -> bool:
        """Whether this is a living, human, full member of that team."""
        return self.team_id == team_id and not (
            self.is_guest or self.is_stranger or self.is_bot or self.is_deleted
        )


class People:
    """The team's users, looked up as needed."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        team_id: str,
        admins: Collection[str] = (),
        allow_guests: bool = False,
    ) -> None:
        self._client = client
        self._team_id = team_id
        self._admins = frozenset(admins)
        self._allow_guests = allow_guests
        self._known: dict[str, tuple[float, asyncio.Task[Person]]] = {}

    async def get(self, user_id: str) -> Person:
        """This user's profile; raises SlackApiError when Slack does not give it."""
        now = time.monotonic()
        known = self._known.get(user_id)
        if known is None or known[0] < now or _failed(known[1]):
            task = asyncio.create_task(self._look_up(user_id), name=f"users.info {user_id}")
            known = (now + PROFILE_SECONDS, task)
            self._known[user_id] = known
        # Shielded, because others may be waiting for the same look-up when this caller is cancelled.
        return await asyncio.shield(known[1])

    async def email(self, user_id: str) -> str | None:
        """The e-mail address in this user's Slack profile, looked up afresh."""
        self._known.pop(user_id, None)
        return (await self.get(user_id)).email

    def may_use(self, person: Person) -> bool:
        """Whether this person may have turns: full members, and guests where a setting says so."""
        if person.is_full_member(self._team_id):
            return True
        is_guest_of_ours = person.team_id == self._team_id and person.is_guest and not person.is_stranger
        return self._allow_guests and is_guest_of_ours and not (person.is_bot or person.is_deleted)

    def is_admin(self, person: Person) -> bool:
        """Whether this person may manage what others own: Slack admins and ``BRICKLAYER_ADMINS``."""
        return person.is_full_member(self._team_id) and (person.is_admin or person.id in self._admins)

    async def _look_up(self, user_id: str) -> Person:
        answer = await self._client.users_info(user=user_id)
        return _person(answer["user"])


def _failed(task: asyncio.Task[Person]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _person(user: Mapping[str, Any]) -> Person:
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return Person(
        id=str(user["id"]),
        team_id=str(user.get("team_id") or ""),
        name=next((str(name) for name in names if name), str(user["id"])),
        email=profile.get("email") or None,
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
        is_bot=bool(user.get("is_bot")),
        is_deleted=bool(user.get("deleted")),
    )
