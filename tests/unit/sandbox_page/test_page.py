"""The sandbox's page: complete, self-contained, and deaf to markup in what people and the bot write."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import people
from sandbox.slack import SlackSandbox

PAGE = Path(__file__).parents[3] / "sandbox" / "slack" / "page"
SCRIPTS = sorted(PAGE.rglob("*.js"))
STYLES = sorted(PAGE.rglob("*.css"))
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
POLLS = 600
POLL_SECONDS = 0.05

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def relative(path: Path) -> str:
    return path.relative_to(PAGE).as_posix()


def imports(script: Path) -> set[Path]:
    """The modules that a script names."""
    found = re.findall(r'^import .*?from "([^"]+)";$', script.read_text(), re.MULTILINE | re.DOTALL)
    return {(script.parent / name).resolve() for name in found}


def reachable(script: Path) -> set[Path]:
    seen: set[Path] = set()
    waiting = [script]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += imports(module)
    return seen


def test_the_start_of_the_page_leads_to_every_module() -> None:
    assert reachable(PAGE / "app.js") == set(SCRIPTS)


def test_the_index_links_every_style_and_the_start() -> None:
    index = (PAGE / "index.html").read_text()
    linked = set(re.findall(r'(?:href|src)="/page/([^"]+)"', index))
    assert linked == {"app.js", "brick.svg", *map(relative, STYLES)}


@pytest.mark.parametrize("path", [PAGE / "index.html", *SCRIPTS, *STYLES], ids=relative)
def test_a_file_names_no_other_host(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+|@import|url\(", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_never_parses_text_as_markup_or_code(path: Path) -> None:
    dangerous = (
        r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write|eval|Function)\b\s*[(=.]"
    )
    assert not re.findall(dangerous, path.read_text())


def test_the_page_says_that_it_is_not_slack() -> None:
    assert "sandbox – not Slack" in (PAGE / "sidebar.js").read_text()


def test_the_page_may_run_its_own_scripts_only() -> None:
    policy = re.search(r'content="(default-src[^"]+)"', (PAGE / "index.html").read_text())
    assert policy
    assert "default-src 'none'; script-src 'self';" in policy.group(1)
    assert "unsafe" not in policy.group(1)


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def debugger(tmp_path: Path) -> Iterator[str]:
    """The address of a running browser's debugger."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    silent = ("--disable-quic", "--disable-background-networking", "--disable-sync")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
    process = subprocess.Popen(
        (BROWSER, *options, *silent, "--disable-component-update", f"--user-data-dir={tmp_path}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{_debugger_port(tmp_path / 'DevToolsActivePort')}"
    finally:
        process.terminate()
        process.wait(timeout=POLLS * POLL_SECONDS)


def _debugger_port(told_in: Path) -> str:
    for _ in range(POLLS):
        if told_in.exists() and (words := told_in.read_text().split()):
            return words[0]
        time.sleep(POLL_SECONDS)
    raise TimeoutError("The browser did not start.")


async def rendered(url: str, debugger: str, *, ready: str) -> str:
    """The document as the browser has it once ``ready``, a condition in JavaScript, holds."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{debugger}/json/new?{quote(url)}") as answer:
            address = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
        async with session.ws_connect(address, max_msg_size=0) as socket:
            for _ in range(POLLS):
                document = await _evaluate(socket, f"({ready}) && document.documentElement.outerHTML")
                if document:
                    return str(document)
                await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError(f"The page never came to {ready}.")


async def _evaluate(socket: aiohttp.ClientWebSocketResponse, expression: str) -> object:
    asked = {"expression": expression, "returnByValue": True}
    await socket.send_json({"id": 1, "method": "Runtime.evaluate", "params": asked})
    return (await socket.receive_json()).get("result", {}).get("result", {}).get("value")


async def test_hostile_markup_is_shown_and_stays_inert(slack: SlackSandbox, debugger: str) -> None:
    root = await slack.say(people.ADA.id, "C0SALES01", HOSTILE)
    client = AsyncWebClient(token="xoxb-sandbox-bot", base_url=f"{slack.url}/api/")
    markdown = f"{HOSTILE}\n\n[press](javascript:document.title='owned') **bold**"
    blocks = [{"type": "markdown", "text": markdown}]
    await client.chat_postMessage(channel="C0SALES01", thread_ts=root, text="x", blocks=blocks)

    address = f"{slack.url}/?user={people.ADA.id}#/C0SALES01/t/{root}"
    document = await rendered(address, debugger, ready="document.querySelector('.thread .markdown b')")

    assert document.count("&lt;img src=x onerror=") == 3, "the root in channel and thread, and the answer"
    assert not re.search(r"<[^>]*onerror|<script>|javascript:", document)
    assert "<title>#sales | Brickfield (sandbox)</title>" in document
