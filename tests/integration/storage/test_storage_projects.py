"""Teams, projects and conversations: one of each, whoever comes first."""

import asyncio
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from storage.conversations import Conversations
from storage.database import Database
from storage.projects import Policy, Projects
from storage.teams import Team, Teams
from tests.integration.storage.stage import TEAM, Stage


async def test_a_team_is_remembered_as_it_is_now(tx: AsyncSession) -> None:
    await Teams(tx).upsert(team_id="T1", name="Brick", bot_user_id="U0")
    await Teams(tx).upsert(team_id="T1", name="Brickfield", bot_user_id="U9")
    assert await Teams(tx).get("T1") == Team(id="T1", name="Brickfield", bot_user_id="U9")
    assert await Teams(tx).get("T2") is None


async def test_a_new_project_asks_before_it_writes(tx: AsyncSession) -> None:
    project = await Projects(tx).create(team_id=TEAM, name="sales", owner_id="U1")
    assert project.policy is Policy.ASK
    assert await Projects(tx).get(project.id) == project
    assert await Projects(tx).get(uuid4()) is None


async def test_a_taken_name_gets_a_number_in_any_case_of_letters(tx: AsyncSession) -> None:
    projects = Projects(tx)
    names = [(await projects.create(team_id=TEAM, name=name, owner_id="U1")).name for name in ("Ü", "ü", "Ü")]
    elsewhere = await projects.create(team_id="T2", name="ü", owner_id="U1")
    assert names == ["Ü", "ü-2", "Ü-3"]
    assert elsewhere.name == "ü"


async def test_projects_are_listed_by_name(tx: AsyncSession) -> None:
    for name in ("beta", "Alpha", "gamma"):
        await Projects(tx).create(team_id=TEAM, name=name, owner_id="U1")
    assert [project.name for project in await Projects(tx).list_for_team(TEAM)] == ["Alpha", "beta", "gamma"]


async def test_a_channel_has_one_project_and_a_project_many_channels(tx: AsyncSession) -> None:
    projects = Projects(tx)
    one = await projects.create(team_id=TEAM, name="one", owner_id="U1")
    two = await projects.create(team_id=TEAM, name="two", owner_id="U1")
    for project, channel in ((one, "C1"), (two, "C1"), (two, "C2")):
        await projects.bind_channel(team_id=TEAM, channel_id=channel, project_id=project.id)
    assert await projects.for_channel(team_id=TEAM, channel_id="C1") == two
    assert await projects.channels(two.id) == ["C1", "C2"]
    assert await projects.channels(one.id) == []


async def test_two_first_messages_in_a_channel_make_one_project(database: Database) -> None:
    async def first_message() -> object:
        async with database.transaction() as tx:
            return await Projects(tx).ensure_for_channel(
                team_id=TEAM, channel_id="C1", name="sales", owner_id="U1"
            )

    made = await asyncio.gather(*(first_message() for _ in range(5)))
    assert len(set(made)) == 1
    async with database.transaction() as tx:
        assert len(await Projects(tx).list_for_team(TEAM)) == 1


async def test_a_pick_replaces_the_one_before(tx: AsyncSession) -> None:
    projects = Projects(tx)
    one = await projects.create(team_id=TEAM, name="one", owner_id="U1")
    two = await projects.create(team_id=TEAM, name="two", owner_id="U1")
    assert await projects.picked(team_id=TEAM, user_id="U1") is None
    await projects.pick(team_id=TEAM, user_id="U1", project_id=one.id)
    await projects.pick(team_id=TEAM, user_id="U1", project_id=two.id)
    assert await projects.picked(team_id=TEAM, user_id="U1") == two


async def test_two_first_messages_in_a_thread_begin_one_conversation(stage: Stage) -> None:
    project = await stage.project()

    async def first_message() -> object:
        async with stage.database.transaction() as tx:
            return await Conversations(tx).ensure(
                project_id=project.id, team_id=TEAM, channel_id="C1", thread_ts="1.1"
            )

    assert len(set(await asyncio.gather(*(first_message() for _ in range(5))))) == 1


async def test_a_conversation_stays_in_its_project(stage: Stage) -> None:
    conversation = await stage.conversation()
    other = await stage.project("other")
    async with stage.database.transaction() as tx:
        again = await Conversations(tx).ensure(
            project_id=other.id, team_id=TEAM, channel_id="C1", thread_ts=conversation.thread_ts
        )
    assert again == conversation


async def test_a_conversation_remembers_its_session(stage: Stage) -> None:
    conversation = await stage.conversation()
    session_id = uuid4()
    async with stage.database.transaction() as tx:
        await Conversations(tx).set_session(conversation.id, session_id)
        found = await Conversations(tx).get(conversation.id)
    assert found is not None
    assert found.session_id == session_id


async def test_recent_conversations_come_newest_first(stage: Stage) -> None:
    project = await stage.project()
    begun = [await stage.conversation(project) for _ in range(3)]
    async with stage.database.transaction() as tx:
        recent = await Conversations(tx).recent(project.id, 2)
    assert recent == [begun[2], begun[1]]
