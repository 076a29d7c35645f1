"""Who may have the bot work: full members in channels of the team, and whom a setting lets in besides."""

import pytest

from bot.views import home, messages
from sandbox import people
from sandbox.people import ADA, BEN, CLEO, GUS, SAM
from storage import turns
from tests.acceptance import houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_guest_has_no_turn_no_link_no_home_and_no_button(production: houses.House) -> None:
    stage, offered = production.stage, await production.offered(GUS)

    said = await stage.whisper(GUS.id, stage.ask("!!say no", user=GUS.id))
    assert "full members of this Slack team only" in said
    for word in ("login", "status", "stop", "whoami", "logout", "help"):
        assert "full members" in await production.brick(GUS, word)
    for action in (messages.LOGIN_ACTION, messages.STOP_ACTION):
        assert "full members" in await stage.whisper(GUS.id, stage.forge(GUS.id, action, "x"))
    await stage.forge(GUS.id, home.PICK_ACTION, "00000000-0000-0000-0000-000000000000")

    assert await _turns_of(production, GUS) == 0
    assert await production.offered(GUS) == offered == 0
    assert await production.deeds(GUS, "project.pick") == []


async def test_a_stranger_and_a_shared_channel_are_refused(production: houses.House) -> None:
    stage = production.stage

    sams = await stage.whisper(SAM.id, stage.ask("!!say no", user=SAM.id, channel=stages.PARTNERS))
    adas = await stage.whisper(ADA.id, stage.ask("!!say no", user=ADA.id, channel=stages.PARTNERS))

    assert "full members" in sams
    assert "channels shared with another company" in adas
    assert await stage.query(f"SELECT count(*) FROM turns WHERE channel_id = '{stages.PARTNERS}'") == 0


async def test_a_bot_is_not_answered(production: houses.House, opened: houses.House) -> None:
    event = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B0OTHER01",
        "channel": stages.SALES,
        "channel_type": "channel",
        "text": f"<@{people.BOT.user_id}> !!say to a bot",
    }
    for stage in (production.stage, opened.stage):
        before = await stage.turn_count()
        await stage.slack.send_event({**event, "ts": "1700000000.000100"})
        # The newer kind of bot has a user, too.
        newer = {**event, "subtype": None, "user": ADA.id, "ts": "1700000000.000200"}
        await stage.slack.send_event(newer)
        await stage.quiet()
        assert await stage.turn_count() == before


async def test_settings_let_guests_in_but_no_strangers(opened: houses.House) -> None:
    stage = opened.stage

    guests = await stage.ask("!!say welcome", user=GUS.id)
    assert (await opened.over(guests)).sender_id == GUS.id
    said = await stage.whisper(SAM.id, stage.ask("!!say no", user=SAM.id, channel=stages.PARTNERS))

    assert "full members" in said
    assert "full members" in await opened.brick(SAM, "login", channel=stages.PARTNERS)
    assert await opened.offered(SAM) == await _turns_of(opened, SAM) == 0


async def test_a_setting_opens_shared_channels_for_the_team(opened: houses.House) -> None:
    ts = await opened.stage.ask("!!say welcome", user=ADA.id, channel=stages.PARTNERS)

    assert (await opened.over(ts, channel=stages.PARTNERS)).state is turns.TurnState.DONE


async def test_an_admin_by_setting_stops_what_others_may_not(opened: houses.House) -> None:
    stage = opened.stage
    # The channel's first message was Ada's, so the project is hers.
    here = stages.ENGINEERING
    ts = await opened.sql(ADA, "stopped by an admin", channel=here, seconds=60)
    await stage.until(lambda: opened.users("stopped by an admin"))
    reply = await opened.reply(ts, channel=here)

    bens = await stage.whisper(BEN.id, stage.press_stop(BEN.id, reply, channel=here))
    assert "Only the person who asked, the project's owner or an admin" in bens
    assert "Nothing runs here" in await opened.brick(BEN, "stop", channel=here)
    await stage.press_stop(CLEO.id, reply, channel=here)

    turn = await opened.over(ts, channel=here)
    assert (turn.state, turn.stop_requested_by) == (turns.TurnState.STOPPED, CLEO.id)


async def _turns_of(house: houses.House, person: people.Person) -> int:
    return int(await house.stage.query(f"SELECT count(*) FROM turns WHERE sender_id = '{person.id}'"))
