"""The sandbox's Slack, a real client, a running outbox, and a thread to write into."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import outbox as outboxes
from bot.views import content, elements
from sandbox import people
from sandbox.slack import SlackSandbox

CHANNEL = people.CHANNELS[0].id


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def client(slack: SlackSandbox) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token="xoxb-sandbox-bot", base_url=f"{slack.url}/api/", session=session)


@pytest.fixture
async def outbox(client: AsyncWebClient) -> AsyncIterator[outboxes.Outbox]:
    box = outboxes.Outbox(client, clock=time.monotonic, name="T0BRICK01")
    running = asyncio.create_task(box.run(), name="outbox")
    yield box
    await box.close(timeout=5)
    await running


@pytest.fixture
async def thread(slack: SlackSandbox) -> str:
    return await slack.say(people.ADA.id, CHANNEL, "which region sold most?")


def said(text: str) -> content.Content:
    """A message of one Markdown block."""
    return content.Content(text=text[:100], blocks=(elements.markdown(text),))


def calls(slack: SlackSandbox, method: str) -> int:
    """How often ``method`` was called, refusals included."""
    return sum(request.method == method for request in slack.requests)
