"""HTTP mode: payloads POSTed to the app's request URL, signed (docs.slack.dev/authentication/verifying-requests-from-slack)."""

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import aiohttp
import structlog

from sandbox.slack.timing import Timing
from sandbox.slack.values import Answer, Envelope, Json

log = structlog.get_logger(__name__)


class Poster:
    """Speaks to the app's request URL."""

    def __init__(self, *, signing_secret: str, timing: Timing) -> None:
        self._secret, self._timing = signing_secret.encode(), timing
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, url: str, envelope: Envelope) -> Answer:
        """POST one payload; what counts is an answer with a 2xx status within the time to acknowledge."""
        body, content_type = _body(envelope)
        headers = {"Content-Type": content_type, **self._signature(body), **_retry_headers(envelope)}
        try:
            return await self._post(url, body, headers)
        except TimeoutError:
            return Answer(acked=False, error="operation_timeout", reason="http_timeout")
        except aiohttp.ClientError as problem:
            log.info("the app's request URL could not be reached", url=url, problem=repr(problem))
            return Answer(acked=False, error="dispatch_failed", reason="connection_failed")

    async def verify(self, url: str) -> bool:
        """Whether the URL echoes a ``url_verification`` challenge, as Slack asks when the URL is entered."""
        challenge = secrets.token_urlsafe(24)
        payload = {"type": "url_verification", "token": "sandbox", "challenge": challenge}
        answer = await self.send(url, Envelope(type="events_api", payload=payload))
        return answer.acked and challenge in (answer.payload.get("challenge"), answer.payload.get("text"))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self._timing.ack_seconds)
        async with self._session.post(
            url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            text = await response.text()
            final = response.headers.get("X-Slack-No-Retry") == "1"
            if not response.ok:
                return Answer(acked=False, error="dispatch_failed", reason="http_error", final=final)
            return Answer(acked=True, payload=_payload(text, response.content_type))

    def _signature(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._secret, base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def _body(envelope: Envelope) -> tuple[bytes, str]:
    if envelope.type == "events_api":
        return json.dumps(envelope.payload).encode(), "application/json"
    form = (
        envelope.payload if envelope.type == "slash_commands" else {"payload": json.dumps(envelope.payload)}
    )
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _retry_headers(envelope: Envelope) -> dict[str, str]:
    if not envelope.retry_attempt:
        return {}
    return {
        "X-Slack-Retry-Num": str(envelope.retry_attempt),
        "X-Slack-Retry-Reason": envelope.retry_reason,
    }


def _payload(text: str, content_type: str) -> Json:
    if not text:
        return {}
    if content_type == "application/json":
        try:
            payload = json.loads(text)
        except ValueError:
            return {}
        return payload if isinstance(payload, dict) else {}
    return {"text": text}
