"""Tools run inside the bot's own process, and each call carries the identity of the one who asked for it."""

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio

from sandbox import people
from sandbox.databricks import accounts
from storage import identities, vault
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = vault.Vault.generate_key()
LINKED = (people.ADA, people.BEN, people.CLEO)

Ask = Callable[[people.Person, str, str | None], Awaitable[str]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def linked(bare_stage: stages.Stage) -> stages.Stage:
    """A stage where three people have signed in to Databricks."""
    await bare_stage.start({"BRICKLAYER_SECRET_KEYS": KEY})
    for person in LINKED:
        await _link(bare_stage, person)
    return bare_stage


async def _link(stage: stages.Stage, person: people.Person) -> None:
    now = datetime.datetime.now(datetime.UTC)
    identity = identities.Identity(
        team_id=people.TEAM.id,
        user_id=person.id,
        host=stage.world.databricks.url,
        user_name=person.email,
        databricks_id=accounts.find(person.name).id,
        scopes=("all-apis",),
        access_token=f"dapi-{person.name}",
        refresh_token=None,
        expires_at=now + datetime.timedelta(days=1),
        linked_at=now,
        ends_at=None,
    )
    async with stage.database.transaction() as tx:
        await identities.Identities(tx, vault.Vault((KEY,))).save(identity)


def _whose(mark: str, *, seconds: int = 0) -> str:
    """A request whose statement tells who ran it, and can be found by its mark."""
    wait = f", sandbox_sleep({seconds})" if seconds else ""
    statement = {"statement": f"SELECT current_user() AS me, '{mark}' AS mark{wait}"}
    return f"!!tool execute_sql {json.dumps(statement)}\n!!echo-results"


def _runners(stage: stages.Stage, mark: str) -> set[str | None]:
    """Whose tokens brought the statement with this mark to the workspace, and to whom it belongs there."""
    workspace = stage.world.databricks
    sent = {request.user for request in workspace.requests if f"'{mark}'" in str(request.body)}
    return sent | {statement.user for statement in workspace.statements if f"'{mark}'" in statement.text}


async def test_conversations_side_by_side_each_act_as_their_own_sender(linked: stages.Stage) -> None:
    threads = {
        person: await linked.ask(_whose(f"side {person.name}", seconds=2), user=person.id)
        for person in LINKED
    }

    await asyncio.gather(*(linked.over(thread) for thread in threads.values()))

    for person, thread in threads.items():
        assert _runners(linked, f"side {person.name}") == {person.email}
        assert person.email in stages.words(linked.replies(thread)[-1])


async def test_people_in_one_thread_each_act_as_themselves(linked: stages.Stage) -> None:
    thread = await linked.ask(_whose("turn ada 0"), user=people.ADA.id)
    await linked.saying("Working", thread)
    order = [people.BEN, people.CLEO, people.ADA]
    for number, person in enumerate(order, start=1):
        await linked.ask(_whose(f"turn {person.name} {number}"), user=person.id, thread=thread)
        await linked.replied(thread, count=number + 1)

    replies = await linked.over(thread, count=4, within=60)

    for number, person in enumerate([people.ADA, *order]):
        assert _runners(linked, f"turn {person.name} {number}") == {person.email}
        assert f"as {person.email}" in stages.words(replies[number])


async def test_tools_called_at_once_in_one_turn_share_its_identity(linked: stages.Stage) -> None:
    calls = [
        {"name": "execute_sql", "input": {"statement": f"SELECT current_user(), 'at once {number}'"}}
        for number in range(4)
    ]

    await linked.answer(f"!!tools {json.dumps(calls)}\n!!echo-results", user=people.CLEO.id)

    for number in range(4):
        assert _runners(linked, f"at once {number}") == {people.CLEO.email}


async def test_nobody_was_ever_served_as_somebody_else(linked: stages.Stage) -> None:
    await linked.answer(_whose("last"), user=people.BEN.id)

    seen = {(request.token, request.user) for request in linked.world.databricks.requests if request.token}
    allowed = {(f"dapi-{person.name}", person.email) for person in LINKED}
    assert seen - {("dapi-shared", accounts.SHARED.user_name)} <= allowed
    assert all(
        statement.user != accounts.SHARED.user_name for statement in linked.world.databricks.statements
    )
