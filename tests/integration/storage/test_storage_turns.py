"""Turns: what adding, editing, stopping and finishing leave behind."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import UnknownTurnError
from storage.leases import Leases, replica_lease
from storage.turns import Hold, Messages, Turn, Turns, TurnState
from tests.integration.storage.stage import LEASE, TEAM, Stage


async def _turn(stage: Stage, turn: Turn) -> Turn:
    async with stage.database.transaction() as tx:
        found = await Turns(tx).get(turn.id)
    assert found is not None
    return found


async def test_a_message_begins_one_turn(stage: Stage) -> None:
    conversation = await stage.conversation()
    said = await stage.say(conversation)
    async with stage.database.transaction() as tx:
        again = await Turns(tx).add(
            conversation=conversation, sender_id="U1", message_ts=said.message_ts, prompt="again"
        )
        found = await Turns(tx).find_by_message(team_id=TEAM, channel_id="C1", message_ts=said.message_ts)
    assert again is None
    assert found == said


async def test_what_postgres_cannot_store_is_replaced(stage: Stage) -> None:
    conversation = await stage.conversation()
    async with stage.database.transaction() as tx:
        turn = await Turns(tx).add(
            conversation=conversation, sender_id="U1", message_ts="1.1", prompt="a\x00b \ud83d c 😀"
        )
    assert turn is not None
    assert turn.prompt == "a\ufffdb \ufffd c 😀"


async def test_only_a_queued_turn_can_be_edited_or_withdrawn(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        assert await Turns(tx).edit_queued(said.id, prompt="rather: by month")
    claimed = await stage.claim()
    assert claimed is not None
    assert claimed.prompt == "rather: by month"
    async with stage.database.transaction() as tx:
        assert not await Turns(tx).edit_queued(said.id, prompt="too late")
        assert not await Turns(tx).withdraw_queued(said.id)


async def test_a_withdrawn_turn_is_stopped_and_not_claimed(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        assert await Turns(tx).withdraw_queued(said.id)
    assert (await _turn(stage, said)).state is TurnState.STOPPED
    assert await stage.claim() is None


async def test_stopping_a_queued_turn_ends_it_at_once(stage: Stage) -> None:
    said = await stage.say(await stage.conversation(), hold=Hold.SIGN_IN)
    async with stage.database.transaction() as tx:
        stopped = await Turns(tx).request_stop(said.id, by="U2")
    assert stopped is not None
    assert (stopped.state, stopped.stop_requested_by, stopped.hold) == (TurnState.STOPPED, "U2", None)
    assert stopped.finished_at is not None


async def test_stopping_a_running_turn_asks_its_replica(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    await stage.claim("r1")
    async with stage.database.transaction() as tx:
        asked = await Turns(tx).request_stop(said.id, by="U2")
        await Turns(tx).request_stop(said.id, by="U3")
        assert [turn.id for turn in await Turns(tx).stop_requested("r1")] == [said.id]
        assert await Turns(tx).stop_requested("r2") == []
    assert asked is not None
    assert asked.state is TurnState.RUNNING
    assert (await _turn(stage, said)).stop_requested_by == "U2"


async def test_there_is_nothing_to_stop_in_a_turn_that_is_over(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        await Turns(tx).finish(said.id, state=TurnState.DONE)
        assert await Turns(tx).request_stop(said.id, by="U2") is None


async def test_a_turn_ends_once(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    await stage.claim()
    async with stage.database.transaction() as tx:
        failed = await Turns(tx).finish(said.id, state=TurnState.FAILED, error="The warehouse is gone.")
    async with stage.database.transaction() as tx:
        assert await Turns(tx).finish(said.id, state=TurnState.DONE) == failed


async def test_a_turn_that_does_not_exist_cannot_end(tx: AsyncSession) -> None:
    with pytest.raises(UnknownTurnError):
        await Turns(tx).finish(uuid4(), state=TurnState.DONE)


async def test_a_turn_does_not_end_as_running(tx: AsyncSession) -> None:
    with pytest.raises(ValueError, match="does not end"):
        await Turns(tx).finish(uuid4(), state=TurnState.RUNNING)


async def test_waiting_and_running_alternate_and_cannot_revive_a_turn(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    await stage.claim()
    async with stage.database.transaction() as tx:
        await Turns(tx).set_state(said.id, TurnState.WAITING)
    assert (await _turn(stage, said)).state is TurnState.WAITING
    async with stage.database.transaction() as tx:
        await Turns(tx).finish(said.id, state=TurnState.DONE)
        await Turns(tx).set_state(said.id, TurnState.RUNNING)
    assert (await _turn(stage, said)).state is TurnState.DONE


async def test_the_reply_is_remembered(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        await Turns(tx).set_reply(said.id, reply_ts=["1.5", "1.6"])
    assert (await _turn(stage, said)).reply_ts == ("1.5", "1.6")


async def test_a_hold_can_be_put_on_a_queued_turn(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        await Turns(tx).set_hold(said.id, Hold.SIGN_IN)
    assert await stage.claim() is None


async def test_active_turns_are_listed_oldest_first_and_by_place(stage: Stage) -> None:
    here, there = await stage.conversation(), await stage.conversation()
    first, second, third = await stage.say(here), await stage.say(there), await stage.say(here)
    await stage.claim()
    async with stage.database.transaction() as tx:
        in_team = await Turns(tx).active(team_id=TEAM)
        in_thread = await Turns(tx).active(team_id=TEAM, channel_id="C1", thread_ts=here.thread_ts)
        in_channel = await Turns(tx).active(team_id=TEAM, channel_id="C2")
    assert [turn.id for turn in in_team] == [first.id, second.id, third.id]
    assert [turn.id for turn in in_thread] == [first.id, third.id]
    assert in_channel == []


async def test_the_place_in_the_line_counts_what_must_end_first(stage: Stage) -> None:
    conversation = await stage.conversation()
    await stage.say(conversation)
    await stage.say(conversation, hold=Hold.SIGN_IN)
    await stage.say(conversation)
    last = await stage.say(conversation)
    await stage.claim()
    async with stage.database.transaction() as tx:
        assert await Turns(tx).ahead_of(last.id) == 2


async def test_turns_of_a_replica_that_died_are_interrupted(stage: Stage) -> None:
    lost, kept = await stage.say(await stage.conversation()), await stage.say(await stage.conversation())
    await stage.alive("r1", ttl=timedelta(0))
    await stage.alive("r2")
    await stage.claim("r1")
    await stage.claim("r2")
    async with stage.database.transaction() as tx:
        interrupted = await Turns(tx).interrupt_lost()
    assert [(turn.id, turn.state) for turn in interrupted] == [(lost.id, TurnState.INTERRUPTED)]
    assert (await _turn(stage, kept)).state is TurnState.RUNNING


async def test_two_replicas_do_not_interrupt_the_same_turn(stage: Stage) -> None:
    await stage.say(await stage.conversation())
    await stage.claim("gone")
    async with stage.database.transaction() as first, stage.database.transaction() as second:
        assert len(await Turns(first).interrupt_lost()) == 1
        assert await Turns(second).interrupt_lost() == []


async def test_messages_come_back_in_order_with_every_character(stage: Stage) -> None:
    conversation = await stage.conversation()
    first, second = await stage.say(conversation), await stage.say(conversation)
    async with stage.database.transaction() as tx:
        messages = Messages(tx)
        await messages.add(first.id, role="user", kind="text", content={"text": "a\x00b\ud83d"})
        await messages.add(first.id, role="assistant", kind="text", content={"text": "two"})
        await messages.add(second.id, role="user", kind="text", content={"text": "three"})
        of_turn = await messages.for_turn(first.id)
        last = await messages.for_conversation(conversation.id, 2)
    assert [message.content["text"] for message in of_turn] == ["a\x00b\ud83d", "two"]
    assert [message.content["text"] for message in last] == ["two", "three"]


async def test_a_lease_is_extended_by_its_holder_and_refused_to_others(tx: AsyncSession) -> None:
    leases = Leases(tx)
    name = replica_lease("r1")
    assert await leases.acquire(name, holder="r1", ttl=LEASE)
    assert await leases.acquire(name, holder="r1", ttl=LEASE)
    assert not await leases.acquire(name, holder="r2", ttl=LEASE)
    assert await leases.holder(name) == "r1"


async def test_a_lease_is_released_by_its_holder_only(tx: AsyncSession) -> None:
    leases = Leases(tx)
    await leases.acquire("a", holder="r1", ttl=LEASE)
    await leases.acquire("b", holder="r1", ttl=LEASE)
    await leases.release("a", holder="r2")
    assert await leases.holder("a") == "r1"
    await leases.release("a", holder="r1")
    assert await leases.holder("a") is None
    await leases.release_all("r1")
    assert await leases.holder("b") is None


async def test_an_expired_lease_has_no_holder(tx: AsyncSession) -> None:
    await Leases(tx).acquire("a", holder="r1", ttl=timedelta(0))
    assert await Leases(tx).holder("a") is None
    assert await Leases(tx).acquire("a", holder="r2", ttl=LEASE)
