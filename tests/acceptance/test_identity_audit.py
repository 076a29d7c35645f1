"""What people do is on record: in which team, who, as whom, in which project, in which turn, with what outcome."""

import pytest

from bot.views import home
from sandbox.people import ADA, BEN, CLEO
from storage import audit, turns
from tests.acceptance import houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_turn_is_on_record_from_the_question_to_the_end(production: houses.House) -> None:
    await production.sign_in(ADA)

    turn = await production.over(await production.sql(ADA, "on record"))

    asked, run = [_newest(await production.deeds(ADA, action), turn) for action in ("turn.ask", "turn.run")]
    assert (asked.team_id, asked.user_id, asked.outcome) == (houses.TEAM, ADA.id, "queued")
    assert (run.team_id, run.user_id, run.outcome, run.identity) == (houses.TEAM, ADA.id, "done", ADA.email)


async def test_who_may_not_stop_is_on_record_as_well_as_who_did(production: houses.House) -> None:
    stage = production.stage
    await production.sign_in(ADA)
    ts = await production.sql(ADA, "stopped on record", seconds=60)
    await stage.until(lambda: production.users("stopped on record"))
    reply = await production.reply(ts)
    bystander = await production.bystander()

    said = await stage.whisper(bystander.id, stage.press_stop(bystander.id, reply))
    assert "Only the person who asked" in said
    await stage.press_stop(ADA.id, reply)

    turn = await production.over(ts)
    assert turn.state is turns.TurnState.STOPPED
    assert _newest(await production.deeds(bystander, "turn.stop"), turn).outcome == "refused"
    assert _newest(await production.deeds(ADA, "turn.stop"), turn).outcome == "done"
    run = _newest(await production.deeds(ADA, "turn.run"), turn)
    assert (run.outcome, run.identity) == ("stopped", ADA.email)


async def test_linking_refusing_and_unlinking_are_on_record(production: houses.House) -> None:
    await production.sign_out(CLEO)
    await production.browser(BEN).asked(await production.link(CLEO))
    await production.sign_in(CLEO)
    await production.sign_out(CLEO)

    linked, refused = (await production.deeds(CLEO, "identity.link"))[:2]
    (unlinked, *_) = await production.deeds(CLEO, "identity.unlink")

    assert (refused.team_id, refused.outcome, refused.identity) == (houses.TEAM, "refused", BEN.email)
    assert (linked.team_id, linked.outcome, linked.identity) == (houses.TEAM, "done", CLEO.email)
    assert (unlinked.team_id, unlinked.outcome, unlinked.identity) == (houses.TEAM, "done", CLEO.email)


async def test_picking_a_project_is_on_record_and_what_one_cannot_see_is_not_picked(
    production: houses.House,
) -> None:
    stage = production.stage
    await production.over(
        await stage.ask("!!say ours", channel=stages.ENGINEERING), channel=stages.ENGINEERING
    )
    secret = await production.over(
        await stage.ask("!!say secret", channel=stages.FINANCE), channel=stages.FINANCE
    )

    await stage.slack.open_home(BEN.id)
    await stage.until(lambda: home.PICK_ACTION in str(stage.slack.home(BEN.id)))
    seen = str(stage.slack.home(BEN.id))
    # Ben is not in the private channel: its project is not offered, and its id, if he has it, is not taken.
    assert str(secret.project_id) not in seen
    await stage.forge(BEN.id, home.PICK_ACTION, str(secret.project_id))
    await stage.until(
        lambda: any("project not pickable" in line for bot in production.replicas for line in bot.raw)
    )
    assert await production.deeds(BEN, "project.pick") == []

    offered = await stage.query("SELECT project_id FROM channel_bindings WHERE channel_id = 'C0ENG0001'")
    await stage.slack.press_in_view(BEN.id, "home", home.PICK_ACTION, value=str(offered))
    await stage.until(lambda: str(stage.slack.home(BEN.id)) != seen)

    (deed,) = await production.deeds(BEN, "project.pick")
    assert (deed.team_id, deed.outcome, deed.project_id) == (houses.TEAM, "done", offered)


def _newest(deeds: list[audit.Entry], turn: turns.Turn) -> audit.Entry:
    """The newest of these entries that is about the turn, and about its project."""
    deed = next(deed for deed in deeds if deed.turn_id == turn.id)
    assert deed.project_id == turn.project_id
    return deed
