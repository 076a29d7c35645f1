"""The interactive and other elements inside blocks (docs.slack.dev/reference/block-kit/block-elements)."""

from typing import Any

from sandbox.slack import checks, limits
from sandbox.slack.checks import Check, Fields, Scan

CONFIRM = checks.record(
    {
        "title": checks.text(most=limits.CONFIRM_TITLE, plain=True),
        "text": checks.text(most=limits.CONFIRM_TEXT),
        "confirm": checks.text(most=limits.CONFIRM_BUTTON, plain=True),
        "deny": checks.text(most=limits.CONFIRM_BUTTON, plain=True),
    },
    {"style": checks.one_of("primary", "danger")},
)
PLACEHOLDER = checks.text(most=limits.PLACEHOLDER, plain=True)
DISPATCH = checks.record({"trigger_actions_on": checks.items(checks.anything, most=2)})
IMAGE_FILE = checks.record({}, {"id": checks.string(most=255), "url": checks.string(most=limits.URL)})


def _option(*, plain: bool) -> Check:
    return checks.record(
        {
            "text": checks.text(most=limits.OPTION_TEXT, plain=plain),
            "value": checks.string(most=limits.OPTION_VALUE),
        },
        {
            "description": checks.text(most=limits.OPTION_TEXT, plain=plain),
            "url": checks.string(most=limits.URL),
        },
    )


OPTION = _option(plain=True)
OPTIONS = checks.items(OPTION, most=limits.OPTIONS)
OPTION_GROUPS = checks.items(
    checks.record({"label": checks.text(most=limits.OPTION_TEXT, plain=True), "options": OPTIONS}),
    most=limits.OPTION_GROUPS,
)
# Check boxes and radio buttons may have formatted texts, and there are few of them.
_CHOICE = _option(plain=False)
_CHOICES = checks.items(_CHOICE, most=limits.CHOICES)


def _action_id(scan: Scan, pointer: str, value: Any) -> None:
    checks.string(most=limits.ACTION_ID)(scan, pointer, value)
    if value in scan.action_ids:
        scan.fail(pointer, f"`action_id` `{value}` already exists for another element of the block")
    scan.action_ids.append(value)


def _element(required: Fields, optional: Fields | None = None) -> Check:
    common: Fields = {"action_id": _action_id, "confirm": CONFIRM, "focus_on_load": checks.boolean}
    return checks.record(required, {**common, **(optional or {})})


def _select(required: Fields, optional: Fields) -> Check:
    return _element(required, {"placeholder": PLACEHOLDER, **optional})


_FILTER = checks.record(
    {},
    {
        "include": checks.items(checks.one_of("im", "mpim", "private", "public"), most=4),
        "exclude_external_shared_channels": checks.boolean,
        "exclude_bot_users": checks.boolean,
    },
)
_STATIC: Fields = {"options": OPTIONS, "option_groups": OPTION_GROUPS}
_MOST_SELECTED: Fields = {"max_selected_items": checks.whole(least=1)}
_ID = checks.string(most=255)
_IDS = checks.items(_ID, most=limits.OPTIONS)
_CONVERSATION: Fields = {
    "default_to_current_conversation": checks.boolean,
    "filter": _FILTER,
    "response_url_enabled": checks.boolean,
}

SELECTS: dict[str, Check] = {
    "static_select": checks.needs_one(
        "options",
        "option_groups",
        shape=_select({}, {**_STATIC, "initial_option": OPTION}),
    ),
    "multi_static_select": checks.needs_one(
        "options",
        "option_groups",
        shape=_select({}, {**_STATIC, **_MOST_SELECTED, "initial_options": OPTIONS}),
    ),
    "external_select": _select(
        {"action_id": _action_id}, {"initial_option": OPTION, "min_query_length": checks.whole()}
    ),
    "multi_external_select": _select(
        {"action_id": _action_id},
        {**_MOST_SELECTED, "initial_options": OPTIONS, "min_query_length": checks.whole()},
    ),
    "users_select": _select({}, {"initial_user": _ID}),
    "multi_users_select": _select({}, {**_MOST_SELECTED, "initial_users": _IDS}),
    "conversations_select": _select({}, {**_CONVERSATION, "initial_conversation": _ID}),
    "multi_conversations_select": _select(
        {}, {**_CONVERSATION, **_MOST_SELECTED, "initial_conversations": _IDS}
    ),
    "channels_select": _select({}, {"initial_channel": _ID, "response_url_enabled": checks.boolean}),
    "multi_channels_select": _select({}, {**_MOST_SELECTED, "initial_channels": _IDS}),
}

