"""What the service is made of, put together in the order in which the parts need each other.

Each part gets what it needs through its constructor, and the exit stack takes them down in reverse.
"""

import asyncio
import logging
import os
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import structlog
import tenacity
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from agent import dispatcher, jail, model_proxy, pool, session, skills, turn, upstream, workdir
from agent.databricks import identities as identity_service
from agent.databricks import settings as databricks_settings
from agent.databricks import threads
from bot import (
    commands,
    errors,
    foundations,
    home,
    inbox,
    listeners,
    people,
    routing,
    settings,
    slack,
    stopping,
    visibility,
)
from bot.listeners import accept
from bot.replies import front
from bot.replies import outbox as outboxes
from storage import database, teams, vault

log = structlog.get_logger(__name__)

SKILLS = Path(__file__).resolve().parent.parent / "skills"


@dataclass(frozen=True, kw_only=True)
class Core:
    """The parts below Slack's listeners."""

    database: database.Database
    vault: vault.Vault
    client: AsyncWebClient
    team: slack.Installation
    people: people.People
    accounts: identity_service.IdentityService
    sessions: pool.SessionPool
    outbox: outboxes.Outbox
    front: front.SlackFront
    dispatcher: dispatcher.Dispatcher


async def build(chosen: settings.Settings, stack: AsyncExitStack, *, replica: str) -> Core:
    """Everything but the listeners, ready and not yet running. Raises errors.StartError."""
    db = await foundations.open_database(chosen, stack, replica=replica)
    keys, key_texts = await foundations.open_vault(chosen, db)
    http = await stack.enter_async_context(aiohttp.ClientSession())
    client = slack.client(
        token=chosen.slack_bot_token.get_secret_value(), api_url=chosen.slack_api_url, session=http
    )
    team = await _join_team(client, db)
    who = people.People(
        client=client,
        team_id=team.team_id,
        admins=chosen.bricklayer_admins,
        allow_guests=chosen.bricklayer_allow_guests,
    )
    calls = threads.CallPool()
    stack.push_async_callback(calls.close)
    accounts = _accounts(chosen, db, keys, key_texts, calls, who)
    stack.push_async_callback(accounts.close)
    sessions = await _sessions(chosen, stack, db, accounts)
    outbox = outboxes.Outbox(client, name=team.team_id)
    talk = front.SlackFront(
        database=db,
        client=client,
        outbox=outbox,
        people=who,
        identities=accounts,
        bot_user_id=team.bot_user_id,
    )
    runner = turn.TurnRunner(
        database=db,
        front=talk,
        identities=accounts,
        workdirs=workdir.Workdirs(chosen.projects_dir),
        sessions=sessions,
        calls=calls,
    )
    claims = dispatcher.Dispatcher(
        database=db,
        runner=runner,
        replica=replica,
        max_running=chosen.bricklayer_max_sessions,
        on_lost=talk.lost,
    )
    return Core(
        database=db,
        vault=keys,
        client=client,
        team=team,
        people=who,
        accounts=accounts,
        sessions=sessions,
        outbox=outbox,
        front=talk,
        dispatcher=claims,
    )


def desk(chosen: settings.Settings, core: Core) -> listeners.Desk:
    """What the listeners hand Slack's deliveries to."""
    sight = visibility.Visibility(core.client)
    router = routing.Router(
        database=core.database,
        people=core.people,
        client=core.client,
        visibility=sight,
        team_id=core.team.team_id,
        allow_shared_channels=chosen.bricklayer_allow_shared_channels,
    )
    stops = stopping.Stopping(
        database=core.database, people=core.people, front=core.front, wake=core.dispatcher.wake
    )
    words = commands.Commands(
        database=core.database,
        identities=core.accounts,
        stopping=stops,
        team_id=core.team.team_id,
        host=chosen.databricks_host,
    )
    post = inbox.Inbox(
        database=core.database,
        people=core.people,
        router=router,
        commands=words,
        front=core.front,
        wake=core.dispatcher.wake,
        bot_user_id=core.team.bot_user_id,
    )
    pages = home.Home(
        database=core.database,
        client=core.client,
        people=core.people,
        identities=core.accounts,
        visibility=sight,
        team_id=core.team.team_id,
    )
    return listeners.Desk(
        inbox=post,
        commands=words,
        stopping=stops,
        home=pages,
        people=core.people,
        team_id=core.team.team_id,
    )


def bolt(chosen: settings.Settings, core: Core, at: listeners.Desk) -> AsyncApp:
    """The Bolt app with all listeners, behind the durable accept."""

    async def authorize() -> AuthorizeResult:
        # One installation, so nothing to look up; who acts is checked where they act.
        return AuthorizeResult(
            enterprise_id=None,
            team_id=core.team.team_id,
            bot_user_id=core.team.bot_user_id,
            bot_id=core.team.bot_id,
            bot_token=chosen.slack_bot_token.get_secret_value(),
        )

    secret = chosen.slack_signing_secret
    app = AsyncApp(
        client=core.client,
        authorize=authorize,
        signing_secret=secret.get_secret_value() if secret else "unused in Socket Mode",
        logger=logging.getLogger("slack_bolt.app"),
    )
    app.use(accept.Accept(core.database))
    listeners.register(app, at)
    return app


