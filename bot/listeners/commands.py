"""Slash commands. Slack gives three seconds, so the acknowledgement goes first and the answer follows."""

import re
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot import commands, people, said
from bot.listeners.desk import Desk
from bot.views import notices

COMMAND = "/brick"


def register(bolt: AsyncApp, desk: Desk) -> None:
    """``/brick <word>``; alone it is ``/brick help``."""

    async def brick(ack: AsyncAck, respond: AsyncRespond, command: dict[str, Any]) -> None:
        await ack()
        person = await desk.admitted(str(command["user_id"]))
        if not isinstance(person, people.Person):
            answer = person
        else:
            asker = commands.Asker(person=person, channel_id=str(command["channel_id"]), thread_ts=None)
            answer = await desk.commands.answer(said.slash(str(command.get("text") or "")), asker)
        await respond(text=answer.text, blocks=list(answer.blocks), response_type="ephemeral")

    bolt.command(COMMAND)(brick)


def register_rest(bolt: AsyncApp) -> None:
    """Commands that an older manifest may still declare."""

    async def unknown(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack(text=notices.unknown_word(str(command.get("command") or "")).text)

    bolt.command(re.compile(".*"))(unknown)
