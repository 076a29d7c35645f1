"""Keeps people's access tokens alive.

Refresh tokens are single-use: whoever spends one must store its successor before anybody uses the new access token,
and two processes spending the same one end the sign-in. So a refresh holds the identity's row (``SELECT … FOR
UPDATE``), looks again at what another replica may have stored meanwhile, and commits before it returns. Within a
process all callers share one refresh, which is a task of its own: a caller that is cancelled in the middle takes
nothing with it.

The row is read for each request, so a sign-out on any replica counts at once. Only while the database is away does a
token seen before go on serving, until it expires.
"""

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta

import structlog
import tenacity

from agent.databricks import errors, oauth
from storage import audit, database, identities, vault
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

REFRESH_AHEAD = timedelta(minutes=5)
SHORTEST_LIFE = timedelta(
    seconds=90
)  # Azure refuses a token in its last 30 s; the rest is for the call itself
PAUSE = timedelta(seconds=30)  # after refreshing ahead of time failed
REFRESHES_AT_ONCE = 4  # each holds a database connection while Databricks answers
STORE_FOR = 60.0  # seconds to go on storing a grant that the database would not take
CLOSE_PATIENCE = 5.0  # seconds that a stop leaves to refreshes under way
THREAD_PATIENCE = 45.0  # seconds that a worker thread waits for a token

Sender = tuple[str, str]  # team id, Slack user id


