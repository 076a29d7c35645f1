"""As whom a Slack person acts on Databricks.

This is the one service the rest of the house talks to: it hands out sign-in links, walks a browser through them,
keeps the tokens alive, and gives each turn an ``ActingIdentity``. That record carries the sender's own client and is
passed on explicitly, because a session outlives turns and turns have different senders. The service's own credentials
never stand in for a person; a shared token does so only in development, and says that it is shared.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from databricks.sdk import WorkspaceClient

from agent.databricks import clients, errors, oauth, sign_in, threads, tokens
from agent.databricks import settings as settings_
from storage import audit, database, vault
from storage import identities as stored

log = structlog.get_logger(__name__)

CLIENTS_KEPT = 256  # some 30 KiB and a few idle connections each
SHARED_NAME = "the shared development account"  # until Databricks has said its name


@dataclass(frozen=True, kw_only=True)
class ActingIdentity:
    """The Databricks account that one sender's work runs as. ``shared``: the development token, nobody's own."""

    team_id: str
    user_id: str
    host: str
    user_name: str
    databricks_id: str
    shared: bool
    workspace: WorkspaceClient = field(repr=False, compare=False)
    tokens: clients.TokenSource = field(repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """The sender, as the call pool's key."""
        return self.team_id, self.user_id

    def client(self) -> WorkspaceClient:
        """The sender's own client. Its calls block: run them in a ``CallPool``."""
        return self.workspace


@dataclass(frozen=True, kw_only=True)
class WhoAmI:
    """What ``/brick whoami`` shows. ``ends_at`` is ``None`` where Databricks does not tell when a sign-in ends."""

    host: str
    user_name: str
    scopes: tuple[str, ...]
    shared: bool
    expires_at: datetime | None = None
    linked_at: datetime | None = None
    ends_at: datetime | None = None


