"""Tokens stay alive, each refresh token is spent once, and a sign-in ends only when Databricks says so."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog

from agent.databricks import errors, tokens
from agent.databricks.settings import DatabricksSettings
from sandbox.databricks import DatabricksSandbox
from sandbox.people import ADA, BEN, CLEO, Person
from storage import errors as storage_errors
from storage.audit import Audit
from storage.database import Database
from storage.identities import Identities, Identity
from storage.vault import Vault
from tests.integration.databricks.stage import TEAM, Replica, call_as, identity, link, tool_call, use

HOUR = timedelta(hours=1)


async def stored_with(
    transaction: Callable[[], AbstractAsyncContextManager[Any]], replica: Replica
) -> Identity:
    async with transaction() as tx:
        found = await Identities(tx, Vault(replica.keys)).get(team_id=TEAM, user_id=ADA.id)
    assert found is not None
    return found


async def stored(replica: Replica, person: Person) -> Identity | None:
    async with replica.database.transaction() as tx:
        return await Identities(tx, Vault(replica.keys)).get(team_id=TEAM, user_id=person.id)


def spent_once(workspace: DatabricksSandbox) -> bool:
    return all(times == 1 for times in Counter(token for _, token in workspace.refreshes).values())


async def test_two_replicas_spend_each_refresh_token_once_when_all_tokens_expire_at_once(
    replica: Replica, other_replica: Replica, workspace: DatabricksSandbox
) -> None:
    for person in (ADA, BEN, CLEO):
        await link(replica, person)
    calls = [
        await tool_call(where, person)
        for where in (replica, other_replica)
        for person in (ADA, BEN, CLEO)
        for _ in "ab"
    ]
    # Databricks stops accepting them before their time, while both replicas believe that they live.
    workspace.expire_access_tokens()
    results = await asyncio.gather(*(use(call, "execute_sql", statement="SELECT 1") for call in calls))
    assert all('"rows":[["1"]]' in result.text for result in results)
    assert sorted(user for user, _ in workspace.refreshes) == [ADA.email, BEN.email, CLEO.email]
    assert spent_once(workspace)


async def test_two_replicas_spend_each_refresh_token_once_when_the_clock_says_so(
    replica: Replica, other_replica: Replica, workspace: DatabricksSandbox
) -> None:
    for person in (ADA, BEN, CLEO):
        await link(replica, person)
    replica.clock.ahead = other_replica.clock.ahead = timedelta(minutes=58)
    wanted = [
        where.service.token(TEAM, person.id)
        for where in (replica, other_replica)
        for person in (ADA, BEN, CLEO)
        for _ in range(5)
    ]
    found = await asyncio.gather(*wanted)
    assert len(set(found)) == 3
    assert len(workspace.refreshes) == 3
    assert spent_once(workspace)


async def test_a_refreshed_token_is_stored_before_it_is_used(replica: Replica) -> None:
    await link(replica, ADA)
    before = await stored(replica, ADA)
    replica.clock.ahead = HOUR
    token = await replica.service.token(TEAM, ADA.id)
    after = await stored(replica, ADA)
    assert before is not None
    assert after is not None
    assert token == after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token


async def test_a_token_with_time_left_is_not_refreshed(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = timedelta(minutes=54)
    await replica.service.token(TEAM, ADA.id)
    assert workspace.refreshes == []


async def test_an_old_refresh_token_is_kept_when_none_is_returned(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    before = await stored(replica, ADA)
    workspace.oauth.single_use_refresh_tokens = False
    for hours in (1, 2):
        replica.clock.ahead = hours * HOUR
        await replica.service.token(TEAM, ADA.id)
    after = await stored(replica, ADA)
    assert before is not None
    assert after is not None
    assert after.refresh_token == before.refresh_token
    assert len(workspace.refreshes) == 2


async def test_short_lived_tokens_are_not_refreshed_at_each_use(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    workspace.oauth.access_token_seconds = 300
    await link(replica, ADA)
    for _ in range(5):
        await replica.service.token(TEAM, ADA.id)
    assert len(workspace.refreshes) == 1


@pytest.mark.parametrize("refusal", ["invalid_grant", "invalid_request"])
async def test_a_sign_in_that_databricks_ended_asks_the_person_again(
    replica: Replica, workspace: DatabricksSandbox, refusal: str
) -> None:
    await link(replica, ADA)
    workspace.oauth.dead_refresh_error = (
        "invalid_request" if refusal == "invalid_request" else "invalid_grant"
    )
    workspace.revoke_refresh_tokens("ada")
    replica.clock.ahead = HOUR
    with pytest.raises(errors.SignInNeededError):
        await replica.service.token(TEAM, ADA.id)
    assert await stored(replica, ADA) is None
    assert await replica.service.identity_for(TEAM, ADA.id) is None
    async with replica.database.transaction() as tx:
        entry, *_ = await Audit(tx).recent(team_id=TEAM, limit=1)
    assert (entry.action, entry.identity) == ("identity.end", ADA.email)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (429, {"error": "invalid_grant"}),
        (401, {"error": "invalid_client"}),
        (400, {"error": "slow_down"}),
    ],
)
async def test_a_fault_of_the_sign_in_service_never_ends_a_sign_in(
    replica: Replica, workspace: DatabricksSandbox, status: int, body: dict[str, str]
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = HOUR
    workspace.faults.fail_next("/oidc/v1/token", status, times=1, body=dict(body))
    with pytest.raises(errors.OAuthUnavailableError):
        await replica.service.token(TEAM, ADA.id)
    assert await stored(replica, ADA) is not None
    assert await replica.service.token(TEAM, ADA.id)


async def test_a_person_stays_linked_while_the_sign_in_service_is_away(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = HOUR
    workspace.faults.fail_next("/oidc/v1/token", 503, times=10)
    assert (await identity(replica, ADA)).user_name == ADA.email


async def test_a_token_that_still_lives_serves_while_refreshing_ahead_fails(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = timedelta(minutes=57)
    workspace.faults.fail_next("/oidc/v1/token", 503, times=10)
    for _ in range(3):
        assert await replica.service.token(TEAM, ADA.id)
    # It is not asked at each use meanwhile: once to sign in, once in vain.
    assert len([request for request in workspace.requests if request.path == "/oidc/v1/token"]) == 2


async def test_a_caller_that_is_cancelled_does_not_cancel_the_refresh(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = HOUR
    workspace.faults.latency["/oidc/v1/token"] = 0.3
    impatient = asyncio.create_task(replica.service.token(TEAM, ADA.id))
    await asyncio.sleep(0.1)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await replica.service.token(TEAM, ADA.id)
    assert len(workspace.refreshes) == 1


async def test_a_grant_survives_a_database_that_goes_away_after_the_old_token_was_spent(
    replica: Replica, workspace: DatabricksSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = HOUR
    store, failures = tokens._store, iter([True, True])

    async def unreliable(rows: Identities, renewed: tokens._Renewed) -> None:
        if next(failures, False):
            raise storage_errors.DatabaseUnavailableError
        await store(rows, renewed)

    monkeypatch.setattr(tokens, "_store", unreliable)
    token = await replica.service.token(TEAM, ADA.id)
    found = await stored(replica, ADA)
    assert found is not None
    assert found.access_token == token
    assert len(workspace.refreshes) == 1


async def test_a_commit_whose_answer_was_lost_is_not_taken_for_a_sign_out(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link(replica, ADA)
    replica.clock.ahead = HOUR
    transaction, answers = replica.database.transaction, iter(["lost"])

    @asynccontextmanager
    async def unreliable() -> AsyncIterator[Any]:
        async with transaction() as tx:
            yield tx
        if (await stored_with(transaction, replica)).expires_at > replica.clock() and next(answers, None):
            raise storage_errors.DatabaseUnavailableError

    monkeypatch.setattr(replica.database, "transaction", unreliable)
    assert await replica.service.token(TEAM, ADA.id)


async def test_a_known_token_serves_while_the_database_is_away(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link(replica, ADA)
    token = await replica.service.token(TEAM, ADA.id)

    def away() -> None:
        raise storage_errors.DatabaseUnavailableError

    monkeypatch.setattr(replica.database, "transaction", away)
    assert await replica.service.token(TEAM, ADA.id) == token
    replica.clock.ahead = HOUR
    with pytest.raises(storage_errors.DatabaseUnavailableError):
        await replica.service.token(TEAM, ADA.id)


async def test_signing_out_forgets_then_revokes_and_ends_what_runs(
    replica: Replica, other_replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    elsewhere = await tool_call(other_replica, ADA)
    assert await replica.service.logout(TEAM, ADA.id) is True
    assert await stored(replica, ADA) is None
    assert len([request for request in workspace.requests if request.path.endswith("/revoke")]) == 2
    with pytest.raises(errors.SignInNeededError):
        await use(elsewhere, "list_warehouses")
    assert await replica.service.logout(TEAM, ADA.id) is False


async def test_signing_out_succeeds_although_databricks_does_not_revoke(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    workspace.faults.fail_next("/oidc/v1/revoke", 500, times=5)
    assert await replica.service.logout(TEAM, ADA.id) is True
    assert await stored(replica, ADA) is None


async def test_a_client_never_serves_another_account_than_it_began_with(replica: Replica) -> None:
    await link(replica, ADA)
    began = await tool_call(replica, ADA)
    async with replica.database.transaction() as tx:
        rows = Identities(tx, Vault(replica.keys))
        present = await rows.get(team_id=TEAM, user_id=ADA.id)
        assert present is not None
        await rows.save(dataclasses.replace(present, databricks_id="another"))
    with pytest.raises(errors.SignInNeededError):
        await use(began, "list_warehouses")


async def test_a_client_used_on_the_event_loop_is_a_mistake_not_a_deadlock(replica: Replica) -> None:
    await link(replica, ADA)
    acting = await identity(replica, ADA)
    with pytest.raises(RuntimeError, match="outside its call pool"):
        acting.client().current_user.me()


async def test_whoami_tells_the_account_without_a_request(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    asked = len(workspace.requests)
    me = await replica.service.whoami(TEAM, ADA.id)
    assert me is not None
    assert (me.user_name, me.host, me.shared) == (ADA.email, workspace.url, False)
    assert me.scopes == ("all-apis", "offline_access")
    assert len(workspace.requests) == asked
    assert await replica.service.whoami(TEAM, BEN.id) is None


@pytest.mark.parametrize(("development", "expected"), [(True, "shared@brickfield.example"), (False, None)])
async def test_the_shared_token_serves_unlinked_people_in_development_only(
    replica: Replica,
    database: Database,
    workspace: DatabricksSandbox,
    development: bool,
    expected: str | None,
) -> None:
    settings = DatabricksSettings(host=workspace.url, shared_token="dapi-shared", development=development)
    sharing = Replica(database=database, settings=settings)
    found = await sharing.service.identity_for(TEAM, BEN.id)
    assert (found and found.user_name) == expected
    if found is not None:
        assert found.shared
        await use(call_as(found, sharing.pool), "list_warehouses")
        assert {request.user for request in workspace.requests} == {"shared@brickfield.example"}
    await sharing.close()


async def test_no_secret_is_logged_or_stored_in_the_clear(
    replica: Replica, workspace: DatabricksSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with structlog.testing.capture_logs() as entries:
        await link(replica, ADA)
        workspace.expire_access_tokens()
        await use(await tool_call(replica, ADA), "execute_sql", statement="SELECT 1")
        found = await stored(replica, ADA)
        await replica.service.logout(TEAM, ADA.id)
    assert found is not None
    said = caplog.text + repr(entries) + repr(found)
    for secret in (found.access_token, found.refresh_token or "", "bricklayer-secret", *_codes(workspace)):
        assert secret
        assert secret not in said


def _codes(workspace: DatabricksSandbox) -> list[str]:
    bodies = [request.body for request in workspace.requests if request.path == "/oidc/v1/token"]
    return [
        str(body[name])
        for body in bodies
        if isinstance(body, dict)
        for name in ("code", "code_verifier")
        if name in body
    ]
