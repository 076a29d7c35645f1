"""The Messages API of the stand-in, seen by a plain HTTP client."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox import claude
from sandbox.claude import blocks, checks, request
from tests.unit.sandbox_claude.driving import (
    EXECUTE_SQL,
    HEADERS,
    Http,
    Json,
    body,
    called,
    results,
    user,
)


async def test_a_stream_has_the_events_in_the_documented_order(http: Http) -> None:
    events = await http.stream(
        body(user('!!say one two\n!!tool execute_sql {"sql_query": "SELECT 1"}'), tools=[EXECUTE_SQL])
    )
    kinds = [event["type"] for event in events]
    assert kinds[:4] == ["message_start", "content_block_start", "ping", "content_block_delta"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-2]["usage"]["output_tokens"] > 0


async def test_the_pieces_of_a_tools_input_make_its_json(http: Http) -> None:
    sent = body(
        user('!!tool execute_sql {"sql_query": "SELECT \'ä\' FROM a_rather_long_name"}'), tools=[EXECUTE_SQL]
    )
    events = await http.stream(sent)
    pieces = [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"]
    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"sql_query": "SELECT 'ä' FROM a_rather_long_name"}


async def test_without_a_stream_the_same_message_comes_whole(http: Http) -> None:
    answer = await http.post(body(user("!!say one\n!!say two")))
    assert answer.status == 200
    assert answer.json["content"] == [{"type": "text", "text": "one\ntwo"}]
    assert answer.json["stop_reason"] == "end_turn"
    assert answer.headers["request-id"].startswith("req_")


async def test_thoughts_come_signed_and_only_when_asked_for(http: Http) -> None:
    thinking = await http.stream(body(user("!!think hm\n!!say yes"), thinking={"type": "adaptive"}))
    deltas = [event["delta"]["type"] for event in thinking if event["type"] == "content_block_delta"]
    assert deltas == ["thinking_delta", "signature_delta", "text_delta"]
    assert (await http.post(body(user("!!think hm\n!!say yes")))).text == "yes"


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "x-api-key header is required"),
        ({**HEADERS, "x-api-key": "sk-other"}, 401, "invalid x-api-key"),
        ({"anthropic-version": "2023-06-01", "authorization": "Bearer no"}, 401, "Invalid bearer token"),
        ({"x-api-key": claude.API_KEY}, 400, "anthropic-version: header is required"),
    ],
)
async def test_headers_are_checked(http: Http, headers: dict[str, str], status: int, message: str) -> None:
    answer = await http.post(body(user("hi")), headers=headers)
    assert (answer.status, answer.json["error"]["message"]) == (status, message)
    assert answer.json["type"] == "error"
    assert answer.json["request_id"] == answer.headers["request-id"]


async def test_a_bearer_token_is_as_good_as_a_key(http: Http, model: claude.ClaudeSandbox) -> None:
    headers = {"anthropic-version": "2023-06-01", "authorization": f"Bearer {claude.API_KEY}"}
    assert (await http.post(body(user("hi")), headers=headers)).status == 200
    assert model.requests[-1].token == claude.API_KEY


BAD_BODIES: list[tuple[Json, str]] = [
    ({"model": "claude-x", "messages": [user("hi")]}, "max_tokens: Field required"),
    ({"model": "claude-x", "max_tokens": 5}, "messages: Field required"),
    (body(), "at least one message"),
    (body(user("hi"), max_tokens=0), "greater than or equal to 1"),
    (body({"role": "assistant", "content": "hi"}), 'first message must use the "user" role'),
    (body({"role": "robot", "content": "hi"}), "role: Input should be"),
    (body(user("")), "non-empty content"),
    (body(user([{"type": "text", "text": ""}])), "text content blocks must be non-empty"),
    (body(user([{"type": "text", "text": " \n"}])), "must contain non-whitespace text"),
    (body(user([{"text": "hi"}])), "type: Field required"),
    (body(user("hi"), called("a")), "without `tool_result` blocks immediately after: call-0"),
    (body(user("hi"), called("a"), user("go on")), "without `tool_result` blocks immediately after: call-0"),
    (body(user("hi"), called("a", "b"), results("1")), "immediately after: call-1"),
    (body(user("hi"), called("a"), results("1", "2")), "unexpected `tool_use_id` found"),
    (body(results("1")), "unexpected `tool_use_id` found in `tool_result` blocks: call-0"),
    (body(user("hi"), {**called("a"), "role": "user"}), "`tool_use` blocks can only be in `assistant`"),
    (body(user("hi"), {**results("1"), "role": "assistant"}), "`tool_result` blocks can only be in `user`"),
    (body(user("hi"), called("a"), results("1"), called("a"), results("1")), "ids must be unique"),
    (body(user("hi"), tools=[EXECUTE_SQL, EXECUTE_SQL]), "Tool names must be unique"),
    (body(user("hi"), tools=[{"name": "a b", "input_schema": {}}]), "should match pattern"),
    (body(user("hi"), tools=[{"name": "a"}]), "input_schema: Field required"),
]


@pytest.mark.parametrize(("sent", "message"), BAD_BODIES)
async def test_what_the_real_service_refuses_is_refused(http: Http, sent: Json, message: str) -> None:
    answer = await http.post(sent)
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert message in answer.json["error"]["message"]


async def test_more_than_four_cache_marks_are_refused(http: Http) -> None:
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    assert (await http.post(body(user([marked] * 4)))).status == 200
    assert "maximum of 4 blocks" in (await http.post(body(user([marked] * 5)))).json["error"]["message"]


@pytest.mark.parametrize("raw", [b"{nonsense", b"[]", b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_refused(http: Http, raw: bytes) -> None:
    answer = await http.post(raw)
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")


async def test_a_body_over_32_megabytes_is_refused(http: Http) -> None:
    answer = await http.post(body(user("x" * checks.MAX_BODY)))
    assert (answer.status, answer.json["error"]["type"]) == (413, "request_too_large")


async def test_unknown_models_and_paths_are_not_found(http: Http) -> None:
    answers = [await http.post(body(user("hi"), model="gpt-1")), await http.post({}, path="/v1/other")]
    assert [(a.status, a.json["error"]["type"]) for a in answers] == [(404, "not_found_error")] * 2


async def test_counting_needs_no_max_tokens(http: Http) -> None:
    sent = {"model": "claude-opus-5-5", "messages": [user("x" * 400)]}
    answer = await http.post(sent, path="/v1/messages/count_tokens")
    assert 100 <= answer.json["input_tokens"] <= 120


async def test_models_are_listed_and_hello_is_answered(http: Http) -> None:
    async with http.session.get("/v1/models", headers=HEADERS) as response:
        listed = await response.json()
    async with http.session.head("/api/hello") as response:
        assert response.status == 200
    assert listed["data"][0]["id"] == "claude-opus-5-5"
    assert listed["has_more"] is False


async def test_a_second_request_reads_from_the_cache_what_the_first_wrote(http: Http) -> None:
    system = [{"type": "text", "text": "rule " * 2000, "cache_control": {"type": "ephemeral"}}]
    first = (await http.post(body(user("hi"), system=system))).json["usage"]
    second = (await http.post(body(user("another"), system=system))).json["usage"]
    assert first["cache_read_input_tokens"] == 0
    assert first["cache_creation_input_tokens"] > 2000
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation_input_tokens"] == 0


async def test_the_cache_grows_with_the_conversation(http: Http) -> None:
    marked = [{"type": "text", "text": "word " * 1000, "cache_control": {"type": "ephemeral"}}]
    plain = [{"type": "text", "text": "word " * 1000}]
    first = (await http.post(body(user(marked)))).json["usage"]
    second = (await http.post(body(user(plain), {"role": "assistant", "content": "yes"}, user(marked)))).json[
        "usage"
    ]
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation_input_tokens"] > 1000


async def test_requests_are_kept_with_what_they_brought(http: Http, model: claude.ClaudeSandbox) -> None:
    sent = body(user("hi"))
    await http.post(sent)
    await http.post(sent, headers={})
    kept, refused = model.requests
    assert (kept.method, kept.path, kept.body) == ("POST", "/v1/messages", sent)
    assert kept.size == len(json.dumps(sent))
    assert kept.at <= refused.at
    assert refused.token is None


async def test_the_next_requests_can_be_made_to_fail(http: Http, model: claude.ClaudeSandbox) -> None:
    model.fail_next(429, times=2, retry_after=3)
    first, second, third = [await http.post(body(user("hi"))) for _ in range(3)]
    assert (first.status, first.json["error"]["type"]) == (429, "rate_limit_error")
    assert first.headers["retry-after"] == "3"
    assert (second.status, third.status) == (429, 200)


async def test_an_error_after_text_comes_inside_the_stream(http: Http) -> None:
    events = await http.stream(body(user("!!say some\n!!error 529 overloaded_error")))
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "overloaded_error"


async def test_a_cut_connection_is_broken_in_mid_stream(http: Http) -> None:
    sent = body(user("!!say some\n!!cut"), stream=True)
    async with http.session.post("/v1/messages", json=sent, headers=HEADERS) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_latency_holds_back_the_first_byte(http: Http, model: claude.ClaudeSandbox) -> None:
    model.latency = 0.2
    started = asyncio.get_running_loop().time()
    async with http.session.post("/v1/messages", json=body(user("!!say x"), stream=True), headers=HEADERS):
        assert asyncio.get_running_loop().time() - started >= 0.2


async def test_an_answer_nobody_reads_any_more_ends(http: Http, model: claude.ClaudeSandbox) -> None:
    sent = body(user("!!say some\n!!stall"), stream=True)
    async with http.session.post("/v1/messages", json=sent, headers=HEADERS) as response:
        await response.content.readline()
        assert model.open_answers == 1
        response.close()
    await model.wait_for(lambda: model.open_answers == 0, timeout=2)


async def test_a_stalled_answer_does_not_hold_up_the_stop() -> None:
    model = claude.ClaudeSandbox()
    await model.start()
    async with aiohttp.ClientSession(model.url) as session:
        response = await session.post(
            "/v1/messages", json=body(user("!!stall"), stream=True), headers=HEADERS
        )
        async with asyncio.timeout(2):
            await model.stop()
        response.close()


async def test_any_function_can_be_the_brain() -> None:
    async def brain(asked: request.Request) -> AsyncIterator[blocks.Block]:
        yield blocks.Text(text=f"You said {asked.prompt!r}.")

    async with claude.ClaudeSandbox(brain=brain) as model, aiohttp.ClientSession(model.url) as session:
        assert (await Http(session).post(body(user("hi")))).text == "You said 'hi'."


def test_a_url_is_there_only_while_it_runs() -> None:
    with pytest.raises(RuntimeError, match="call start"):
        _ = claude.ClaudeSandbox().url
