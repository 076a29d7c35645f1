"""A workspace for each test, and the real SDK pointed at it."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from databricks.sdk import WorkspaceClient, core
from databricks.sdk.service import sql as sql_service

from sandbox.databricks import DatabricksSandbox, accounts, dialect, engine, errors, plans, values

TODAY = datetime.date(2026, 11, 22)
STARTER = "8f3a1c5d2b6e4f70"
STOPPED = "2d9b7e4a6c1f3058"
FINANCE = "5e0c8a2f9d7b1463"

T = TypeVar("T")


class Sdk:
    """The synchronous SDK, each call in a thread, since the workspace lives on the test's own loop."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def ask(self, question: Callable[[WorkspaceClient], T], *, token: str = "dapi-ada") -> T:
        """What the SDK answers to whoever holds this token."""

        def call() -> T:
            config = core.Config(host=self._url, token=token, auth_type="pat", retry_timeout_seconds=5)
            return question(WorkspaceClient(config=config))

        return await asyncio.to_thread(call)

    async def execute(
        self, statement: str, *, token: str = "dapi-ada", warehouse_id: str = STARTER, **options: Any
    ) -> sql_service.StatementResponse:
        """``statement_execution.execute_statement``."""

        def submit(client: WorkspaceClient) -> sql_service.StatementResponse:
            execute: Callable[..., sql_service.StatementResponse] = (
                client.statement_execution.execute_statement
            )
            return execute(statement, warehouse_id, **options)

        return await self.ask(submit, token=token)

    async def cancel(self, response: sql_service.StatementResponse) -> None:
        """``statement_execution.cancel_execution``, as Ada."""
        await self.ask(
            lambda client: client.statement_execution.cancel_execution(response.statement_id or "")
        )


@pytest.fixture
async def workspace() -> AsyncIterator[DatabricksSandbox]:
    async with DatabricksSandbox(today=TODAY) as started:
        yield started


@pytest.fixture
def sdk(workspace: DatabricksSandbox) -> Sdk:
    return Sdk(workspace.url)


class Sql:
    """Runs statements straight on an engine."""

    def __init__(self, *, today: datetime.date = TODAY) -> None:
        self.today = today
        self.engine = engine.Engine(today=today)

    def run(self, text: str, *, user: str = "ada", schema: str = "default") -> engine.ResultSet:
        session = plans.Session(
            account=accounts.find(user),
            catalog="main",
            schema=schema,
            now=datetime.datetime.combine(self.today, datetime.time(9), tzinfo=datetime.UTC),
        )
        plan = dialect.plan(
            text, session=session, catalog=self.engine.catalog(), metadata=self.engine.metadata
        )
        result = self.engine.open_run().execute(plan, engine.Limits(), text=text)
        self.engine.apply(plan)
        return result

    def rows(self, text: str, *, user: str = "ada", schema: str = "default") -> list[values.Row]:
        return list(self.run(text, user=user, schema=schema).rows)

    def fails(self, text: str, *, user: str = "ada") -> errors.SqlError:
        with pytest.raises(errors.SqlError) as caught:
            self.run(text, user=user)
        return caught.value


def rows(response: sql_service.StatementResponse) -> list[list[str]]:
    """The rows of an inline result."""
    assert response.status is not None
    assert response.status.state is sql_service.StatementState.SUCCEEDED, response.status
    return (response.result.data_array if response.result else None) or []


def failure(response: sql_service.StatementResponse) -> str:
    """The message of a failed statement."""
    assert response.status is not None
    assert response.status.error is not None
    return response.status.error.message or ""
