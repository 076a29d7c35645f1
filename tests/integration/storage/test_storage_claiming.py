"""Claiming: in order within a conversation, in parallel across, by one replica each."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.leases import Leases, project_lease
from storage.turns import Hold, Turns, TurnState
from tests.integration.storage.stage import LEASE, TEAM, Stage


async def test_nothing_is_claimed_from_an_empty_queue(stage: Stage) -> None:
    assert await stage.claim() is None


async def test_a_claimed_turn_runs_on_its_claimer(stage: Stage) -> None:
    said = await stage.say(await stage.conversation())
    claimed = await stage.claim("r1")
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.replica) == (said.id, TurnState.RUNNING, "r1")
    assert claimed.started_at is not None


async def test_a_conversation_is_answered_in_order(stage: Stage) -> None:
    conversation = await stage.conversation()
    first, second = await stage.say(conversation), await stage.say(conversation)
    claimed = await stage.claim()
    assert claimed is not None
    assert claimed.id == first.id
    assert await stage.claim() is None
    async with stage.database.transaction() as tx:
        await Turns(tx).finish(first.id, state=TurnState.DONE)
    then = await stage.claim()
    assert then is not None
    assert then.id == second.id


async def test_a_waiting_turn_keeps_the_next_one_waiting(stage: Stage) -> None:
    conversation = await stage.conversation()
    first, _ = await stage.say(conversation), await stage.say(conversation)
    await stage.claim()
    async with stage.database.transaction() as tx:
        await Turns(tx).set_state(first.id, TurnState.WAITING)
    assert await stage.claim() is None


async def test_conversations_of_a_project_run_side_by_side(stage: Stage) -> None:
    project = await stage.project()
    said = [await stage.say(await stage.conversation(project)) for _ in range(3)]
    claimed = [await stage.claim() for _ in range(3)]
    assert [turn and turn.id for turn in claimed] == [turn.id for turn in said]


async def test_a_claim_that_is_not_committed_hides_its_whole_conversation(stage: Stage) -> None:
    conversation, elsewhere = await stage.conversation(), await stage.conversation()
    for _ in range(2):
        await stage.say(conversation)
    other = await stage.say(elsewhere)
    async with stage.database.transaction() as tx:
        assert await Turns(tx).claim_next(replica="r1", lease=LEASE) is not None
        theirs = await stage.claim("r2")
        assert theirs is not None
        assert theirs.id == other.id
        assert await stage.claim("r2") is None


async def test_many_claimers_never_take_the_same_turn(stage: Stage) -> None:
    conversations = [await stage.conversation() for _ in range(8)]
    said = [await stage.say(conversation) for conversation in conversations for _ in range(3)]
    order: dict[str, list[str]] = {}

    async def work(replica: str) -> None:
        while len(order) < 8 or sum(map(len, order.values())) < len(said):
            turn = await stage.claim(replica, lease=timedelta(milliseconds=1))
            if turn is None:
                await asyncio.sleep(0.005)
                continue
            order.setdefault(turn.thread_ts, []).append(turn.message_ts)
            async with stage.database.transaction() as tx:
                await Turns(tx).finish(turn.id, state=TurnState.DONE)

    await asyncio.gather(*(work(f"r{number}") for number in range(6)))
    answered = [message for messages in order.values() for message in messages]
    assert sorted(answered) == sorted(turn.message_ts for turn in said)
    assert all(messages == sorted(messages) for messages in order.values())


async def test_a_held_turn_lets_others_pass_and_runs_once_released(stage: Stage) -> None:
    conversation = await stage.conversation()
    held = await stage.say(conversation, sender_id="U2", hold=Hold.SIGN_IN)
    free = await stage.say(conversation)
    first = await stage.claim()
    assert first is not None
    assert first.id == free.id
    async with stage.database.transaction() as tx:
        released = await Turns(tx).release_held(team_id=TEAM, sender_id="U2", hold=Hold.SIGN_IN)
        await Turns(tx).finish(free.id, state=TurnState.DONE)
    assert [turn.id for turn in released] == [held.id]
    second = await stage.claim()
    assert second is not None
    assert second.id == held.id


async def test_a_project_at_home_elsewhere_is_left_alone(stage: Stage) -> None:
    conversation = await stage.conversation()
    await stage.say(conversation)
    near = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        await Leases(tx).acquire(project_lease(conversation.project_id), holder="r2", ttl=LEASE)
    claimed = await stage.claim("r1")
    assert claimed is not None
    assert claimed.id == near.id
    assert await stage.claim("r1") is None
    assert await stage.claim("r2") is not None


async def test_a_claim_takes_the_project_home(stage: Stage) -> None:
    conversation = await stage.conversation()
    await stage.say(conversation)
    await stage.claim("r1")
    async with stage.database.transaction() as tx:
        assert await Leases(tx).holder(project_lease(conversation.project_id)) == "r1"


async def test_an_expired_home_moves_to_the_claimer(stage: Stage) -> None:
    conversation = await stage.conversation()
    await stage.say(conversation)
    async with stage.database.transaction() as tx:
        await Leases(tx).acquire(project_lease(conversation.project_id), holder="r2", ttl=timedelta(0))
    assert await stage.claim("r1") is not None


async def test_two_replicas_that_want_the_same_home_do_not_both_get_it(stage: Stage) -> None:
    # Both see a free project; the second waits for the first one's lease, and must then look further.
    project = await stage.project()
    for _ in range(2):
        await stage.say(await stage.conversation(project))
    elsewhere = await stage.say(await stage.conversation())
    async with stage.database.transaction() as tx:
        assert await Turns(tx).claim_next(replica="r1", lease=LEASE) is not None
        second = asyncio.create_task(stage.claim("r2"))
        await asyncio.sleep(0.1)
        assert not second.done()
    theirs = await second
    assert theirs is not None
    assert theirs.id == elsewhere.id


async def test_two_claims_of_one_replica_in_one_conversation_are_refused_by_the_index(stage: Stage) -> None:
    conversation = await stage.conversation()
    first, second = await stage.say(conversation), await stage.say(conversation)
    assert await stage.claim() is not None
    with pytest.raises(IntegrityError, match="uq_turns_one_active"):
        async with stage.database.transaction() as tx:
            await tx.execute(text("UPDATE turns SET state = 'running' WHERE id = :id"), {"id": second.id})
    async with stage.database.transaction() as tx:
        assert [turn.id for turn in await Turns(tx).running_on("r1")] == [first.id]


async def test_a_turn_released_during_a_claim_does_not_make_two_run(stage: Stage) -> None:
    # The older turn's release is not visible to the second claimer, who picks the younger one: the index decides.
    conversation = await stage.conversation()
    await stage.say(conversation, sender_id="U2", hold=Hold.SIGN_IN)
    await stage.say(conversation)
    async with stage.database.transaction() as tx:
        await Turns(tx).release_held(team_id=TEAM, sender_id="U2", hold=Hold.SIGN_IN)
        assert await Turns(tx).claim_next(replica="r1", lease=LEASE) is not None
        second = asyncio.create_task(stage.claim("r1"))
        await asyncio.sleep(0.1)
    assert await second is None
    async with stage.database.transaction() as tx:
        assert len(await Turns(tx).running_on("r1")) == 1


@pytest.mark.parametrize("conversations", [1, 10_000])
async def test_claiming_stays_quick_when_ten_thousand_turns_wait(stage: Stage, conversations: int) -> None:
    project = await stage.project()
    async with stage.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO conversations (id, project_id, team_id, channel_id, thread_ts)"
                " SELECT gen_random_uuid(), :project, 'T1', 'C1', n::text FROM generate_series(1, :count) n"
            ),
            {"project": project.id, "count": conversations},
        )
        await tx.execute(
            text(
                "INSERT INTO turns (id, conversation_id, project_id, team_id, channel_id, thread_ts, message_ts,"
                " sender_id, prompt) SELECT gen_random_uuid(), c.id, c.project_id, 'T1', 'C1', c.thread_ts,"
                " c.thread_ts || '.' || n, 'U1', 'x' FROM conversations c, generate_series(1, :each) n"
            ),
            {"each": 10_000 // conversations},
        )
    await stage.claim()
    began = time.perf_counter()
    for _ in range(10):
        await stage.claim()
    assert (time.perf_counter() - began) / 10 < 0.25, (
        "far above what it takes, yet far below a scan for each turn"
    )
