"""A session: the bundled Claude CLI through the real SDK, its tools on the sandbox's workspace."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent import errors, events, session
from agent.databricks import statements
from sandbox import people
from storage import transcripts
from tests.integration.agent import scene as scenes
from tests.integration.agent.scene import Scene, tool, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def live(scene: Scene) -> AsyncIterator[session.Session]:
    """One session for the tests that leave it as they found it."""
    async with scene.started() as started:
        yield started


async def test_a_question_is_answered_through_the_senders_tools(confined: Scene) -> None:
    asked = len(confined.model.asked)
    async with confined.started() as live:
        heard = await confined.ask(live, "which region sold most last month?")
    assert confined.model.asked[asked].size < 60_000, "a request before anybody has said much"
    assert heard.answer.outcome == "done"
    assert "sold most last month" in heard.text
    assert "".join(event.text for event in heard.saw if isinstance(event, events.TextDelta)) == heard.text
    (finished,) = heard.tools
    assert finished == events.ToolFinished(call_id=finished.call_id, ok=True, summary="5 rows")
    assert heard.answer.usage.output_tokens > 0


async def test_a_second_turn_uses_the_same_process_and_is_billed_by_itself(
    scene: Scene, live: session.Session
) -> None:
    first = await scene.ask(live, "!!say one")
    process = scenes.agent_of(live)
    second = await scene.ask(live, "!!say two")
    assert scenes.agent_of(live) == process
    assert second.text == "two"
    # The second reads from the cache what the first wrote: its own cost, not the running total.
    assert 0 < second.answer.usage.cost_usd < first.answer.usage.cost_usd


async def test_a_failed_turn_leaves_a_session_that_goes_on(scene: Scene, live: session.Session) -> None:
    failed = await scene.ask(live, "!!error 400 invalid_request_error")
    following = await scene.ask(live, "!!say fine again")
    assert failed.answer.outcome == "failed"
    assert (
        failed.answer.error == "The model refused this request. Start a new thread, or ask for less at once."
    )
    assert following.text == "fine again"


async def test_a_retry_is_told(scene: Scene, live: session.Session) -> None:
    heard = await scene.ask(live, "!!error 529 overloaded_error 1\n!!say at last")
    assert [event.attempt for event in heard.saw if isinstance(event, events.Retrying)] == [1]
    assert heard.text == "at last"


async def test_stop_in_mid_stream_keeps_what_was_said_and_the_session(
    scene: Scene, live: session.Session
) -> None:
    said: list[events.Event] = []
    asking = asyncio.create_task(scene.ask(live, "!!say-slowly 1000 20 word{i}", said=said))
    await until(lambda: any(isinstance(event, events.TextDelta) for event in said))
    await live.interrupt()
    stopped = await asking
    following = await scene.ask(live, "!!say still here")
    assert stopped.answer.outcome == "stopped"
    assert stopped.text.startswith("word1 ")
    assert following.text == "still here"


async def test_stop_during_a_statement_cancels_it_on_the_workspace(
    scene: Scene, live: session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The workspace would otherwise tell the statement's id only after ten seconds of patience.
    monkeypatch.setattr(statements, "WAIT", "0s")
    workspace = scene.world.databricks
    asking = asyncio.create_task(
        scene.ask(live, tool("execute_sql", statement="SELECT sandbox_sleep(60)") + "\n!!say never")
    )
    await until(lambda: any("sandbox_sleep(60)" in found.text for found in workspace.statements))
    await asyncio.sleep(0.1)
    await live.interrupt()
    stopped = await asking
    (statement,) = [found for found in workspace.statements if "sandbox_sleep(60)" in found.text]
    async with asyncio.timeout(5):
        await statement.ended.wait()
    following = await scene.ask(live, tool("execute_sql", statement="SELECT 1 AS one"))
    assert following.tools[0].ok, "the tools outlive a stop"
    assert stopped.answer.outcome == "stopped"
    assert statement.state == "CANCELED"
    assert "never" not in stopped.text


async def test_a_stop_between_turns_is_nothing(scene: Scene, live: session.Session) -> None:
    await live.interrupt()
    assert (await scene.ask(live, "!!say all right")).answer.outcome == "done"


async def test_a_killed_process_is_a_lost_session(scene: Scene) -> None:
    async with scene.started() as live:
        asking = asyncio.create_task(scene.ask(live, "!!stall"))
        await scene.model.wait_for(lambda: scene.model.open_answers == 1)
        scenes.agent_of(live).kill()
        with pytest.raises(errors.SessionLostError, match="Send your message again"):
            await asking
        assert not live.alive
        with pytest.raises(errors.SessionLostError):
            await scene.ask(live, "!!say anybody?")


async def test_a_conversation_is_remembered_by_a_new_process_anywhere(scene: Scene) -> None:
    spec = await scene.spec()
    async with scene.started(spec) as live:
        await scene.ask(live, "!!say the secret word is granite")
    elsewhere = replace(spec, resume=live.session_id, workdir=await scene.workdirs.prepare(uuid.uuid4()))
    async with scene.started(elsewhere) as resumed:
        assert resumed.session_id == live.session_id
        second = await scene.ask(resumed, "!!say two")
    assert "granite" in str(scene.model.asked[-1].body["messages"])
    assert second.answer.usage.cost_usd > 0


async def test_what_a_resumed_turn_costs_is_what_it_used(scene: Scene) -> None:
    spec = await scene.spec()
    costs = []
    async with scene.started(spec) as live:
        costs += [(await scene.ask(live, f"!!say {n}")).answer.usage.cost_usd for n in range(3)]
    async with scene.started(replace(spec, resume=live.session_id)) as resumed:
        costs += [(await scene.ask(resumed, f"!!say {n}")).answer.usage.cost_usd for n in range(2)]
    # Turns that say the same cost about the same, whichever process ran them.
    assert costs[3] == pytest.approx(costs[2], rel=0.2)
    assert costs[4] == pytest.approx(costs[2], rel=0.2)


async def test_a_transcript_written_twice_is_stored_once(scene: Scene, live: session.Session) -> None:
    await scene.ask(live, "!!say before")
    before = len(await stored(scene, live))
    turn_id = uuid.uuid4()
    call = scene.call(people.ADA, turn_id=turn_id, project=live.spec.workdir.project)
    await live.run(turn_id=turn_id, message="!!say one", call=call, emit=lambda event: None)
    async with scene.database.transaction() as tx:
        await live.transcript.write(tx)
        await tx.rollback()
    for _ in range(2):
        async with scene.database.transaction() as tx:
            await live.transcript.write(tx)
        live.transcript.settle()
    kinds = [entry.get("type") for entry in (await stored(scene, live))[before:]]
    assert kinds.count("assistant") == 1
    assert kinds.count("queue-operation") == 2, "an entry without an id is not stored twice either"


async def stored(scene: Scene, live: session.Session) -> list[dict[str, Any]]:
    """The session's transcript in the database."""
    async with scene.database.transaction() as tx:
        found = await transcripts.Transcripts(tx).load(
            project_key=str(live.spec.project_id), session_id=str(live.session_id), subpath=None
        )
    return found or []


