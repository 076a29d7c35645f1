"""Buttons and menus. A value is an opaque id that anyone may send; what it means and who may use it is looked up."""

import re
from typing import Any
from uuid import UUID

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot import people, stopping
from bot.listeners.desk import Desk
from bot.views import content, home, messages, notices

log = structlog.get_logger(__name__)


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Stop, pick a project, sign in."""

    async def stop(
        ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], action: dict[str, Any]
    ) -> None:
        await ack()
        person = await desk.admitted(_user(body))
        if not isinstance(person, people.Person):
            return await _tell(respond, person)
        turn_id = _id(action)
        if turn_id is None:
            return await _tell(respond, notices.unknown_button())
        match await desk.stopping.stop(turn_id, person=person):
            case stopping.Stopped.FORBIDDEN:
                await _tell(respond, notices.may_not_stop())
            case stopping.Stopped.OVER:
                await _tell(respond, notices.already_over())
            case stopping.Stopped.DONE:
                # The reply itself shows it.
                return

    async def pick(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        person, project_id = await desk.admitted(_user(body)), _id(action)
        if isinstance(person, people.Person) and project_id is not None:
            await desk.home.pick(person, project_id)

    async def login(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        person = await desk.admitted(_user(body))
        answer = await desk.commands.login(person) if isinstance(person, people.Person) else person
        if (body.get("container") or {}).get("type") == "view":
            # A Home has no channel to answer in; the person's own conversation with us does.
            await desk.home.tell(_user(body), answer)
        else:
            await _tell(respond, answer)

    async def opened(ack: AsyncAck) -> None:
        # A button with a link reports the click besides opening it.
        await ack()

    bolt.action(messages.STOP_ACTION)(stop)
    bolt.action(home.PICK_ACTION)(pick)
    bolt.action(messages.LOGIN_ACTION)(login)
    bolt.action("identity.open")(opened)


def register_rest(bolt: AsyncApp) -> None:
    """Buttons of older messages, and surfaces that we do not offer."""

    async def unknown(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        log.info("button not known", user=_user(body))
        await _tell(respond, notices.unknown_button())

    async def nothing(ack: AsyncAck) -> None:
        await ack()

    bolt.action(re.compile(".*"))(unknown)
    bolt.view(re.compile(".*"))(nothing)
    bolt.view_closed(re.compile(".*"))(nothing)
    bolt.options(re.compile(".*"))(_no_options)
    bolt.shortcut(re.compile(".*"))(nothing)


async def _no_options(ack: AsyncAck) -> None:
    await ack(options=[])


async def _tell(respond: AsyncRespond, answer: content.Content) -> None:
    await respond(
        text=answer.text, blocks=list(answer.blocks), response_type="ephemeral", replace_original=False
    )


def _user(body: dict[str, Any]) -> str:
    return str(body["user"]["id"])


def _id(action: dict[str, Any]) -> UUID | None:
    value = action.get("value") or (action.get("selected_option") or {}).get("value")
    try:
        return UUID(str(value))
    except ValueError:
        return None
