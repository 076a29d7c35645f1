"""One live Claude client: a CLI process in a project's folder that answers one turn after another.

A pump drains the client all the time, because the SDK's buffer holds a hundred messages and a full one blocks even an
interrupt. A turn sends one prompt under an id of its own and reads until the result that belongs to it. Who the turn
acts as is bound for exactly that long: tools ask ``current`` when they are called, and the proxy key opens then only.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import claude_agent_sdk as sdk
import structlog

from agent import errors, events, guard, jail, model_proxy, prompt, transcript, translate, workdir
from agent.tools import registry
from storage import database

log = structlog.get_logger(__name__)

MAX_STEPS = 120  # model calls in one turn
START_TIMEOUT = 60.0  # seconds
INTERRUPT_TIMEOUT = 5.0  # seconds from Stop until the CLI is killed instead
TURN_TIMEOUT = 3600.0  # seconds
MESSAGE_BYTES = 64 * 1024 * 1024  # one line from the CLI; images are base64

Outcome = Literal["done", "stopped", "failed"]


@dataclass(frozen=True, kw_only=True)
class Harness:
    """What all sessions of this process share."""

    confinement: jail.Confinement
    entry: Path
    proxy: model_proxy.ModelProxy
    skills: Path
    database: database.Database
    model: str | None = None
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What one session is started for. ``resume`` is the Claude session to go on with, if there is one."""

    conversation_id: UUID
    project_id: UUID
    project_name: str
    workdir: workdir.Workdir
    resume: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a turn's run ended, what it said and what it consumed."""

    outcome: Outcome
    text: str
    usage: events.Usage
    error: str | None = None


