"""Accepted events: once each, claimed by one, forgotten when told."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database
from storage.events import MAX_ATTEMPTS, SAID, Events

NOW = timedelta(0)


async def _accept(
    tx: AsyncSession, event_id: str, *, ts: str = "1.1", kind: str = SAID, channel: str = "C1"
) -> bool:
    return await Events(tx).accept(
        event_id=event_id, team_id="T1", channel_id=channel, ts=ts, kind=kind, payload={"text": "a\x00b"}
    )


async def test_a_redelivered_event_is_not_accepted_again(tx: AsyncSession) -> None:
    assert await _accept(tx, "E1")
    assert not await _accept(tx, "E1", ts="1.2")


async def test_a_mention_delivered_as_two_events_is_one(tx: AsyncSession) -> None:
    assert await _accept(tx, "E1")
    assert not await _accept(tx, "E2")
    assert await _accept(tx, "E3", channel="C2")


async def test_other_events_may_speak_of_the_same_message(tx: AsyncSession) -> None:
    assert await _accept(tx, "E1")
    assert await _accept(tx, "E2", kind="message_changed")
    assert await _accept(tx, "E3", kind="message_changed")


async def test_a_settled_event_keeps_its_key_and_loses_its_words(database: Database) -> None:
    async with database.transaction() as tx:
        await _accept(tx, "E1")
        await Events(tx).settle("E1")
    async with database.transaction() as tx:
        assert not await _accept(tx, "E1")
        assert await Events(tx).claim_unsettled(older_than=NOW, limit=10) == []


async def test_unsettled_events_come_back_with_every_character(database: Database) -> None:
    async with database.transaction() as tx:
        await _accept(tx, "E1")
    async with database.transaction() as tx:
        [claimed] = await Events(tx).claim_unsettled(older_than=NOW, limit=10)
    assert (claimed.event_id, claimed.payload, claimed.attempts) == ("E1", {"text": "a\x00b"}, 1)


async def test_a_young_event_is_left_to_whoever_handles_it(database: Database) -> None:
    async with database.transaction() as tx:
        await _accept(tx, "E1")
    async with database.transaction() as tx:
        assert await Events(tx).claim_unsettled(older_than=timedelta(minutes=1), limit=10) == []


async def test_two_replicas_do_not_claim_the_same_event(database: Database) -> None:
    async with database.transaction() as tx:
        await _accept(tx, "E1", ts="1.1")
        await _accept(tx, "E2", ts="1.2")
    async with database.transaction() as one, database.transaction() as two:
        first = await Events(one).claim_unsettled(older_than=NOW, limit=1)
        second = await Events(two).claim_unsettled(older_than=NOW, limit=10)
    assert {event.event_id for event in first + second} == {"E1", "E2"}
    assert len(first + second) == 2


async def test_an_event_that_nobody_can_handle_is_given_up(database: Database) -> None:
    async with database.transaction() as tx:
        await _accept(tx, "E1")
    attempts = []
    for _ in range(MAX_ATTEMPTS + 3):
        async with database.transaction() as tx:
            attempts += [
                event.attempts for event in await Events(tx).claim_unsettled(older_than=NOW, limit=1)
            ]
    assert attempts == list(range(1, MAX_ATTEMPTS + 2))


async def test_old_events_are_forgotten(tx: AsyncSession) -> None:
    await _accept(tx, "E1")
    assert await Events(tx).delete_older_than(datetime.now(UTC) - timedelta(days=1)) == 0
    assert await Events(tx).delete_older_than(datetime.now(UTC) + timedelta(days=1)) == 1
