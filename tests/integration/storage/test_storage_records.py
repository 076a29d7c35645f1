"""What turns leave behind: what they consumed, and who did what as whom."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from storage.audit import Audit
from storage.usage import Usage, UsageLedger, UsageTotal
from tests.integration.storage.stage import TEAM, Stage


def _usage(turn_id: UUID) -> Usage:
    return Usage(
        turn_id=turn_id,
        model="claude",
        input_tokens=10,
        output_tokens=20,
        cache_read_tokens=30,
        cache_write_tokens=40,
        cost_usd=0.25,
        duration_ms=1500,
    )


async def test_what_turns_consumed_adds_up(stage: Stage) -> None:
    conversation = await stage.conversation()
    turns = [await stage.say(conversation, sender_id=sender) for sender in ("U1", "U1", "U2")]
    async with stage.database.transaction() as tx:
        for turn in turns:
            await UsageLedger(tx).add(_usage(turn.id))
        everyone = await UsageLedger(tx).total(team_id=TEAM)
        one = await UsageLedger(tx).total(team_id=TEAM, sender_id="U1")
    assert everyone == UsageTotal(
        turns=3,
        input_tokens=30,
        output_tokens=60,
        cache_read_tokens=90,
        cache_write_tokens=120,
        cost_usd=0.75,
        duration_ms=4500,
    )
    assert one.turns == 2


async def test_a_total_begins_when_it_is_told_to(stage: Stage) -> None:
    turn = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        await UsageLedger(tx).add(_usage(turn.id))
        tomorrow = await UsageLedger(tx).total(since=datetime.now(UTC) + timedelta(days=1))
    assert (tomorrow.turns, tomorrow.cost_usd) == (0, 0.0)


async def test_the_newest_deeds_come_first(tx: AsyncSession) -> None:
    audit = Audit(tx)
    turn_id = uuid4()
    await audit.record(team_id=TEAM, user_id="U1", action="turn.stop", outcome="done", turn_id=turn_id)
    await audit.record(
        team_id=TEAM,
        user_id="U2",
        action="account.link",
        outcome="refused",
        identity="ben@brickfield.example",
        detail={"why": "another person's link"},
    )
    newest, before = await audit.recent(team_id=TEAM, limit=10)
    assert (newest.user_id, newest.detail) == ("U2", {"why": "another person's link"})
    assert (before.turn_id, before.detail) == (turn_id, None)
    assert await audit.recent(team_id=TEAM, limit=10, user_id="U1") == [before]
    assert await audit.recent(team_id=TEAM, limit=1) == [newest]