class IdentityService:
    """Sign-in, sign-out, and the identity of each turn. To be made on the event loop that it serves."""

    def __init__(
        self,
        *,
        database: database.Database,
        vault: vault.Vault,
        signing_keys: Sequence[str],
        settings: settings_.DatabricksSettings,
        pool: threads.CallPool,
        email_of: sign_in.EmailLookup,
        now: Callable[[], datetime] = oauth.utc_now,
    ) -> None:
        """``signing_keys`` are the vault's keys, newest first; sign-in links are signed with keys derived from them."""
        self._database = database
        self._vault = vault
        self._settings = settings
        self._pool = pool
        self._oauth = oauth.OAuthClient(
            host=settings.host,
            client_id=settings.client_id or "",
            client_secret=settings.client_secret,
            scopes=settings.scopes,
            redirect_uri=settings.redirect_uri,
            now=now,
        )
        self._keeper = tokens.TokenKeeper(database=database, vault=vault, client=self._oauth, now=now)
        self._flow = sign_in.SignInFlow(
            database=database,
            vault=vault,
            signing_keys=signing_keys,
            settings=settings,
            client=self._oauth,
            pool=pool,
            email_of=email_of,
            now=now,
        )
        self._clients: OrderedDict[tuple[str, str, str], tuple[WorkspaceClient, tokens.SenderTokens]] = (
            OrderedDict()
        )
        self._shared = _Shared(settings) if settings.development and settings.shared_token else None

    @property
    def can_sign_in(self) -> bool:
        """Whether an OAuth app and a public address are configured."""
        return bool(self._settings.host and self._settings.client_id and self._settings.public_url)

    async def offer(self, team_id: str, user_id: str) -> str:
        """A sign-in link for this Slack person alone, good once and for ten minutes."""
        if not self.can_sign_in:
            raise errors.SignInNotSetUpError
        return await self._flow.offer(team_id, user_id)

    async def start(self, token: str, *, forwarded_email: str | None = None) -> sign_in.Started:
        """``/auth/start``: where to send the browser and its cookie; ``SignInRefusedError`` otherwise."""
        return await self._flow.start(token, forwarded_email=forwarded_email)

    async def callback(
        self, params: Mapping[str, str], *, cookie: str | None, forwarded_email: str | None = None
    ) -> sign_in.PendingLink:
        """``/auth/callback``: what to ask the person to confirm; ``SignInRefusedError`` otherwise."""
        return await self._flow.callback(params, cookie=cookie, forwarded_email=forwarded_email)

    async def confirm(self, token: str, *, cookie: str | None) -> sign_in.Linked:
        """The confirmation page's yes: linked. The caller releases the turns that waited for it."""
        linked = await self._flow.confirm(token, cookie=cookie)
        self._forget((linked.team_id, linked.user_id))
        return linked

    async def decline(self, token: str, *, cookie: str | None) -> None:
        """The confirmation page's no: everything forgotten."""
        await self._flow.decline(token, cookie=cookie)

    async def logout(self, team_id: str, user_id: str) -> bool:
        """Forget the sign-in here first, then ask Databricks to; ``False`` when there was none.

        The caller stops the person's running turns before, while their statements can still be cancelled.
        """
        async with self._database.transaction() as tx:
            gone = await stored.Identities(tx, self._vault).delete(team_id=team_id, user_id=user_id)
            if gone is not None:
                await audit.Audit(tx).record(
                    team_id=team_id,
                    user_id=user_id,
                    action="identity.unlink",
                    outcome="done",
                    identity=gone.user_name,
                )
        self._forget((team_id, user_id))
        if gone is not None:
            await self._flow.revoke(gone.access_token, gone.refresh_token)
        return gone is not None

    async def identity_for(self, team_id: str, user_id: str) -> ActingIdentity | None:
        """As whom this person's turn runs; ``None``: they must sign in first.

        A sign-in service that does not answer is no reason to ask anybody again: the identity is given, and its
        calls fail until it does.
        """
        identity = await self._linked(team_id, user_id)
        if identity is None:
            return await self._shared_identity(team_id, user_id)
        workspace, source = self._client(identity)
        return ActingIdentity(
            team_id=team_id,
            user_id=user_id,
            host=identity.host,
            user_name=identity.user_name,
            databricks_id=identity.databricks_id,
            shared=False,
            workspace=workspace,
            tokens=source,
        )

    async def token(self, team_id: str, user_id: str) -> str:
        """A living access token of a linked person, for the model proxy; ``SignInNeededError`` without one."""
        return (await self._keeper.identity((team_id, user_id))).access_token

    async def renewed(self, team_id: str, user_id: str, *, refused: str) -> str:
        """The token to use instead of one that Databricks refused before its time; ``SignInNeededError`` without one."""
        return (await self._keeper.renewed((team_id, user_id), refused=refused)).access_token

    async def whoami(self, team_id: str, user_id: str) -> WhoAmI | None:
        """The person's account as it stands, without a word to Databricks about their own."""
        async with self._database.transaction() as tx:
            identity = await stored.Identities(tx, self._vault).get(team_id=team_id, user_id=user_id)
        if identity is not None:
            return WhoAmI(
                host=identity.host,
                user_name=identity.user_name,
                scopes=identity.scopes,
                shared=False,
                expires_at=identity.expires_at,
                linked_at=identity.linked_at,
                ends_at=identity.ends_at,
            )
        acting = await self._shared_identity(team_id, user_id)
        if acting is None:
            return None
        return WhoAmI(host=acting.host, user_name=acting.user_name, scopes=(), shared=True)

    async def close(self) -> None:
        """Let refreshes under way store what they got, then close the connections."""
        await self._keeper.close()
        await self._oauth.close()

    async def _linked(self, team_id: str, user_id: str) -> stored.Identity | None:
        try:
            return await self._keeper.identity((team_id, user_id))
        except errors.SignInNeededError:
            return None
        except errors.OAuthUnavailableError:
            async with self._database.transaction() as tx:
                return await stored.Identities(tx, self._vault).get(team_id=team_id, user_id=user_id)

    def _client(self, identity: stored.Identity) -> tuple[WorkspaceClient, tokens.SenderTokens]:
        key = (identity.team_id, identity.user_id, identity.databricks_id)
        if key not in self._clients:
            source = self._keeper.source(key[:2], databricks_id=identity.databricks_id)
            self._clients[key] = (clients.workspace_client(host=identity.host, tokens=source), source)
            while len(self._clients) > CLIENTS_KEPT:
                self._clients.popitem(last=False)
        self._clients.move_to_end(key)
        return self._clients[key]

    async def _shared_identity(self, team_id: str, user_id: str) -> ActingIdentity | None:
        if self._shared is None:
            return None
        user_name, databricks_id = await self._shared.who(self._pool)
        return ActingIdentity(
            team_id=team_id,
            user_id=user_id,
            host=self._settings.host,
            user_name=user_name,
            databricks_id=databricks_id,
            shared=True,
            workspace=self._shared.workspace,
            tokens=self._shared.tokens,
        )

    def _forget(self, sender: tokens.Sender) -> None:
        self._keeper.forget(sender)
        for key in [key for key in self._clients if key[:2] == sender]:
            del self._clients[key]


class _Shared:
    """The development token and the account behind it, asked for once."""

    def __init__(self, settings: settings_.DatabricksSettings) -> None:
        self.tokens = clients.FixedToken(settings.shared_token or "")
        self.workspace = clients.workspace_client(host=settings.host, tokens=self.tokens)
        self._who: tuple[str, str] | None = None

    async def who(self, pool: threads.CallPool) -> tuple[str, str]:
        if self._who is None:
            try:
                self._who = await pool.call(
                    ("shared",), sign_in.who, self.workspace, timeout=sign_in.ME_PATIENCE
                )
            except (OSError, errors.DatabricksError) as error:
                log.warning("shared account not readable", reason=str(errors.from_sdk(error)))
                return SHARED_NAME, ""
        return self._who