class _Ended:
    """Put on the inbox when the client will say nothing more."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Session:
    """A started client; ``run`` one turn at a time, ``close`` when done."""

    def __init__(self, *, spec: Spec, harness: Harness) -> None:
        self.spec = spec
        self.session_id = spec.resume or uuid4()
        self.last_turn_id: UUID | None = None
        self.used_at = time.monotonic()
        self.transcript = transcript.TranscriptStore(database=harness.database, project_id=spec.project_id)
        self._harness = harness
        self._key = harness.proxy.issue_key()
        self._call: registry.ToolCall | None = None
        self._tool_tasks: set[asyncio.Task[Any]] = set()
        self._inbox: asyncio.Queue[sdk.Message | _Ended] = asyncio.Queue()
        self._client: sdk.ClaudeSDKClient | None = None
        self._pump: asyncio.Task[None] | None = None
        self._interrupted = False
        self._patience: asyncio.TimerHandle | None = None
        # The CLI reports running totals; they begin at nothing in each process that resumes from a store.
        self._billed_usd = 0.0
        self.alive = False

    async def start(self) -> None:
        """Start the CLI; raises SessionStartError when it does not come up in time."""
        notes = await self.spec.workdir.notes()
        self._client = sdk.ClaudeSDKClient(self._options(notes))
        started = time.monotonic()
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await self._client.connect()
            self.alive = True
        except (sdk.ClaudeSDKError, TimeoutError, OSError, RuntimeError) as error:
            log.error(
                "session not started", conversation=str(self.spec.conversation_id), error=str(error)[:500]
            )
            raise errors.SessionStartError from error
        finally:
            if not self.alive:
                self._harness.proxy.revoke_key(self._key)
        self._pump = asyncio.create_task(self._drain(self._client), name=f"session pump {self.session_id}")
        log.info(
            "session started",
            conversation=str(self.spec.conversation_id),
            resumed=self.spec.resume is not None,
            milliseconds=round((time.monotonic() - started) * 1000),
        )

    async def run(
        self,
        *,
        turn_id: UUID,
        message: str,
        call: registry.ToolCall,
        emit: Callable[[events.Event], None],
    ) -> Answer:
        """Send one message and emit what happens until its result; raises SessionLostError when the CLI dies."""
        assert self._client is not None
        self._forget_stale_messages()
        self._interrupted = False
        translator = translate.Translator(project_dir=self.spec.workdir.project)
        caller = model_proxy.Caller(turn_id=turn_id, team_id=call.team_id, sender_id=call.sender_id)
        self._call = call
        self._key.admit(caller)
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                await self._send(message, turn_id)
                result = await self._listen(translator, turn_id, emit)
        except sdk.ClaudeSDKError as error:
            raise errors.SessionLostError from error
        except TimeoutError:
            self.alive = False
            return Answer(
                outcome="failed", text=translator.text, usage=events.Usage(), error="The turn took too long."
            )
        finally:
            self._key.dismiss()
            self._call = None
            self._cancel_tools()
            if self._patience is not None:
                self._patience.cancel()
            self.used_at = time.monotonic()
        self.last_turn_id = turn_id
        return self._answer(translator, result)

    async def interrupt(self) -> None:
        """End the running turn early: tools are cancelled and ``run`` returns; a CLI that does not yield is killed."""
        if self._client is None or self._call is None:
            return
        self._interrupted = True
        self._cancel_tools()
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(INTERRUPT_TIMEOUT, self._give_up, self._call)
        try:
            async with asyncio.timeout(INTERRUPT_TIMEOUT):
                await self._client.interrupt()
        # The SDK reports a refused control request as a bare Exception; the time limit above settles either case.
        except Exception as error:  # noqa: BLE001
            log.warning("interrupt not taken", session=str(self.session_id), error=str(error)[:200])

    def _give_up(self, call: registry.ToolCall) -> None:
        if self._call is call:
            self._inbox.put_nowait(_Ended(None))

    async def close(self) -> None:
        """End the CLI and store what it said last."""
        self.alive = False
        self._harness.proxy.revoke_key(self._key)
        try:
            if self._client is not None:
                with contextlib.suppress(sdk.ClaudeSDKError):
                    await self._client.disconnect()
        finally:
            if self._pump is not None:
                self._pump.cancel()
                await asyncio.gather(self._pump, return_exceptions=True)
        async with self.transcript.writer:
            if self.transcript.holds_entries:
                async with self._harness.database.transaction() as tx:
                    await self.transcript.write(tx)
                self.transcript.settle()

    def current(self) -> registry.ToolCall:
        """The call context of the running turn, for a tool that was just called; raises TurnOverError if none runs."""
        if self._call is None or self._interrupted:
            raise errors.TurnOverError
        task = asyncio.current_task()
        if task is not None:
            self._tool_tasks.add(task)
            task.add_done_callback(self._tool_tasks.discard)
        return self._call

    def _cancel_tools(self) -> None:
        for task in tuple(self._tool_tasks):
            task.cancel()

    async def _drain(self, client: sdk.ClaudeSDKClient) -> None:
        error: BaseException | None = None
        try:
            async for message in client.receive_messages():
                self._inbox.put_nowait(message)
        except sdk.ClaudeSDKError as failure:
            error = failure
        finally:
            self.alive = False
            self._inbox.put_nowait(_Ended(error))

    def _forget_stale_messages(self) -> None:
        while not self._inbox.empty():
            if isinstance(self._inbox.get_nowait(), _Ended):
                raise errors.SessionLostError

    async def _send(self, message: str, turn_id: UUID) -> None:
        assert self._client is not None

        async def one() -> AsyncIterator[dict[str, Any]]:
            yield {
                "type": "user",
                "message": {"role": "user", "content": message},
                "parent_tool_use_id": None,
                "uuid": str(turn_id),
            }

        await self._client.query(one(), session_id=str(self.session_id))

    async def _listen(
        self, translator: translate.Translator, turn_id: UUID, emit: Callable[[events.Event], None]
    ) -> sdk.ResultMessage | None:
        while True:
            message = await self._inbox.get()
            if isinstance(message, _Ended):
                self.alive = False
                if self._interrupted:
                    return None
                raise errors.SessionLostError from message.error
            if isinstance(message, sdk.ResultMessage) and _belongs(message, turn_id):
                return message
            for event in translator.read(message):
                emit(event)

    def _answer(self, translator: translate.Translator, result: sdk.ResultMessage | None) -> Answer:
        usage = self._usage(result)
        if self._interrupted:
            return Answer(outcome="stopped", text=translator.text, usage=usage)
        assert result is not None
        error = translator.failure(result)
        return Answer(outcome="failed" if error else "done", text=translator.text, usage=usage, error=error)

    def _usage(self, result: sdk.ResultMessage | None) -> events.Usage:
        if result is None:
            return events.Usage()
        total = result.total_cost_usd or 0.0
        cost, self._billed_usd = max(0.0, total - self._billed_usd), max(total, self._billed_usd)
        spent = result.usage or {}
        return events.Usage(
            model=next(iter(result.model_usage or {}), ""),
            input_tokens=int(spent.get("input_tokens") or 0),
            output_tokens=int(spent.get("output_tokens") or 0),
            cache_read_tokens=int(spent.get("cache_read_input_tokens") or 0),
            cache_write_tokens=int(spent.get("cache_creation_input_tokens") or 0),
            cost_usd=cost,
        )

    def _options(self, notes: str) -> sdk.ClaudeAgentOptions:
        harness, spec = self._harness, self.spec
        jailed = harness.confinement.jailed
        rule = guard.Guard(
            writable=spec.workdir.project,
            readable=(harness.skills, spec.workdir.config / "projects"),
            bash=jailed,
        )
        options = sdk.ClaudeAgentOptions(
            cli_path=harness.entry,
            cwd=spec.workdir.project,
            env=self._environment(),
            model=harness.model,
            tools=[*guard.BUILT_IN_TOOLS, *(["Bash"] if jailed else [])],
            system_prompt={
                "type": "custom",
                "prompt": prompt.system_prompt(project=spec.project_name, notes=notes, bash=jailed),
                "snapshot": False,
            },
            setting_sources=[],
            strict_mcp_config=True,
            mcp_servers={"databricks": registry.server(self.current)},
            plugins=[{"type": "local", "path": str(harness.skills)}],
            hooks=rule.hooks(),
            permission_mode="dontAsk",
            extra_args={} if jailed else {"restricted": None},
            verbatim_prompts=True,
            include_partial_messages=True,
            max_turns=MAX_STEPS,
            max_buffer_size=MESSAGE_BYTES,
            # The store's other methods are optional, and the SDK looks for them at run time.
            session_store=cast(sdk.SessionStore, self.transcript),
            stderr=self._stderr,
            client_app="bricklayer",
        )
        if spec.resume is None:
            return replace(options, session_id=str(self.session_id))
        return replace(options, resume=str(spec.resume))

    def _environment(self) -> dict[str, str]:
        harness, folders = self._harness, self.spec.workdir
        variables = {
            "ANTHROPIC_API_KEY": self._key.value,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
            "CLAUDE_CODE_MAX_RETRIES": "4",
            "CLAUDE_ENABLE_BYTE_WATCHDOG": "1",
            "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "120000",
            "API_TIMEOUT_MS": "300000",
            **dict(harness.variables),
        }
        if harness.confinement.jailed:
            # The jail has no network: the CLI reaches the proxy through its socket, the URL only names the host.
            variables |= {
                "ANTHROPIC_BASE_URL": "http://model.bricklayer.internal",
                "ANTHROPIC_UNIX_SOCKET": str(harness.proxy.socket),
                "IS_SANDBOX": "1",
            }
        else:
            variables["ANTHROPIC_BASE_URL"] = harness.proxy.url
        return jail.launch_environment(
            confinement=harness.confinement,
            launch=jail.Launch(
                project=folders.project, skills=harness.skills, socket=harness.proxy.socket, temp=folders.temp
            ),
            config_dir=folders.config,
            variables=variables,
        )

    def _stderr(self, line: str) -> None:
        log.debug("claude said on stderr", session=str(self.session_id), line=line[:300])


def _belongs(result: sdk.ResultMessage, turn_id: UUID) -> bool:
    """Whether a result ends this turn; one that names no prompt (an interrupted or failed one may not) does too."""
    named: Sequence[str] = result.user_message_uuids or ()
    return not named or str(turn_id) in named
