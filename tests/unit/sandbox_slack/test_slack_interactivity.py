"""Commands, buttons, menus, modals and the Home tab, answered by a real Bolt app."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.people import ADA, BEN, SAM
from sandbox.slack import SlackSandbox
from sandbox.slack.errors import SlackError
from tests.unit.sandbox_slack.conftest import Bolt, refusal

SALES, RANDOM = "C0SALES01", "C0RANDOM1"
Json = dict[str, Any]
pytestmark = pytest.mark.usefixtures("connected")


def text(words: str) -> Json:
    return {"type": "plain_text", "text": words}


def actions(*elements: Json, block_id: str = "b") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(action_id: str, value: str = "v") -> Json:
    return {"type": "button", "text": text("Go"), "action_id": action_id, "value": value}


def field(action_id: str, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": action_id, **more}
    return {"type": "input", "block_id": f"{action_id}_block", "label": text(action_id), "element": element}


def modal(*blocks: Json, **more: Any) -> Json:
    frame = {"type": "modal", "callback_id": "form", "title": text("Form"), "submit": text("Save")}
    return {**frame, "blocks": list(blocks), **more}


@pytest.fixture
def bodies(bolt: Bolt) -> list[Json]:
    """Acknowledges every press, and collects the payloads."""
    heard: list[Json] = []

    async def remember(ack: AsyncAck, body: Json) -> None:
        heard.append(body)
        await ack()

    bolt.app.action("press")(remember)
    bolt.app.action("pick")(remember)
    return heard


OpenModal = Callable[[Json], Awaitable[str]]


@pytest.fixture
def open_modal(slack: SlackSandbox, client: AsyncWebClient) -> OpenModal:
    """Opens a modal for Ada and gives its id."""

    async def open_one(view: Json) -> str:
        answer = await client.views_open(trigger_id=slack.core.triggers.issue(ADA.id), view=view)
        return str(answer["view"]["id"])

    return open_one


# Commands


async def test_a_command_carries_who_where_and_how_to_answer(slack: SlackSandbox, bolt: Bolt) -> None:
    heard: list[Json] = []

    @bolt.app.command("/brick")
    async def brick(ack: AsyncAck, body: Json) -> None:
        heard.append(body)
        await ack("hello <you>")

    reply = await slack.command(ADA.id, SALES, "/brick", "use sales & co")
    assert reply.acked
    assert (heard[0]["text"], heard[0]["channel_name"]) == ("use sales &amp; co", "sales")
    assert heard[0]["response_url"].startswith(slack.url)
    assert "thread_ts" not in heard[0]
    assert slack.ephemerals(ADA.id)[0]["text"] == "hello <you>"


async def test_a_command_works_where_the_bot_is_not(slack: SlackSandbox, bolt: Bolt) -> None:
    @bolt.app.command("/brick")
    async def brick(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("for all", response_type="in_channel")

    await slack.command(ADA.id, RANDOM, "/brick")
    await slack.wait_for(lambda: "for all" in [m["text"] for m in slack.core.state.messages[RANDOM].values()])


async def test_silence_is_shown_as_a_failure(slack: SlackSandbox) -> None:
    reply = await slack.command(ADA.id, SALES, "/brick")
    assert (reply.acked, reply.error) == (False, "operation_timeout")
    assert slack.ephemerals(ADA.id)[0]["text"] == '/brick failed with the error "operation_timeout"'


async def test_an_absent_app_is_shown_as_a_failure(slack: SlackSandbox) -> None:
    slack.faults.refuse_connections = True
    await slack.faults.drop_sockets()
    await slack.command(ADA.id, SALES, "/brick")
    assert '"dispatch_failed"' in slack.ephemerals(ADA.id)[0]["text"]


async def test_commands_are_not_to_be_had_in_threads(slack: SlackSandbox) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    reply = await slack.command(ADA.id, SALES, "/brick", "help", thread_ts=root)
    assert reply.error == "not_in_threads"
    assert (await slack.command(ADA.id, SALES, "/other")).error == "unknown_command"


async def test_a_response_url_works_five_times(slack: SlackSandbox, bolt: Bolt) -> None:
    urls: list[str] = []

    @bolt.app.command("/brick")
    async def brick(ack: AsyncAck, body: Json) -> None:
        await ack()
        urls.append(body["response_url"])

    await slack.command(ADA.id, SALES, "/brick")
    webhook = AsyncWebhookClient(urls[0])
    answers = [await webhook.send(text=f"number {n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[-1].body == "used_url"
    assert len(slack.ephemerals(ADA.id)) == 5


async def test_a_response_url_does_not_know_markdown_text(slack: SlackSandbox) -> None:
    secret = slack.core.triggers.allow(user=ADA.id, channel=SALES)
    webhook = AsyncWebhookClient(f"{slack.url}/commands/T/{secret}")
    answer = await webhook.send_dict({"markdown_text": "**x**"})
    assert (answer.status_code, answer.body) == (400, "no_text")


# Buttons and menus in messages


async def test_a_press_carries_the_message_and_its_place(
    slack: SlackSandbox, client: AsyncWebClient, bodies: list[Json]
) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    blocks = [actions(button("press", "42"))]
    posted = await client.chat_postMessage(channel=SALES, thread_ts=root, text="x", blocks=blocks)
    await slack.press(BEN.id, SALES, posted["ts"], "press")
    body = bodies[0]
    assert (body["user"]["id"], body["channel"]["id"]) == (BEN.id, SALES)
    assert body["actions"][0]["value"] == "42"
    assert body["container"]["message_ts"] == body["message"]["ts"] == posted["ts"]
    assert body["container"]["thread_ts"] == root


@pytest.mark.parametrize(("action_id", "value"), [("other", None), ("press", "wrong")])
async def test_only_what_stands_there_can_be_pressed(
    slack: SlackSandbox, client: AsyncWebClient, action_id: str, value: str | None
) -> None:
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=[actions(button("press"))])
    with pytest.raises(LookupError):
        await slack.press(ADA.id, SALES, posted["ts"], action_id, value=value)
    await client.chat_update(channel=SALES, ts=posted["ts"], text="done", blocks=[])
    with pytest.raises(LookupError):
        await slack.press(ADA.id, SALES, posted["ts"], "press")


async def test_somebody_outside_the_channel_cannot_press(slack: SlackSandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0FINANCE", text="x", blocks=[actions(button("press"))])
    with pytest.raises(LookupError):
        await slack.press(BEN.id, "C0FINANCE", posted["ts"], "press")


async def test_a_choice_stays_in_the_state(
    slack: SlackSandbox, client: AsyncWebClient, bodies: list[Json]
) -> None:
    options = [{"text": text(word), "value": word} for word in ("red", "blue")]
    menu = {"type": "static_select", "action_id": "pick", "options": options}
    posted = await client.chat_postMessage(
        channel=SALES, text="x", blocks=[actions(menu, button("press"), block_id="menu")]
    )
    await slack.press(ADA.id, SALES, posted["ts"], "pick", selected="blue")
    await slack.press(ADA.id, SALES, posted["ts"], "press")
    assert bodies[0]["actions"][0]["selected_option"]["value"] == "blue"
    assert bodies[1]["state"]["values"]["menu"]["pick"]["selected_option"]["value"] == "blue"
    with pytest.raises(LookupError, match="red, blue"):
        await slack.press(ADA.id, SALES, posted["ts"], "pick", selected="green")


async def test_an_ephemeral_can_be_replaced_and_deleted_by_its_button(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient
) -> None:
    @bolt.app.action("again")
    async def again(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("replaced", replace_original=True, blocks=[actions(button("away"))])

    @bolt.app.action("away")
    async def away(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond(delete_original=True)

    blocks = [actions(button("again"))]
    answer = await client.chat_postEphemeral(channel=SALES, user=ADA.id, text="x", blocks=blocks)
    ts = answer["message_ts"]
    await slack.press(ADA.id, SALES, ts, "again")
    await slack.wait_for(lambda: slack.ephemerals(ADA.id)[0]["text"] == "replaced")
    await slack.press(ADA.id, SALES, ts, "away")
    await slack.wait_for(lambda: not slack.ephemerals(ADA.id))


async def test_a_press_without_acknowledgement_is_complained_about(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=[actions(button("nobody"))])
    await slack.press(ADA.id, SALES, posted["ts"], "nobody")
    assert "trouble connecting" in slack.ephemerals(ADA.id)[0]["text"]


async def test_an_external_menu_asks_the_app(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient, bodies: list[Json]
) -> None:
    @bolt.app.options("pick")
    async def offer(ack: AsyncAck, body: Json) -> None:
        await ack(options=[{"text": text(body["value"]), "value": "1"}])

    menu = {"type": "external_select", "action_id": "pick", "min_query_length": 0}
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=[actions(menu)])
    offered = await slack.options(ADA.id, "pick", "north", channel=SALES, ts=posted["ts"])
    assert offered["options"][0]["text"]["text"] == "north"
    await slack.press(ADA.id, SALES, posted["ts"], "pick", selected="north")
    assert bodies[0]["actions"][0]["selected_option"]["value"] == "1"


async def test_too_many_options_are_refused(slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient) -> None:
    @bolt.app.options("pick")
    async def offer(ack: AsyncAck) -> None:
        await ack(options=[{"text": text(f"{n}"), "value": f"{n}"} for n in range(101)])

    menu = {"type": "external_select", "action_id": "pick"}
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=[actions(menu)])
    with pytest.raises(SlackError, match="invalid_options"):
        await slack.options(ADA.id, "pick", "n", channel=SALES, ts=posted["ts"])


# Modals


async def test_a_trigger_works_once_and_soon(slack: SlackSandbox, client: AsyncWebClient) -> None:
    view = modal(field("name"))
    trigger = slack.core.triggers.issue(ADA.id)
    await client.views_open(trigger_id=trigger, view=view)
    assert await refusal(client.views_open(trigger_id=trigger, view=view)) == "exchanged_trigger_id"
    late = slack.core.triggers.issue(ADA.id)
    await asyncio.sleep(slack.core.timing.trigger_seconds)
    assert await refusal(client.views_open(trigger_id=late, view=view)) == "expired_trigger_id"
    assert await refusal(client.views_open(trigger_id="x", view=view)) == "invalid_trigger_id"


async def test_a_stale_hash_is_a_conflict(
    slack: SlackSandbox, client: AsyncWebClient, open_modal: OpenModal
) -> None:
    id_ = await open_modal(modal(field("name")))
    stale = slack.modals(ADA.id)[0]["hash"]
    await client.views_update(view_id=id_, hash=stale, view=modal(field("other")))
    call = client.views_update(view_id=id_, hash=stale, view=modal(field("name")))
    assert await refusal(call) == "hash_conflict"
    assert await refusal(client.views_update(view_id="V0", view=modal(field("name")))) == "not_found"


async def test_a_wrong_view_is_pointed_at(slack: SlackSandbox, client: AsyncWebClient) -> None:
    trigger = slack.core.triggers.issue(ADA.id)
    call = client.views_open(trigger_id=trigger, view=modal({"type": "markdown", "text": "x"}))
    assert await refusal(call) == "invalid_arguments"


async def _depth(slack: SlackSandbox, depth: int) -> None:
    await slack.wait_for(lambda: len(slack.modals(ADA.id)) == depth)


async def test_three_modals_make_a_full_stack(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient, open_modal: OpenModal
) -> None:
    @bolt.app.action("deeper")
    async def deeper(ack: AsyncAck, body: Json) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=modal(actions(button("deeper"))))

    await open_modal(modal(actions(button("deeper"))))
    for depth in (2, 3):
        await slack.press_in_view(ADA.id, slack.modals(ADA.id)[-1]["id"], "deeper")
        await _depth(slack, depth)
    await slack.press_in_view(ADA.id, slack.modals(ADA.id)[-1]["id"], "deeper")
    await slack.wait_for(lambda: slack.requests[-1].error == "push_limit_reached")


async def test_a_submission_carries_the_values_and_closes(
    slack: SlackSandbox, bolt: Bolt, open_modal: OpenModal
) -> None:
    heard: list[Json] = []

    @bolt.app.view("form")
    async def form(ack: AsyncAck, view: Json) -> None:
        heard.append(view["state"]["values"])
        await ack()

    id_ = await open_modal(modal(field("name")))
    assert await slack.submit(ADA.id, id_, {"name": "Orders"}) == {"ok": True}
    assert heard == [{"name_block": {"name": {"type": "plain_text_input", "value": "Orders"}}}]
    assert slack.modals(ADA.id) == []


async def test_an_empty_required_field_is_not_sent(slack: SlackSandbox, open_modal: OpenModal) -> None:
    id_ = await open_modal(modal(field("name")))
    answer = await slack.submit(ADA.id, id_, {})
    assert answer["errors"] == {"name_block": "Please complete this required field."}


async def test_the_app_may_refuse_a_submission(
    slack: SlackSandbox, bolt: Bolt, open_modal: OpenModal
) -> None:
    @bolt.app.view("form")
    async def form(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"name_block": "Taken"})

    id_ = await open_modal(modal(field("name")))
    assert (await slack.submit(ADA.id, id_, {"name": "x"}))["errors"] == {"name_block": "Taken"}
    assert len(slack.modals(ADA.id)) == 1


@pytest.mark.parametrize(("action", "left"), [("update", 1), ("push", 2), ("clear", 0)])
async def test_the_app_may_answer_a_submission_with_a_view(
    slack: SlackSandbox, bolt: Bolt, open_modal: OpenModal, action: str, left: int
) -> None:
    @bolt.app.view("form")
    async def form(ack: AsyncAck) -> None:
        view = None if action == "clear" else modal(field("next"), title=text("Next"))
        await ack(response_action=action, view=view)

    id_ = await open_modal(modal(field("name")))
    assert (await slack.submit(ADA.id, id_, {"name": "x"}))["ok"]
    assert len(slack.modals(ADA.id)) == left


async def test_a_silent_app_leaves_the_modal_open(slack: SlackSandbox, open_modal: OpenModal) -> None:
    id_ = await open_modal(modal(field("name"), callback_id="nobody"))
    assert (await slack.submit(ADA.id, id_, {"name": "x"}))["error"] == "operation_timeout"
    assert len(slack.modals(ADA.id)) == 1


async def test_closing_is_told_to_those_who_asked(
    slack: SlackSandbox, bolt: Bolt, open_modal: OpenModal
) -> None:
    closed: list[str] = []

    @bolt.app.view_closed("form")
    async def form(ack: AsyncAck, view: Json) -> None:
        closed.append(view["id"])
        await ack()

    id_ = await open_modal(modal(field("name"), notify_on_close=True))
    await slack.close_view(ADA.id, id_)
    assert closed == [id_]
    assert slack.modals(ADA.id) == []


# Home


async def test_home_is_published_pressed_and_published_again(
    slack: SlackSandbox, client: AsyncWebClient, bodies: list[Json]
) -> None:
    home = {"type": "home", "blocks": [actions(button("press"))]}
    first = await client.views_publish(user_id=ADA.id, view=home)
    await slack.press_in_view(ADA.id, "home", "press")
    assert bodies[0]["view"]["hash"] == first["view"]["hash"]
    assert "channel" not in bodies[0]
    assert "response_url" not in bodies[0]
    second = await client.views_publish(user_id=ADA.id, hash=first["view"]["hash"], view=home)
    assert second["view"]["id"] == first["view"]["id"]
    call = client.views_publish(user_id=ADA.id, hash=first["view"]["hash"], view=home)
    assert await refusal(call) == "hash_conflict"


async def test_strangers_have_no_home(client: AsyncWebClient) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    assert await refusal(client.views_publish(user_id=SAM.id, view=home)) == "invalid_arguments"


async def test_strangers_have_no_direct_messages_with_the_bot(slack: SlackSandbox) -> None:
    with pytest.raises(SlackError, match="channel_not_found"):
        await slack.say(SAM.id, "@bricklayer", "hello")
    with pytest.raises(SlackError, match="channel_not_found"):
        await slack.open_home(SAM.id)