async def test_a_tool_call_after_its_turn_is_refused(scene: Scene, live: session.Session) -> None:
    await scene.ask(live, "!!say done")
    with pytest.raises(errors.TurnOverError):
        live.current()


async def test_each_session_puts_its_own_senders_token_on_the_wire(scene: Scene) -> None:
    def count(person: people.Person) -> str:
        return tool("execute_sql", statement=f"SELECT current_user() AS {person.name}") + "\n!!echo-results"

    async def ask(person: people.Person) -> scenes.Heard:
        async with scene.started() as live:
            return await scene.ask(live, count(person), person=person)

    heard = await asyncio.gather(ask(people.ADA), ask(people.BEN))
    for answer, person in zip(heard, (people.ADA, people.BEN), strict=True):
        assert person.email in answer.text
    users = {
        (request.user, request.token)
        for request in scene.world.databricks.requests
        if "current_user() AS" in str(request.body)
    }
    assert users == {(person.email, f"dapi-{person.name}") for person in (people.ADA, people.BEN)}


async def test_one_session_acts_as_each_turns_sender(scene: Scene, live: session.Session) -> None:
    who = tool("execute_sql", statement="SELECT current_user() AS me") + "\n!!echo-results"
    first = await scene.ask(live, who, person=people.ADA)
    second = await scene.ask(live, who, person=people.BEN)
    assert people.ADA.email in first.text
    assert people.BEN.email in second.text
    assert people.ADA.email not in second.text


async def test_a_process_that_does_not_come_up_leaves_nothing_behind(scene: Scene) -> None:
    entry = scene.harness.entry.with_name("broken")
    await asyncio.to_thread(_write_program, entry, "#!/bin/sh\nexit 3\n")
    broken = replace(scene, harness=replace(scene.harness, entry=entry))
    before = scenes.own_processes()
    with pytest.raises(errors.SessionStartError):
        async with broken.started():
            pass
    assert scenes.own_processes() == before


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
