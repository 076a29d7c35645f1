"""The Web API over HTTP: tokens, scopes, rates and faults around the methods.

Like the real one it answers refusals with status 200 and ``{"ok": false, "error": …}``; only rate limits (429) and
faults have a status of their own.
"""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import web

from sandbox.slack import arguments
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Failure
from sandbox.slack.methods import method as methods
from sandbox.slack.methods.registry import METHODS
from sandbox.slack.values import Json, Request


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    body: Json
    status: int = 200
    retry_after: int | None = None
    lost: bool = False


class Api:
    """Answers ``/api/<method>``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        name = request.match_info["method"]
        kind, values, outcome = "none", {}, None
        try:
            values = await arguments.read(request)
        except SlackError as refusal:
            outcome = _Outcome(body=refusal.body())
        if outcome is None:
            kind = self._token_kind(request, values)
            outcome = await self._outcome(name, kind, Arguments(values))
        self._log(request, name, kind, values, outcome)
        return self._respond(request, name, outcome)

    def _token_kind(self, request: web.Request, values: Json) -> str:
        header = request.headers.get("Authorization", "")
        in_body = values.pop("token", "") if "token" not in request.query else values.pop("token") and ""
        token = header.removeprefix("Bearer ").strip() or in_body
        keys = self._core.keys
        kinds = {keys.bot_token: "bot", keys.app_token: "app", "": "none"}
        return kinds.get(token, "wrong")

    async def _outcome(self, name: str, kind: str, given: Arguments) -> _Outcome:
        if name not in METHODS:
            return _Outcome(body={"ok": False, "error": "unknown_method", "req_method": name})
        failure = self._core.faults.take(name)
        if delay := self._core.faults.delay(name):
            await asyncio.sleep(delay)
        if failure is not None and not failure.lose_answer:
            return _failed(failure)
        outcome = self._carry_out(name, kind, given)
        if failure is not None:
            return _Outcome(body=outcome.body, lost=True)
        return outcome

    def _carry_out(self, name: str, kind: str, given: Arguments) -> _Outcome:
        called = METHODS[name]
        try:
            _check_token(called.token, kind)
            methods.require_scope(self._core, called.scope)
            channel = given.text("channel") or given.text("channel_id")
            if wait := self._core.rates.spend(name, channel=channel):
                return _Outcome(body={"ok": False, "error": "ratelimited"}, status=429, retry_after=wait)
            return _Outcome(body={"ok": True, **called.run(self._core, given)})
        except SlackError as refusal:
            return _Outcome(body=refusal.body())

    def _log(self, request: web.Request, name: str, kind: str, values: Json, outcome: _Outcome) -> None:
        self._core.requests.append(
            Request(
                method=name,
                path=request.path,
                arguments=values,
                token=kind,
                at=time.monotonic(),
                ok=bool(outcome.body["ok"]),
                error=outcome.body.get("error", ""),
                status=outcome.status,
            )
        )
        self._core.state.changes.publish()

    def _respond(self, request: web.Request, name: str, outcome: _Outcome) -> web.Response:
        if outcome.lost and request.transport is not None:
            request.transport.abort()
        headers = {"X-Slack-Unique-Id": "sandbox"}
        if METHODS.get(name) and METHODS[name].token == "bot":
            headers["X-OAuth-Scopes"] = ",".join(sorted(self._core.app.scopes))
        if outcome.retry_after is not None:
            headers["Retry-After"] = str(outcome.retry_after)
        return web.json_response(outcome.body, status=outcome.status, headers=headers)


def _failed(failure: Failure) -> _Outcome:
    error = "ratelimited" if failure.status == 429 else failure.error
    retry_after = failure.retry_after
    if failure.status == 429 and retry_after is None:
        retry_after = 1
    return _Outcome(body={"ok": False, "error": error}, status=failure.status, retry_after=retry_after)


def _check_token(wanted: str, kind: str) -> None:
    if wanted == "none" or kind == wanted:
        return
    raise SlackError({"none": "not_authed", "wrong": "invalid_auth"}.get(kind, "not_allowed_token_type"))
