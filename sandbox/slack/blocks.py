"""The blocks, where each may stand, and the verdict over a whole payload (docs.slack.dev/reference/block-kit/blocks).

``check_message`` and ``check_view_blocks`` raise what the Web API would answer; ``problems_of`` only lists.
"""

from typing import Any

from sandbox.slack import checks, elements, limits
from sandbox.slack.checks import Check, Fields, Scan, Surface
from sandbox.slack.errors import SlackError
from sandbox.slack.text import table_count
from sandbox.slack.values import Json


def _block_id(scan: Scan, pointer: str, value: Any) -> None:
    checks.string(most=limits.BLOCK_ID)(scan, pointer, value)
    if isinstance(value, str) and value in scan.block_ids:
        scan.fail(pointer, f"`block_id` `{value}` already exists for another block")
    scan.block_ids.add(str(value))


def _block(required: Fields, optional: Fields | None = None) -> Check:
    shape = checks.record(required, {"block_id": _block_id, **(optional or {})})

    def check(scan: Scan, pointer: str, value: Any) -> None:
        scan.action_ids = []
        shape(scan, pointer, value)

    return check


def _markdown_text(scan: Scan, pointer: str, value: Any) -> None:
    checks.counted(most=limits.MARKDOWN_TEXT)(scan, pointer, value)
    if isinstance(value, str):
        scan.markdown_sum += len(value)
        scan.tables += table_count(value)


def _rich_text(scan: Scan, pointer: str, value: Any) -> None:
    _RICH_PARTS(scan, pointer, value)


_RICH_LEAVES = checks.by_type(
    {
        "text": checks.record(
            {"text": checks.counted(most=limits.BLOCKS_TEXT_SUM)}, {"style": checks.anything}
        ),
        "link": checks.record(
            {"url": checks.string(most=limits.URL)},
            {
                "text": checks.counted(most=limits.SECTION_TEXT),
                "unsafe": checks.boolean,
                "style": checks.anything,
            },
        ),
        "emoji": checks.record(
            {"name": checks.string(most=255)}, {"unicode": checks.anything, "style": checks.anything}
        ),
        "user": checks.record({"user_id": checks.string(most=32)}, {"style": checks.anything}),
        "channel": checks.record({"channel_id": checks.string(most=32)}, {"style": checks.anything}),
        "usergroup": checks.record({"usergroup_id": checks.string(most=32)}, {"style": checks.anything}),
        "broadcast": checks.record(
            {"range": checks.one_of("here", "channel", "everyone")}, {"style": checks.anything}
        ),
        "color": checks.record({"value": checks.string(most=32)}),
        "date": checks.record(
            {"timestamp": checks.whole(), "format": checks.string(most=255)},
            {
                "url": checks.string(most=limits.URL),
                "fallback": checks.string(most=255),
                "style": checks.anything,
            },
        ),
    }
)
_LEAVES = checks.items(_RICH_LEAVES, most=10_000, least=0)
_BORDER: Fields = {"border": checks.whole(most=1)}
_RICH_PARTS = checks.by_type(
    {
        "rich_text_section": checks.record({"elements": _LEAVES}),
        "rich_text_preformatted": checks.record(
            {"elements": _LEAVES}, {**_BORDER, "language": checks.string(most=64)}
        ),
        "rich_text_quote": checks.record({"elements": _LEAVES}, _BORDER),
        "rich_text_list": checks.record(
            {
                "elements": checks.items(_rich_text, most=10_000),
                "style": checks.one_of("bullet", "ordered"),
            },
            {**_BORDER, "indent": checks.whole(most=8), "offset": checks.whole()},
        ),
    }
)
RICH_TEXT = _block({"elements": checks.items(_rich_text, most=10_000)})
_RICH_OBJECT = checks.by_type({"rich_text": RICH_TEXT})

