"""The Block Kit verdicts: which payloads pass, and where the pointer of a refusal points."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models import blocks as kit
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import blocks, views
from sandbox.slack.checks import Surface
from sandbox.slack.errors import SlackError

Json = dict[str, Any]


def text(words: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


def button(**more: Any) -> Json:
    return {"type": "button", "text": text("Go"), "action_id": "go", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def options(count: int) -> list[Json]:
    return [{"text": text(f"o{n}"), "value": f"v{n}"} for n in range(count)]


def problems(*listed: Json, surface: Surface = "message") -> list[str]:
    return blocks.problems_of(list(listed), surface=surface).problems


TABLE: Json = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
TASK: Json = {"type": "task_card", "task_id": "1", "title": "Reading", "status": "in_progress"}

GOOD = [
    {"type": "section", "text": text("x", "mrkdwn"), "accessory": button(style="danger")},
    {"type": "section", "fields": [text("x", "mrkdwn")] * 10},
    {"type": "header", "text": text("x" * 150), "level": 2},
    {"type": "context", "elements": [text("x", "mrkdwn")] * 10},
    {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "a chart"},
    actions(*({**button(), "action_id": f"a{n}"} for n in range(25))),
    {"type": "markdown", "text": "# hello"},
    TABLE,
    TASK,
    {"type": "plan", "title": "Plan", "tasks": [TASK]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": text("Good"), "value": "good"},
                "negative_button": {"text": text("Bad"), "value": "bad"},
            }
        ],
    },
    {
        "type": "data_visualization",
        "title": "Orders",
        "chart": {"type": "pie", "segments": [{"label": "North", "value": 3}]},
    },
    {"type": "container", "title": text("More"), "child_blocks": [{"type": "divider"}]},
    kit.SectionBlock(text="hello").to_dict(),
    kit.RichTextBlock(
        elements=[kit.RichTextSectionElement(elements=[kit.RichTextElementParts.Text(text="x")])]
    ).to_dict(),
]


async def test_blocks_validate_answers_without_a_token(client: AsyncWebClient) -> None:
    client.token = None
    assert (await client.blocks_validate(blocks=[{"type": "divider"}]))["ok"]
    with pytest.raises(SlackApiError) as caught:
        await client.blocks_validate(blocks=[{"type": "sectoin"}])
    assert caught.value.response["error"] == "invalid_blocks"
    assert "json-pointer:/blocks/0/type" in caught.value.response["response_metadata"]["messages"][0]


@pytest.mark.parametrize("block", GOOD)
def test_a_proper_block_passes(block: Json) -> None:
    assert problems(block) == []


BAD = [
    (
        {"type": "section", "text": text("x" * 3_001)},
        "must be less than 3001 characters",
        "/blocks/0/text/text",
    ),
    ({"type": "section"}, "missing required field: one of text, fields", "/blocks/0"),
    ({"type": "sectoin", "text": text("x")}, "unsupported type: sectoin", "/blocks/0/type"),
    ({"type": "section", "text": text("")}, "must be more than 0 characters", "/blocks/0/text/text"),
    ({"type": "section", "text": "x"}, "must provide an object", "/blocks/0/text"),
    ({"type": "header", "text": text("x", "mrkdwn")}, "unsupported type: mrkdwn", "/blocks/0/text/type"),
    ({"type": "header", "text": text("x" * 151)}, "must be less than 151 characters", "/blocks/0/text/text"),
    ({"type": "divider", "colour": "red"}, "invalid additional property: colour", "/blocks/0"),
    (actions(), "no fewer than 1 items allowed", "/blocks/0/elements"),
    (
        actions(button(text=text("x" * 76))),
        "must be less than 76 characters",
        "/blocks/0/elements/0/text/text",
    ),
    (actions(button(value="x" * 2_001)), "must be less than 2001 characters", "/blocks/0/elements/0/value"),
    (actions(button(style="warning")), "must be a valid enum value", "/blocks/0/elements/0/style"),
    (actions(button(), button()), "`action_id` `go` already exists", "/blocks/0/elements/1/action_id"),
    (
        actions({"type": "static_select", "action_id": "s", "options": options(101)}),
        "no more than 100 items allowed",
        "/blocks/0/elements/0/options",
    ),
    (
        actions({"type": "overflow", "action_id": "o", "options": options(6)}),
        "no more than 5 items allowed",
        "/blocks/0/elements/0/options",
    ),
    (
        {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
        "must be more than 0",
        "/blocks/0/rows/0/0/text",
    ),
    (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 2_001}] * 5]},
        "less than 10001 characters in total",
        "/blocks/0/rows",
    ),
    ({**TABLE, "rows": TABLE["rows"] * 101}, "no more than 100 items allowed", "/blocks/0/rows"),
    ({**TASK, "status": "done"}, "must be a valid enum value", "/blocks/0/status"),
    (
        {"type": "input", "label": text("x"), "element": {"type": "plain_text_input"}},
        "unsupported type",
        "/type",
    ),
]


@pytest.mark.parametrize(("block", "words", "pointer"), BAD)
def test_a_wrong_block_is_pointed_at(block: Json, words: str, pointer: str) -> None:
    found = problems(block)
    assert any(words in line and line.endswith(f"{pointer}]") for line in found), found


def test_nonsense_is_a_refusal_and_no_accident() -> None:
    nonsense = [None, 7, {"type": ["divider"]}, {"type": "divider", "block_id": {}}, actions({"type": {}})]
    assert len(blocks.problems_of(nonsense, surface="message").problems) >= len(nonsense)
    assert blocks.problems_of("[]", surface="message").problems


def test_block_ids_are_used_once() -> None:
    found = problems({"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"})
    assert "`block_id` `a` already exists" in found[0]


def test_a_message_holds_fifty_blocks_and_a_view_a_hundred() -> None:
    divider = {"type": "divider"}
    assert problems(*[divider] * 50) == []
    assert "no more than 50 items" in problems(*[divider] * 51)[0]
    assert problems(*[divider] * 100, surface="modal") == []
    assert "no more than 100 items" in problems(*[divider] * 101, surface="home")[0]


@pytest.mark.parametrize(
    ("block", "surfaces"),
    [({"type": "markdown", "text": "x"}, ()), (TABLE, ("home",)), (TASK, ())],
    ids=["markdown", "table", "task_card"],
)
def test_some_blocks_are_not_for_views(block: Json, surfaces: tuple[str, ...]) -> None:
    assert bool(problems(block, surface="modal")) is ("modal" not in surfaces)
    assert bool(problems(block, surface="home")) is ("home" not in surfaces)


def test_an_input_needs_a_submit_button() -> None:
    block = {
        "type": "input",
        "label": text("Name"),
        "element": {"type": "plain_text_input", "action_id": "n"},
    }
    modal = {"type": "modal", "title": text("Name"), "blocks": [block]}
    with pytest.raises(SlackError, match="missing required field: submit"):
        views.check(modal)
    views.check({**modal, "submit": text("Save")})


def test_a_views_frame_has_limits() -> None:
    modal = {
        "type": "modal",
        "title": text("x" * 25),
        "blocks": [{"type": "divider"}],
        "private_metadata": "x" * 3_001,
    }
    with pytest.raises(SlackError) as caught:
        views.check(modal)
    pointers = " ".join(caught.value.messages)
    assert "/view/title/text" in pointers
    assert "/view/private_metadata" in pointers


def test_a_home_view_has_no_buttons_to_submit() -> None:
    with pytest.raises(SlackError, match="invalid additional property: submit"):
        views.check({"type": "home", "submit": text("x"), "blocks": [{"type": "divider"}]})


def test_a_huge_view_is_refused() -> None:
    blocks_ = [{"type": "section", "text": text("x" * 3_000, "mrkdwn")} for _ in range(90)]
    with pytest.raises(SlackError, match="view_too_large"):
        views.check({"type": "home", "blocks": blocks_})