BUTTON = _element(
    {"text": checks.text(most=limits.BUTTON_TEXT, plain=True)},
    {
        "url": checks.string(most=limits.URL),
        "value": checks.string(most=limits.BUTTON_VALUE),
        "style": checks.one_of("primary", "danger"),
        "accessibility_label": checks.string(most=limits.BUTTON_TEXT),
        "agent_prompt": checks.string(most=limits.AGENT_PROMPT),
        "visible_to_user_ids": checks.items(_ID, most=limits.ICON_VISIBLE_TO),
    },
)
_WORKFLOW_BUTTON = _element(
    {"text": checks.text(most=limits.BUTTON_TEXT, plain=True), "workflow": checks.anything},
    {
        "style": checks.one_of("primary", "danger"),
        "accessibility_label": checks.string(most=limits.BUTTON_TEXT),
    },
)
_DATES: dict[str, Check] = {
    "datepicker": _select({}, {"initial_date": checks.string(most=10)}),
    "timepicker": _select({}, {"initial_time": checks.string(most=5), "timezone": checks.string(most=64)}),
}
_CHOOSERS: dict[str, Check] = {
    "checkboxes": _element({"options": _CHOICES}, {"initial_options": _CHOICES}),
    "radio_buttons": _element({"options": _CHOICES}, {"initial_option": _CHOICE}),
    "datetimepicker": _element({}, {"initial_date_time": checks.whole()}),
}
_OVERFLOW = _element({"options": checks.items(OPTION, most=limits.OVERFLOW_OPTIONS)})
IMAGE = checks.needs_one(
    "image_url",
    "slack_file",
    shape=checks.record(
        {"alt_text": checks.string(most=limits.ALT_TEXT)},
        {"image_url": checks.string(most=limits.IMAGE_URL), "slack_file": IMAGE_FILE},
    ),
)

ACTIONS: dict[str, Check] = {
    "button": BUTTON,
    "workflow_button": _WORKFLOW_BUTTON,
    "overflow": _OVERFLOW,
    **SELECTS,
    **_DATES,
    **_CHOOSERS,
}
ACCESSORIES: dict[str, Check] = {**ACTIONS, "image": IMAGE}


def _input(optional: Fields, required: Fields | None = None) -> Check:
    return _element(
        required or {}, {"placeholder": PLACEHOLDER, "dispatch_action_config": DISPATCH, **optional}
    )


_LENGTHS: Fields = {
    "initial_value": checks.string(most=limits.INPUT_TEXT, least=0),
    "min_length": checks.whole(most=limits.INPUT_TEXT),
    "max_length": checks.whole(least=1, most=limits.INPUT_TEXT),
}
_NUMERIC = checks.string(most=64)

INPUTS: dict[str, Check] = {
    "plain_text_input": _input({**_LENGTHS, "multiline": checks.boolean}),
    "email_text_input": _input({"initial_value": checks.string(most=limits.INPUT_TEXT)}),
    "url_text_input": _input({"initial_value": checks.string(most=limits.INPUT_TEXT)}),
    "number_input": _input(
        {"initial_value": _NUMERIC, "min_value": _NUMERIC, "max_value": _NUMERIC},
        {"is_decimal_allowed": checks.boolean},
    ),
    "rich_text_input": _input({"initial_value": checks.anything}),
    "file_input": _element(
        {},
        {
            "filetypes": checks.items(checks.string(most=32), most=100),
            "max_files": checks.whole(least=1, most=10),
        },
    ),
    **SELECTS,
    **_DATES,
    **_CHOOSERS,
}

CONTEXT: dict[str, Check] = {
    "image": IMAGE,
    "plain_text": checks.text(most=limits.SECTION_TEXT, plain=True),
    "mrkdwn": checks.text(most=limits.SECTION_TEXT),
}

_FEEDBACK = checks.record(
    {
        "text": checks.text(most=limits.FEEDBACK_TEXT, plain=True),
        "value": checks.string(most=limits.BUTTON_VALUE),
    },
    {"accessibility_label": checks.string(most=limits.BUTTON_TEXT)},
)
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": _element({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}),
    "icon_button": _element(
        {"icon": checks.one_of("trash"), "text": checks.text(most=limits.BUTTON_TEXT, plain=True)},
        {
            "value": checks.string(most=limits.BUTTON_VALUE),
            "visible_to_user_ids": checks.items(_ID, most=limits.ICON_VISIBLE_TO),
            "accessibility_label": checks.string(most=limits.BUTTON_TEXT),
        },
    ),
}
SOURCE = checks.record(
    {"url": checks.string(most=limits.URL), "text": checks.string(most=limits.SECTION_FIELD_TEXT)},
    {"icon_url": checks.string(most=limits.URL)},
)