_CELL = checks.by_type(
    {
        "raw_text": checks.record({"text": checks.counted(most=limits.TABLE_TEXT)}),
        "raw_number": checks.record({"value": checks.number}, {"text": checks.string(most=255)}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = checks.record({}, {"align": checks.one_of("left", "center", "right"), "is_wrapped": checks.boolean})


def _table(shape: Check, *, most_text: int) -> Check:
    def check(scan: Scan, pointer: str, value: Any) -> None:
        scan.tables += 1
        before = scan.text_sum
        shape(scan, pointer, value)
        cells = scan.text_sum - before
        # Cells have a limit of their own and do not count towards the text of the message.
        scan.text_sum = before
        if cells > most_text:
            scan.fail(f"{pointer}/rows", f"table cells must be less than {most_text + 1} characters in total")

    return check


_TABLE = _table(
    _block(
        {"rows": checks.items(checks.items(_CELL, most=limits.TABLE_COLUMNS), most=limits.TABLE_ROWS)},
        {"column_settings": checks.items(_COLUMN, most=limits.TABLE_COLUMNS, least=0)},
    ),
    most_text=limits.TABLE_TEXT,
)
_DATA_TABLE = _table(
    _block(
        {
            "rows": checks.items(checks.items(_CELL, most=limits.TABLE_COLUMNS), most=limits.DATA_TABLE_ROWS),
            "caption": checks.string(most=limits.SECTION_TEXT),
        },
        {
            "page_size": checks.whole(least=1, most=limits.DATA_TABLE_PAGE),
            "row_header_column_index": checks.whole(),
        },
    ),
    most_text=limits.DATA_TABLE_TEXT,
)

_POINT = checks.record({"label": checks.string(most=50), "value": checks.number})
_SERIES = checks.record(
    {"name": checks.string(most=50), "data": checks.items(_POINT, most=limits.CHART_POINTS)}
)
_PLOT = checks.record(
    {"series": checks.items(_SERIES, most=limits.CHART_SERIES), "axis_config": checks.anything}
)
_CHART = checks.by_type(
    {
        "pie": checks.record({"segments": checks.items(_POINT, most=limits.CHART_SERIES)}),
        "bar": _PLOT,
        "area": _PLOT,
        "line": _PLOT,
    }
)


def _charts(scan: Scan, pointer: str, value: Any) -> None:
    scan.charts += 1
    _block({"title": checks.string(most=limits.CHART_TITLE), "chart": _CHART})(scan, pointer, value)


def _task(*statuses: str) -> Check:
    return _block(
        {
            "task_id": checks.string(most=255),
            "title": checks.counted(most=limits.SECTION_TEXT),
            "status": checks.one_of("in_progress", "complete", "error", *statuses),
        },
        {
            "details": _RICH_OBJECT,
            "output": _RICH_OBJECT,
            "sources": checks.items(checks.by_type({"url": elements.SOURCE}), most=50, least=0),
        },
    )


# Only a plan may hold tasks that have not begun.
_PLANNED = checks.by_type({"task_card": _task("pending")})
_CARD = checks.needs_one(
    "hero_image",
    "title",
    "actions",
    "body",
    shape=_block(
        {},
        {
            "hero_image": elements.IMAGE,
            "icon": elements.IMAGE,
            "title": checks.text(most=limits.CARD_TITLE),
            "subtitle": checks.text(most=limits.CARD_TITLE),
            "body": checks.text(most=limits.CARD_BODY),
            "actions": checks.items(
                checks.by_type({"button": elements.BUTTON}), most=limits.CONTEXT_ACTIONS_ELEMENTS
            ),
        },
    ),
)
_IMAGE = checks.needs_one(
    "image_url",
    "slack_file",
    shape=_block(
        {"alt_text": checks.string(most=limits.ALT_TEXT)},
        {
            "image_url": checks.string(most=limits.IMAGE_URL),
            "slack_file": elements.IMAGE_FILE,
            "title": checks.text(most=limits.IMAGE_TITLE, plain=True),
        },
    ),
)
_VIDEO = _block(
    {
        "alt_text": checks.string(most=limits.ALT_TEXT),
        "video_url": checks.string(most=limits.URL),
        "thumbnail_url": checks.string(most=limits.URL),
        "title": checks.text(most=limits.VIDEO_TITLE - 1, plain=True),
    },
    {
        "title_url": checks.string(most=limits.URL),
        "description": checks.text(most=limits.VIDEO_TITLE, plain=True),
        "provider_icon_url": checks.string(most=limits.URL),
        "provider_name": checks.string(most=limits.VIDEO_AUTHOR),
        "author_name": checks.string(most=limits.VIDEO_AUTHOR - 1),
    },
)
_SECTION = checks.needs_one(
    "text",
    "fields",
    shape=_block(
        {},
        {
            "text": checks.text(most=limits.SECTION_TEXT),
            "fields": checks.items(checks.text(most=limits.SECTION_FIELD_TEXT), most=limits.SECTION_FIELDS),
            "accessory": checks.by_type(elements.ACCESSORIES),
            "expand": checks.boolean,
        },
    ),
)

_EVERYWHERE: dict[str, Check] = {
    "section": _SECTION,
    "divider": _block({}),
    "image": _IMAGE,
    "actions": _block(
        {"elements": checks.items(checks.by_type(elements.ACTIONS), most=limits.ACTIONS_ELEMENTS)}
    ),
    "context": _block(
        {"elements": checks.items(checks.by_type(elements.CONTEXT), most=limits.CONTEXT_ELEMENTS)}
    ),
    "header": _block(
        {"text": checks.text(most=limits.HEADER_TEXT, plain=True)}, {"level": checks.whole(least=1, most=4)}
    ),
    "rich_text": RICH_TEXT,
    "video": _VIDEO,
}
_INPUT: dict[str, Check] = {
    "input": _block(
        {"label": checks.text(most=limits.LABEL, plain=True), "element": checks.by_type(elements.INPUTS)},
        {
            "hint": checks.text(most=limits.HINT, plain=True),
            "optional": checks.boolean,
            "dispatch_action": checks.boolean,
        },
    )
}
_DATA: dict[str, Check] = {"table": _TABLE, "data_table": _DATA_TABLE, "data_visualization": _charts}
_ONLY_MESSAGES: dict[str, Check] = {
    "markdown": _block({"text": _markdown_text}),
    "context_actions": _block(
        {
            "elements": checks.items(
                checks.by_type(elements.CONTEXT_ACTIONS), most=limits.CONTEXT_ACTIONS_ELEMENTS
            )
        }
    ),
    "file": _block({"external_id": checks.string(most=255), "source": checks.one_of("remote")}),
    "task_card": _task(),
    "plan": _block(
        {"title": checks.counted(most=limits.SECTION_TEXT)},
        {"tasks": checks.items(_PLANNED, most=limits.PLAN_TASKS, least=0)},
    ),
    "card": _CARD,
    "carousel": _block(
        {"elements": checks.items(checks.by_type({"card": _CARD}), most=limits.CAROUSEL_CARDS)}
    ),
}
_ONLY_MODALS: dict[str, Check] = {
    "alert": _block(
        {"text": checks.text(most=limits.SECTION_TEXT)},
        {"level": checks.one_of("default", "info", "warning", "error", "success")},
    )
}
_CONTAINER: dict[str, Check] = {
    "container": checks.needs_one(
        "title",
        "rich_text_title",
        shape=_block(
            {
                "child_blocks": checks.items(
                    checks.by_type({**_EVERYWHERE, **_ONLY_MESSAGES}), most=limits.CONTAINER_BLOCKS
                )
            },
            {
                "title": checks.text(most=limits.CARD_TITLE, plain=True),
                "rich_text_title": _RICH_OBJECT,
                "subtitle": checks.text(most=limits.CARD_TITLE, plain=True),
                "icon": elements.IMAGE,
                "width": checks.one_of("narrow", "standard", "wide", "full"),
                "is_collapsible": checks.boolean,
                "default_collapsed": checks.boolean,
                "has_header_divider": checks.boolean,
            },
        ),
    )
}

SHAPES: dict[Surface, dict[str, Check]] = {
    "message": {**_EVERYWHERE, **_DATA, **_ONLY_MESSAGES, **_CONTAINER},
    "modal": {**_EVERYWHERE, **_INPUT, **_ONLY_MODALS},
    "home": {**_EVERYWHERE, **_INPUT, **_DATA},
}


def problems_of(blocks: Any, *, surface: Surface, pointer: str = "/blocks") -> Scan:
    """Walk through the blocks; what is wrong with them is in ``problems``."""
    scan = Scan(surface=surface)
    most = limits.MESSAGE_BLOCKS if surface == "message" else limits.VIEW_BLOCKS
    least = 0 if surface == "message" else 1
    checks.items(checks.by_type(SHAPES[surface]), most=most, least=least)(scan, pointer, blocks)
    return scan


def check_message(blocks: list[Json]) -> None:
    """Refuse what chat.postMessage refuses."""
    scan = problems_of(blocks, surface="message")
    if scan.tables > limits.TABLES_PER_MESSAGE:
        # The live service reports this as if it came from attachments, which tables once were.
        raise SlackError("invalid_attachments", messages=("[ERROR] only_one_table_allowed",))
    if scan.charts > limits.CHARTS_PER_MESSAGE:
        scan.fail("/blocks", f"no more than {limits.CHARTS_PER_MESSAGE} data_visualization blocks allowed")
    if scan.problems:
        raise SlackError("invalid_blocks", messages=tuple(scan.problems))
    if scan.markdown_sum > limits.MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    if scan.text_sum > limits.BLOCKS_TEXT_SUM:
        raise SlackError("msg_blocks_too_long")


def option_problems(name: str, given: Any) -> list[str]:
    """What is wrong with the options that an app offers for an external menu."""
    scan = Scan(surface="message")
    if isinstance(given, list) and given:
        check = elements.OPTIONS if name == "options" else elements.OPTION_GROUPS
        check(scan, f"/{name}", given)
    return scan.problems
