"""From a queued turn to its stored outcome: dispatcher, runner, sessions and Postgres together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from agent import errors, events
from agent.databricks import identities as identity_service
from agent.dispatcher import LEASE
from sandbox import people
from storage import audit, conversations, database, transcripts, turns
from storage import errors as storage_errors
from storage.database import Database, Source
from tests.integration.agent import scene as scenes
from tests.integration.agent.house import House
from tests.integration.agent.scene import TEAM, Scene, tool, until
from tests.integration.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def quiet(scene: Scene, postgres: Server) -> AsyncIterator[House]:
    """A house with a database of its own that claims nothing yet; Ada has signed in."""
    async with postgres.fresh() as url:
        db = Database(Source(url=url))
        own = replace(scene, database=db, harness=replace(scene.harness, database=db))
        house = House(scene=own, database=db, server=postgres, url=url)
        await house.link(people.ADA)
        yield house
        await db.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house(quiet: House) -> AsyncIterator[House]:
    """A house at work."""
    async with quiet.running():
        yield quiet


async def test_a_turn_leaves_messages_usage_an_audit_line_and_a_transcript(house: House) -> None:
    conversation = await house.conversation()
    write = tool("Write", file_path="report.md", content="# Regions")
    query = tool("execute_sql", statement="SELECT 1 AS one")
    turn = await house.say(conversation, f"!!say Let me see.\n{query}\n{write}\n!!say Done.")
    shown = await house.shown(turn)
    assert shown.text == "Let me see.\n\nDone."
    assert shown.saw[0] == events.Working(acting_as=people.ADA.email)
    finished = shown.finished
    assert (finished.outcome, finished.changed_files) == ("done", ("report.md",))
    assert 0 < finished.duration < 20
    stored = [(message.role, message.kind) for message in await house.messages(turn)]
    assert stored == [
        ("user", "text"),
        ("assistant", "text"),
        ("tool", "mcp__databricks__execute_sql"),
        ("tool", "Write"),
        ("assistant", "text"),
    ]
    async with house.database.transaction() as tx:
        (line, *_) = await audit.Audit(tx).recent(team_id=TEAM, limit=1)
        now = await conversations.Conversations(tx).get(conversation.id)
        assert now is not None
        transcript = await transcripts.Transcripts(tx).load(
            project_key=str(conversation.project_id), session_id=str(now.session_id), subpath=None
        )
    assert (line.action, line.outcome, line.identity) == ("turn.run", "done", people.ADA.email)
    assert transcript is not None
    assert (await house.spent(conversation)).cost_usd == pytest.approx(finished.usage.cost_usd)


async def test_every_turn_is_billed_once_in_one_process_and_in_the_next(house: House) -> None:
    conversation = await house.conversation()
    costs = [(await house.answer(conversation, "!!say hello")).finished.usage.cost_usd for _ in range(3)]
    house.sessions._idle_seconds = -1
    await house.sessions.evict_idle()
    await until(lambda: scenes.agents() == [])
    costs += [(await house.answer(conversation, "!!say hello")).finished.usage.cost_usd for _ in range(2)]
    assert costs[3] == pytest.approx(costs[2], rel=0.2)
    assert costs[4] == pytest.approx(costs[2], rel=0.2)
    spent = await house.spent(conversation)
    assert spent.turns == 5
    assert spent.cost_usd == pytest.approx(sum(costs))


async def test_turns_are_in_order_within_a_conversation_and_parallel_across(house: House) -> None:
    one, other = await house.conversation(), await house.conversation()
    first = await house.say(one, "!!sleep 1.5\n!!say first")
    second = await house.say(one, "!!say second")
    third = await house.say(other, "!!say third")
    for turn in (first, second, third):
        await house.shown(turn)
    first, second, third = [await house.now(turn) for turn in (first, second, third)]
    assert first.finished_at is not None
    assert second.started_at is not None
    assert third.started_at is not None
    assert second.started_at >= first.finished_at > third.started_at


async def test_what_the_thread_said_before_is_told_once(house: House) -> None:
    conversation = await house.conversation()
    house.front.before = "Ben: revenue fell"
    told = await house.answer(conversation, "!!echo-prompt")
    again = await house.answer(conversation, "!!echo-prompt")
    assert "Ben: revenue fell" in told.text
    assert f"Ada Okafor (Databricks user {people.ADA.email}) writes:" in again.text
    assert "Ben: revenue fell" not in again.text


async def test_stop_ends_a_running_turn_and_the_conversation_goes_on(house: House) -> None:
    conversation = await house.conversation()
    turn = await house.say(conversation, "!!say-slowly 1000 20 word{i}")
    await house.begun(turn)
    await house.stop(turn)
    shown = await house.shown(turn)
    assert shown.finished.outcome == "stopped"
    assert (await house.now(turn)).state is turns.TurnState.STOPPED
    (_, said) = await house.messages(turn)
    assert said.content["text"] == shown.text
    assert (await house.answer(conversation, "!!say next")).text == "next"


async def test_a_queued_turn_that_is_stopped_never_runs(house: House) -> None:
    conversation = await house.conversation()
    running = await house.say(conversation, "!!say-slowly 1000 20 word{i}")
    queued = await house.say(conversation, "!!say never")
    await house.begun(running)
    await house.stop(queued)
    await house.stop(running)
    await house.shown(running)
    assert (await house.answer(conversation, "!!say later")).text == "later"
    assert (await house.now(queued)).state is turns.TurnState.STOPPED
    assert queued.id not in house.front.replies


async def test_a_stop_before_the_session_is_up_is_not_lost(house: House) -> None:
    turn = await house.say(await house.conversation(), "!!say-slowly 500 20 word{i}")
    await until(lambda: turn.id in house.front.replies)
    await house.stop(turn)
    assert (await house.shown(turn)).finished.outcome == "stopped"


async def test_an_unlinked_senders_turn_waits_and_goes_on_by_itself(house: House) -> None:
    turn = await house.say(await house.conversation(), "!!say thanks", person=people.BEN)
    async with asyncio.timeout(5):
        assert (await house.front.asked.get()).id == turn.id
    waiting = await house.now(turn)
    assert (waiting.state, waiting.hold) == (turns.TurnState.QUEUED, turns.Hold.SIGN_IN)
    await house.link(people.BEN)
    async with house.database.transaction() as tx:
        await turns.Turns(tx).release_held(team_id=TEAM, sender_id=people.BEN.id, hold=turns.Hold.SIGN_IN)
    house.dispatcher.wake()
    shown = await house.shown(turn)
    assert (shown.text, shown.finished.acting_as) == ("thanks", people.BEN.email)


async def test_a_sign_in_at_the_last_moment_does_not_leave_a_turn_waiting(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, looks = quiet.accounts.identity_for, iter([True])

    async def identity_for(team_id: str, user_id: str) -> identity_service.ActingIdentity | None:
        if next(looks, False):
            await quiet.link(people.BEN)
            return None
        return await known(team_id, user_id)

    monkeypatch.setattr(quiet.accounts, "identity_for", identity_for)
    async with quiet.running():
        turn = await quiet.say(await quiet.conversation(), "!!say thanks", person=people.BEN)
        assert (await quiet.shown(turn)).text == "thanks"
    assert quiet.front.asked.empty()


async def test_a_killed_agent_fails_its_turn_in_clear_words_and_the_next_one_remembers(house: House) -> None:
    conversation = await house.conversation()
    await house.answer(conversation, "!!say the secret word is granite")
    turn = await house.say(conversation, "!!say so\n!!stall")
    model = house.scene.model
    await model.wait_for(lambda: model.open_answers == 1)
    scenes.agents()[0].kill()
    finished = (await house.shown(turn)).finished
    assert (finished.outcome, finished.error) == ("failed", errors.SessionLostError.sentence)
    assert (await house.now(turn)).error == errors.SessionLostError.sentence
    assert (await house.answer(conversation, "!!say next")).text == "next"
    assert "granite" in str(model.asked[-1].body["messages"])


async def test_an_agent_that_cannot_start_fails_the_turn_in_clear_words(quiet: House, tmp_path: Path) -> None:
    broken = replace(quiet.scene, harness=replace(quiet.scene.harness, entry=tmp_path / "nothing"))
    house = replace(quiet, scene=broken)
    async with house.running():
        finished = (await house.answer(await house.conversation(), "!!say hello")).finished
    assert (finished.outcome, finished.error) == ("failed", errors.SessionStartError.sentence)


async def test_an_outcome_waits_for_a_database_that_is_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.turn.COMMIT_GRACE", 0.2)
    conversation = await house.conversation()
    turn = await house.say(conversation, "!!say a\n!!sleep 0.5\n!!say b")
    model = house.scene.model
    await model.wait_for(lambda: model.open_answers == 1)
    shown = house.front.shown(turn)
    async with house.database_away():
        async with asyncio.timeout(10):
            await shown.closed.wait()
        assert (shown.text, shown.finished.outcome) == ("a\nb", "done")
    await house.shown(turn)
    assert (await house.now(turn)).state is turns.TurnState.DONE
    assert [message.role for message in await house.messages(turn)] == ["user", "assistant"]
    assert (await house.answer(conversation, "!!say c")).text == "c"


class Forgetful(Database):
    """A database whose connection breaks right after this many commits, so that nobody learns of the last."""

    def __init__(self, source: Source, *, commits: int) -> None:
        super().__init__(source)
        self._left = commits

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        async with super().transaction() as tx:
            yield tx
        self._left -= 1
        if self._left == 0:
            raise storage_errors.DatabaseUnavailableError("lost after the commit")


async def test_an_outcome_whose_commit_was_not_heard_of_is_stored_once(quiet: House) -> None:
    # What a turn needs is looked up in the first transaction, its outcome is the second.
    forgetful = Forgetful(Source(url=quiet.url), commits=2)
    quiet.dispatcher = quiet.new_dispatcher(forgetful)
    async with quiet.running():
        conversation = await quiet.conversation()
        turn = await quiet.say(conversation, "!!say one")
        await quiet.shown(turn)
        await quiet.answer(conversation, "!!say two")
    assert len(await quiet.messages(turn)) == 2
    assert (await quiet.spent(conversation)).turns == 2
    async with quiet.database.transaction() as tx:
        now = await conversations.Conversations(tx).get(conversation.id)
        assert now is not None
        stored = await transcripts.Transcripts(tx).load(
            project_key=str(conversation.project_id), session_id=str(now.session_id), subpath=None
        )
    queued = [entry for entry in stored or [] if entry.get("type") == "queue-operation"]
    assert len(queued) == 4, "an entry without an id is not stored twice"
    await forgetful.close()


async def test_a_replica_that_leaves_interrupts_its_turns(quiet: House) -> None:
    async with quiet.running():
        turn = await quiet.say(await quiet.conversation(), "!!say-slowly 1000 20 word{i}")
        shown = await quiet.begun(turn)
    assert shown.finished.outcome == "interrupted"
    assert (await quiet.now(turn)).state is turns.TurnState.INTERRUPTED
    assert len(await quiet.messages(turn)) == 2
    assert scenes.own_processes() == []
    assert quiet.dispatcher.running == 0


async def test_a_replica_that_leaves_claims_nothing_more(house: House) -> None:
    await house.dispatcher.drain(grace=0.0)
    turn = await house.say(await house.conversation(), "!!say never")
    await asyncio.sleep(0.2)
    assert (await house.now(turn)).state is turns.TurnState.QUEUED


async def test_a_crashed_replicas_turn_is_interrupted_and_its_conversation_goes_on_elsewhere(
    quiet: House,
) -> None:
    async with quiet.running():
        conversation = await quiet.conversation()
        turn = await quiet.say(conversation, "!!say-slowly 1000 20 word{i}")
        await quiet.begun(turn)
        await quiet.vanish()
        other = quiet.other("r2")
        async with other.running():
            assert [lost.id for lost in other.lost] == [turn.id]
            assert (await other.now(turn)).state is turns.TurnState.INTERRUPTED
            assert (await other.answer(conversation, "!!say elsewhere")).text == "elsewhere"
    # What the first replica still had to say of the turn changes nothing any more.
    assert (await quiet.now(turn)).state is turns.TurnState.INTERRUPTED
    assert await quiet.messages(turn) == []


async def test_a_claim_that_nobody_heard_of_is_interrupted_in_the_end(quiet: House) -> None:
    turn = await quiet.say(await quiet.conversation(), "!!say never")
    await quiet.dispatcher.heartbeat()
    async with quiet.database.transaction() as tx:
        await turns.Turns(tx).claim_next(replica=quiet.replica, lease=LEASE)
    await quiet.dispatcher.heartbeat()
    assert (await quiet.now(turn)).state is turns.TurnState.RUNNING, "it may be about to start"
    await quiet.dispatcher.heartbeat()
    assert (await quiet.now(turn)).state is turns.TurnState.INTERRUPTED
    assert [lost.id for lost in quiet.lost] == [turn.id]
    await quiet.accounts.close()


async def test_a_message_is_answered_in_its_senders_name(house: House) -> None:
    await house.link(people.BEN)
    conversation = await house.conversation()
    who = tool("execute_sql", statement="SELECT current_user() AS me") + "\n!!echo-results"
    for person in (people.ADA, people.BEN):
        shown = await house.shown(await house.say(conversation, who, person=person))
        assert person.email in shown.text
        assert shown.finished.acting_as == person.email