class TokenKeeper:
    """Access tokens of linked people, alive. Belongs to the event loop that it is made on."""

    def __init__(
        self,
        *,
        database: database.Database,
        vault: vault.Vault,
        client: oauth.OAuthClient,
        now: Callable[[], datetime] = oauth.utc_now,
    ) -> None:
        self._database = database
        self._vault = vault
        self._client = client
        self._now = now
        self._loop = asyncio.get_running_loop()
        #: The loop's own thread, in which nobody may block on it.
        self.thread = threading.get_ident()
        self._slots = asyncio.Semaphore(REFRESHES_AT_ONCE)
        self._refreshes: dict[Sender, asyncio.Task[identities.Identity]] = {}
        self._ahead: dict[Sender, timedelta] = {}
        self._pauses: dict[Sender, datetime] = {}
        self._seen: dict[Sender, identities.Identity] = {}

    async def identity(self, sender: Sender) -> identities.Identity:
        """The sender's identity with a token that lives at least ``SHORTEST_LIFE``.

        Raises ``SignInNeededError`` when there is none any more, ``OAuthUnavailableError`` or
        ``DatabaseUnavailableError`` when it cannot be had at the moment.
        """
        identity = await self._read(sender)
        if self._lives(identity, self._wanted_life(sender)):
            return identity
        try:
            return await self._refreshed(sender, None)
        except (errors.OAuthUnavailableError, storage_errors.DatabaseUnavailableError):
            if not self._lives(identity, SHORTEST_LIFE):
                raise
            # Else every request of the next minutes would wait for a service that hangs.
            self._pauses[sender] = self._now() + PAUSE
            log.warning("token not refreshed ahead of time", team=sender[0], user=sender[1])
            return identity

    async def renewed(self, sender: Sender, *, refused: str) -> identities.Identity:
        """The identity with another token than the one that Databricks refused before its time."""
        return await self._refreshed(sender, refused)

    def source(self, sender: Sender, *, databricks_id: str) -> "SenderTokens":
        """What a client asks for tokens; it serves this one Databricks account and no other."""
        return SenderTokens(self, self._loop, sender, databricks_id)

    def forget(self, sender: Sender) -> None:
        """Drop what was remembered of a sender who signed out or linked another account."""
        self._seen.pop(sender, None)
        self._ahead.pop(sender, None)
        self._pauses.pop(sender, None)

    async def close(self) -> None:
        """Let refreshes under way store what they got, for ``CLOSE_PATIENCE``; then they are dropped."""
        under_way = list(self._refreshes.values())
        if not under_way:
            return
        _, late = await asyncio.wait(under_way, timeout=CLOSE_PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _read(self, sender: Sender) -> identities.Identity:
        try:
            async with self._database.transaction() as tx:
                found = await identities.Identities(tx, self._vault).get(team_id=sender[0], user_id=sender[1])
        except storage_errors.DatabaseUnavailableError:
            seen = self._seen.get(sender)
            if seen is None or not self._lives(seen, SHORTEST_LIFE):
                raise
            return seen
        if found is None:
            self.forget(sender)
            raise errors.SignInNeededError
        self._seen[sender] = found
        return found

    def _wanted_life(self, sender: Sender) -> timedelta:
        pause = self._pauses.get(sender)
        if pause is not None and self._now() < pause:
            return SHORTEST_LIFE
        return self._ahead.get(sender, REFRESH_AHEAD)

    def _lives(self, identity: identities.Identity, at_least: timedelta) -> bool:
        return identity.expires_at - self._now() > at_least

    async def _refreshed(self, sender: Sender, refused: str | None) -> identities.Identity:
        task = self._refreshes.get(sender)
        if task is None:
            task = asyncio.create_task(self._refresh(sender, refused), name=f"refresh token of {sender[1]}")
            self._refreshes[sender] = task
            task.add_done_callback(lambda done: self._settled(sender, done))
        return await asyncio.shield(task)

    def _settled(self, sender: Sender, task: asyncio.Task[identities.Identity]) -> None:
        self._refreshes.pop(sender, None)
        # Read here too, for the case that every caller has left meanwhile.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("token refresh failed", team=sender[0], user=sender[1], reason=type(error).__name__)

    async def _refresh(self, sender: Sender, refused: str | None) -> identities.Identity:
        renewed: _Renewed | None = None
        async with self._slots:
            try:
                async with self._database.transaction() as tx:
                    rows = identities.Identities(tx, self._vault)
                    present = await rows.lock(team_id=sender[0], user_id=sender[1])
                    if present is not None and not self._is_due(sender, present, refused):
                        return present
                    renewed = await self._spend(present)
                    if renewed is not None:
                        await _store(rows, renewed)
                    elif present is not None:
                        await _end(rows, audit.Audit(tx), present)
            except storage_errors.DatabaseUnavailableError:
                if renewed is None:
                    raise
                await self._store_persistently(renewed)
        if renewed is None:
            self.forget(sender)
            raise errors.SignInNeededError
        self._remember(sender, renewed.identity)
        return renewed.identity

    def _is_due(self, sender: Sender, present: identities.Identity, refused: str | None) -> bool:
        if refused is not None and present.access_token == refused:
            return True
        ahead = self._ahead.get(sender, REFRESH_AHEAD) if present.refresh_token else SHORTEST_LIFE
        return not self._lives(present, ahead)

    async def _spend(self, present: identities.Identity | None) -> "_Renewed | None":
        """The successor of this identity's tokens; ``None`` when the sign-in is over."""
        if present is None or present.refresh_token is None:
            return None
        try:
            grant = await self._client.refresh(present.refresh_token)
        except errors.SignInNeededError:
            return None
        identity = dataclasses.replace(
            present,
            access_token=grant.access_token,
            # Without single-use tokens the answer brings none, and the old one goes on.
            refresh_token=grant.refresh_token or present.refresh_token,
            expires_at=grant.expires_at,
            scopes=grant.scopes or present.scopes,
        )
        return _Renewed(identity=identity, spent=present.refresh_token)

    async def _store_persistently(self, renewed: "_Renewed") -> None:
        """The database went away between spending the old token and storing the new one: the grant must not be lost."""
        log.warning(
            "refreshed token not stored yet", team=renewed.identity.team_id, user=renewed.identity.user_id
        )
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(storage_errors.DatabaseUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(STORE_FOR),
            reraise=True,
        ):
            with attempt:
                async with self._database.transaction() as tx:
                    rows = identities.Identities(tx, self._vault)
                    present = await rows.lock(
                        team_id=renewed.identity.team_id, user_id=renewed.identity.user_id
                    )
                    if present is not None and present.access_token == renewed.identity.access_token:
                        # It had been committed; only the answer was lost.
                        return
                    # Signed out or linked anew meanwhile: then this grant has no owner any more.
                    if present is None or present.refresh_token != renewed.spent:
                        raise errors.SignInNeededError
                    await _store(rows, renewed)

    def _remember(self, sender: Sender, identity: identities.Identity) -> None:
        lifetime = identity.expires_at - self._now()
        # A token that lives for five minutes must not be refreshed at each use.
        self._ahead[sender] = min(REFRESH_AHEAD, max(SHORTEST_LIFE, lifetime / 4))
        self._seen[sender] = identity


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Renewed:
    identity: identities.Identity
    spent: str = dataclasses.field(repr=False)


class SenderTokens:
    """A ``clients.TokenSource`` over a keeper: worker threads ask, the event loop answers."""

    def __init__(
        self, keeper: TokenKeeper, loop: asyncio.AbstractEventLoop, sender: Sender, databricks_id: str
    ) -> None:
        self._keeper = keeper
        self._loop = loop
        self._sender = sender
        self._databricks_id = databricks_id

    def token(self) -> str:
        return self._ask(self._keeper.identity(self._sender))

    def renew(self, refused: str) -> str:
        return self._ask(self._keeper.renewed(self._sender, refused=refused))

    def _ask(self, question: Coroutine[None, None, identities.Identity]) -> str:
        if threading.get_ident() == self._keeper.thread or self._loop.is_closed():
            question.close()
            raise RuntimeError("a Databricks client was used outside its call pool")
        answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            identity = answer.result(timeout=THREAD_PATIENCE)
        except TimeoutError:
            answer.cancel()
            raise errors.OAuthUnavailableError from None
        if identity.databricks_id != self._databricks_id:
            # Somebody linked another account while this work was under way; it began as the former one.
            raise errors.SignInNeededError
        return identity.access_token


async def _store(rows: identities.Identities, renewed: _Renewed) -> None:
    identity = renewed.identity
    await rows.update_tokens(
        team_id=identity.team_id,
        user_id=identity.user_id,
        access_token=identity.access_token,
        refresh_token=identity.refresh_token,
        expires_at=identity.expires_at,
        scopes=identity.scopes,
    )


async def _end(rows: identities.Identities, entries: audit.Audit, ended: identities.Identity) -> None:
    """Databricks said that the sign-in is over: the row goes, so that the person is asked again."""
    await rows.delete(team_id=ended.team_id, user_id=ended.user_id)
    await entries.record(
        team_id=ended.team_id,
        user_id=ended.user_id,
        action="identity.end",
        outcome="ended by databricks",
        identity=ended.user_name,
    )
