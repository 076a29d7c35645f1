"""Warm sessions, and when they are let go."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import psutil
import pytest
import pytest_asyncio

from agent import errors, session
from agent.pool import CONCURRENT_STARTS, SessionPool
from tests.integration.agent import scene as scenes
from tests.integration.agent.scene import Heard, Scene, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Pooled:
    """A pool of one session, and turns through it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.pool = scene.new_pool(max_sessions=1)
        self.used: list[session.Session] = []

    async def ask(self, spec: session.Spec, text: str, *, follows: uuid.UUID | None = None) -> Heard:
        """One turn of this conversation, after the one named."""
        async with self.pool.session(spec, follows=follows) as live:
            self.used.append(live)
            return await self.scene.ask(live, text)


@pytest_asyncio.fixture(loop_scope="session")
async def pooled(scene: Scene) -> AsyncIterator[Pooled]:
    made = Pooled(scene)
    yield made
    await made.pool.close()


async def test_a_conversation_finds_its_session_warm(pooled: Pooled) -> None:
    spec = await pooled.scene.spec()
    first = await pooled.ask(spec, "!!say one")
    await pooled.ask(spec, "!!say two", follows=first.turn_id)
    assert pooled.used[0] is pooled.used[1]


async def test_a_conversation_that_moved_on_elsewhere_is_resumed(pooled: Pooled) -> None:
    spec = await pooled.scene.spec()
    await pooled.ask(spec, "!!say one")
    spec = replace(spec, resume=pooled.used[0].session_id)
    heard = await pooled.ask(spec, "!!say two", follows=uuid.uuid4())
    first, second = pooled.used
    assert first is not second
    assert not first.alive
    assert heard.text == "two"
    assert first.session_id == second.session_id


async def test_a_killed_session_is_replaced(pooled: Pooled) -> None:
    spec = await pooled.scene.spec()
    first = await pooled.ask(spec, "!!say one")
    (process,) = scenes.agents()
    process.kill()
    await until(lambda: not pooled.used[0].alive)
    spec = replace(spec, resume=pooled.used[0].session_id)
    assert (await pooled.ask(spec, "!!say two", follows=first.turn_id)).text == "two"


async def test_a_session_that_dies_in_a_turn_is_not_kept(pooled: Pooled) -> None:
    spec = await pooled.scene.spec()
    asking = asyncio.create_task(pooled.ask(spec, "!!stall"))
    model = pooled.scene.model
    await model.wait_for(lambda: model.open_answers == 1)
    scenes.agents()[0].kill()
    with pytest.raises(errors.SessionLostError):
        await asking
    assert (await pooled.ask(spec, "!!say again")).text == "again"
    assert len(scenes.agents()) == 1


async def test_the_least_recently_used_makes_room(scene: Scene) -> None:
    pool = scene.new_pool(max_sessions=2)
    used = []
    for _ in range(3):
        async with pool.session(await scene.spec(), follows=None) as live:
            used.append(live)
    await until(lambda: len(scenes.agents()) <= 2)
    assert [live.alive for live in used] == [False, True, True]
    await pool.close()


async def test_no_more_run_at_once_than_are_allowed(pooled: Pooled) -> None:
    one, other = await pooled.scene.spec(), await pooled.scene.spec()
    async with pooled.pool.session(one, follows=None):
        waiting = asyncio.create_task(pooled.ask(other, "!!say my turn"))
        await asyncio.sleep(0.2)
        assert len(scenes.agents()) == 1
        assert not waiting.done()
    assert (await waiting).text == "my turn"


async def test_idle_sessions_are_evicted_after_their_time(scene: Scene) -> None:
    pool = scene.new_pool(idle_seconds=30)
    spec = await scene.spec()
    async with pool.session(spec, follows=None) as live:
        await scene.ask(live, "!!say one")
    await pool.evict_idle()
    assert live.alive
    live.used_at -= 31
    await pool.evict_idle()
    await until(lambda: not live.alive)
    await pool.close()
    assert scenes.own_processes() == []


async def test_starts_are_bounded(scene: Scene) -> None:
    under_way, most = 0, 0

    class Counted(session.Session):
        async def start(self) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.05)
            under_way -= 1
            raise errors.SessionStartError

    pool = SessionPool(
        new=lambda spec: Counted(spec=spec, harness=scene.harness), max_sessions=8, idle_seconds=60
    )

    async def start() -> None:
        async with pool.session(await scene.spec(), follows=None):
            pass

    outcomes = await asyncio.gather(*[start() for _ in range(6)], return_exceptions=True)
    assert all(isinstance(outcome, errors.SessionStartError) for outcome in outcomes)
    assert most == CONCURRENT_STARTS


async def test_closing_leaves_no_process_and_keeps_none_that_ends_later(scene: Scene) -> None:
    pool = scene.new_pool()
    idle, busy = await scene.spec(), await scene.spec()
    async with pool.session(idle, follows=None):
        pass
    async with pool.session(busy, follows=None):
        await pool.close()
    await pool.close()
    _, alive = psutil.wait_procs(scenes.own_processes(), timeout=1)
    assert alive == []
