"""Two clients of the stand-in: bare requests, and claude-agent-sdk with its own CLI."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import claude_agent_sdk as sdk

from sandbox import claude

HEADERS = {"x-api-key": claude.API_KEY, "anthropic-version": "2023-06-01"}
EXECUTE_SQL = {
    "name": "mcp__databricks__execute_sql",
    "description": "Run SQL",
    "input_schema": {"type": "object", "properties": {"sql_query": {"type": "string"}}},
}
Json = dict[str, Any]


def user(content: str | list[Json]) -> Json:
    """A user's message."""
    return {"role": "user", "content": content}


def called(*names: str, **arguments: Any) -> Json:
    """An assistant's message that called these tools; the ids are call-0, call-1 …"""
    uses = [
        {"type": "tool_use", "id": f"call-{number}", "name": name, "input": arguments}
        for number, name in enumerate(names)
    ]
    return {"role": "assistant", "content": uses}


def results(*texts: str, is_error: bool = False) -> Json:
    """The results of the calls of ``called``."""
    blocks = [
        {"type": "tool_result", "tool_use_id": f"call-{number}", "content": text, "is_error": is_error}
        for number, text in enumerate(texts)
    ]
    return user(blocks)


def body(*messages: Json, **more: Any) -> Json:
    """A request of these messages."""
    return {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": list(messages), **more}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response: status, headers and JSON."""

    status: int
    headers: Any
    json: Json

    @property
    def text(self) -> str:
        """What the model said."""
        return "".join(block.get("text", "") for block in self.json["content"])

    @property
    def calls(self) -> list[tuple[str, Json]]:
        """The tools it called."""
        return [(b["name"], b["input"]) for b in self.json["content"] if b["type"] == "tool_use"]


class Http:
    """Requests as any HTTP client would send them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def post(self, sent: Any, *, path: str = "/v1/messages", headers: Json = HEADERS) -> Answer:
        """Send a body, take the whole answer."""
        raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        async with self.session.post(path, data=io.BytesIO(raw), headers=headers) as response:
            return Answer(status=response.status, headers=response.headers, json=await response.json())

    async def stream(self, sent: Json) -> list[Json]:
        """Send a body with ``stream`` set, take the events."""
        async with self.session.post(
            "/v1/messages", json={**sent, "stream": True}, headers=HEADERS
        ) as response:
            assert response.content_type == "text/event-stream", await response.text()
            lines = (await response.text()).splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


@dataclass(kw_only=True)
class Turn:
    """What the SDK handed out for one prompt."""

    text: str = ""
    deltas: int = 0
    tool_results: list[str] = field(default_factory=list)
    retries: int = 0
    result: sdk.ResultMessage | None = None

    def take(self, message: object) -> None:
        """Fold one message in."""
        match message:
            case sdk.StreamEvent(event={"delta": {"type": "text_delta", "text": str(piece)}}):
                self.text += piece
                self.deltas += 1
            case sdk.UserMessage(content=list(blocks)):
                found = [block for block in blocks if isinstance(block, sdk.ToolResultBlock)]
                self.tool_results += [str(block.content) for block in found]
            case sdk.SystemMessage(subtype="api_retry"):
                self.retries += 1
            case sdk.ResultMessage():
                self.result = message

    @property
    def outcome(self) -> sdk.ResultMessage:
        """The result, which must have come."""
        assert self.result is not None
        return self.result


class Cli:
    """The real CLI in an empty project, with one in-process tool server named ``databricks``."""

    def __init__(self, *, url: str, folder: Path) -> None:
        self.url = url
        self.project = folder / "project"
        self.project.mkdir()
        self._config = folder / "config"
        #: the statements that ``execute_sql`` was called with
        self.statements: list[str] = []
        self.answer = json.dumps({"columns": ["region", "revenue"], "rows": [["North", "12.5"]]})

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[sdk.ClaudeSDKClient]:
        """A connected client."""
        async with sdk.ClaudeSDKClient(self._options(**options)) as connected:
            yield connected

    async def turn(self, client: sdk.ClaudeSDKClient, prompt: str) -> Turn:
        """One prompt and everything up to its result."""
        await client.query(prompt)
        return await self.rest(client)

    async def rest(self, client: sdk.ClaudeSDKClient) -> Turn:
        """What is left of the turn under way."""
        turn = Turn()
        async for message in client.receive_response():
            turn.take(message)
        return turn

    def _options(
        self, *, tools: Sequence[str] = ("Read", "Write", "Glob"), **more: Any
    ) -> sdk.ClaudeAgentOptions:
        @sdk.tool("execute_sql", "Run SQL", {"sql_query": Annotated[str, "the statement"]})
        async def execute_sql(arguments: Json) -> Json:
            self.statements.append(arguments["sql_query"])
            return {"content": [{"type": "text", "text": self.answer}]}

        return sdk.ClaudeAgentOptions(
            cwd=self.project,
            tools=list(tools),
            allowed_tools=["mcp__databricks", "Read(./**)", "Edit(./**)"],
            mcp_servers={"databricks": sdk.create_sdk_mcp_server("databricks", tools=[execute_sql])},
            strict_mcp_config=True,
            setting_sources=[],
            system_prompt={"type": "custom", "prompt": "You are Bricklayer.", "snapshot": False},
            verbatim_prompts=True,
            include_partial_messages=True,
            stderr=lambda line: None,
            env={
                "ANTHROPIC_BASE_URL": self.url,
                "ANTHROPIC_API_KEY": claude.API_KEY,
                "CLAUDE_CONFIG_DIR": str(self._config),
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "CLAUDE_CODE_MAX_RETRIES": "2",
                **more.pop("env", {}),
            },
            **more,
        )