def _accounts(
    chosen: settings.Settings,
    db: database.Database,
    keys: vault.Vault,
    key_texts: tuple[str, ...],
    calls: threads.CallPool,
    who: people.People,
) -> identity_service.IdentityService:
    return identity_service.IdentityService(
        database=db,
        vault=keys,
        signing_keys=key_texts,
        settings=_databricks(chosen),
        pool=calls,
        email_of=lambda _team, user: who.email(user),
    )


async def _join_team(client: AsyncWebClient, db: database.Database) -> slack.Installation:
    """Who we are in Slack, remembered; waits while Slack is away, and refuses a token that Slack refuses."""
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_passes),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=15),
        before_sleep=lambda state: log.warning("Slack not reached yet", attempt=state.attempt_number),
    )
    try:
        async for attempt in attempts:
            with attempt:
                team = await slack.installation(client)
    except SlackApiError as error:
        raise errors.StartError(
            f"SLACK_BOT_TOKEN is refused by Slack ({error.response['error']}). Copy the bot token of the installed app."
        ) from error
    except SlackClientError as error:
        raise errors.StartError(f"SLACK_API_URL does not lead to Slack ({error}).") from error
    async with db.transaction() as tx:
        await teams.Teams(tx).upsert(team_id=team.team_id, name=team.team_name, bot_user_id=team.bot_user_id)
    return team


def _passes(error: BaseException) -> bool:
    """Whether waiting may help: Slack is away or busy, rather than refusing our token."""
    if isinstance(error, SlackApiError):
        return error.response.get("error") not in slack.REFUSALS
    return isinstance(error, OSError | TimeoutError | aiohttp.ClientError)


async def _sessions(
    chosen: settings.Settings,
    stack: AsyncExitStack,
    db: database.Database,
    accounts: identity_service.IdentityService,
) -> pool.SessionPool:
    """The pool of Claude sessions, with the proxy that they reach the model through."""
    run_dir = await asyncio.to_thread(_run_dir, chosen.bricklayer_data_dir.absolute() / "run")
    stack.callback(shutil.rmtree, run_dir, ignore_errors=True)
    # The SDK writes a resumed transcript to the temporary folder; after a kill it is swept with the rest.
    tempfile.tempdir = str(run_dir)
    entry = await asyncio.to_thread(jail.write_entry, run_dir)
    proxy = model_proxy.ModelProxy(upstream=_upstream(chosen, stack, accounts), socket=run_dir / "model.sock")
    await proxy.start()
    stack.push_async_callback(proxy.stop)
    harness = session.Harness(
        confinement=await jail.probe(),
        entry=entry,
        proxy=proxy,
        skills=await skills.assemble(source=SKILLS, target=run_dir / "skills", enabled=chosen.enabled_skills),
        database=db,
        model=chosen.anthropic_model,
        variables=(("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "1"),)
        if chosen.bricklayer_model_provider == "databricks"
        else (),
    )
    sessions = pool.SessionPool(
        new=lambda spec: session.Session(spec=spec, harness=harness),
        max_sessions=chosen.bricklayer_max_sessions,
        idle_seconds=chosen.bricklayer_session_idle_seconds,
    )
    stack.push_async_callback(sessions.close)
    return sessions


def _run_dir(base: Path) -> Path:
    """The folder for what lives as long as this process; those of processes that were killed are removed."""
    for left in base.glob("[0-9]*"):
        if not psutil.pid_exists(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    return base / str(os.getpid())


def _upstream(
    chosen: settings.Settings, stack: AsyncExitStack, accounts: identity_service.IdentityService
) -> model_proxy.Upstream:
    if chosen.bricklayer_model_provider == "anthropic":
        key = chosen.anthropic_api_key
        return upstream.AnthropicUpstream(
            base_url=chosen.anthropic_base_url, api_key=key.get_secret_value() if key else ""
        )
    base_url = chosen.databricks_host + chosen.bricklayer_model_path
    if chosen.bricklayer_model_credentials == "sender":
        return upstream.DatabricksUpstream(base_url=base_url, token=upstream.SenderTokens(accounts))
    client = foundations.service_client(chosen)
    stack.push_async_callback(client.close)
    return upstream.DatabricksUpstream(base_url=base_url, token=upstream.ServiceTokens(client))


def _databricks(chosen: settings.Settings) -> databricks_settings.DatabricksSettings:
    secret, shared = chosen.databricks_oauth_client_secret, chosen.databricks_token
    return databricks_settings.DatabricksSettings(
        host=chosen.databricks_host,
        client_id=chosen.databricks_oauth_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        scopes=tuple(chosen.databricks_oauth_scopes.split()),
        public_url=chosen.public_url or "",
        shared_token=shared.get_secret_value() if shared else None,
        development=chosen.development,
        email_mapping=chosen.bricklayer_email_mapping,
    )
