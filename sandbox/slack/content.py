"""What a message says: read from a call's arguments, from an acknowledgement or from a response URL, and checked."""

import json
from dataclasses import dataclass

from sandbox.slack import blocks as block_checks
from sandbox.slack import limits, stored_blocks
from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.values import Json


@dataclass(frozen=True, kw_only=True)
class Content:
    """The parts of a message; ``None`` stands for a part that was not passed at all."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None

    def fields(self) -> Json:
        """The message fields for these parts."""
        fields: Json = {"text": self.text or ""}
        if self.blocks:
            fields["blocks"] = stored_blocks.complete(self.blocks)
        if self.attachments:
            fields["attachments"] = [{"id": number, **a} for number, a in enumerate(self.attachments, 1)]
        if self.metadata:
            fields["metadata"] = self.metadata
        return fields


def read(arguments: Arguments, *, most_text: int | None) -> Content:
    """The content of a message; texts over ``most_text`` are ``msg_too_long``, or are cut at Slack's own limit."""
    markdown = _markdown(arguments)
    blocks = _blocks(arguments) if markdown is None else [{"type": "markdown", "text": markdown}]
    if blocks:
        block_checks.check_message(blocks)
    text = arguments.text("text") if arguments.has("text") else markdown
    if most_text is not None and markdown is None and len(text or "") > most_text:
        raise SlackError("msg_too_long")
    content = Content(
        text=None if text is None else text[: limits.POST_TEXT],
        blocks=blocks,
        attachments=_attachments(arguments),
        metadata=read_metadata(arguments),
    )
    return content


def require_something(content: Content) -> None:
    """``no_text`` for a message that says nothing."""
    if not (content.text or content.blocks or content.attachments):
        raise SlackError("no_text")


def _markdown(arguments: Arguments) -> str | None:
    if not arguments.has("markdown_text"):
        return None
    if arguments.text("text") or arguments.has("blocks"):
        raise SlackError("markdown_text_conflict")
    markdown = arguments.text("markdown_text")
    if len(markdown) > limits.MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    return markdown


def _blocks(arguments: Arguments) -> list[Json] | None:
    return arguments.array("blocks", error="invalid_blocks_format")


def _attachments(arguments: Arguments) -> list[Json] | None:
    attachments = arguments.array("attachments", error="invalid_attachments")
    if attachments is None:
        return None
    if len(attachments) > limits.ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        _check_attachment(attachment, index)
    return attachments


def _check_attachment(attachment: object, index: int) -> None:
    if not isinstance(attachment, dict):
        raise SlackError("invalid_attachments")
    scan = block_checks.problems_of(
        attachment.get("blocks", []), surface="message", pointer=f"/attachments/{index}/blocks"
    )
    if scan.problems:
        raise SlackError("invalid_attachments", messages=tuple(scan.problems))


def read_metadata(arguments: Arguments) -> Json | None:
    """The metadata of a message; ``invalid_metadata_format`` or ``metadata_too_large``."""
    metadata = arguments.record("metadata", error="invalid_metadata_format")
    if not metadata:
        return None
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > limits.METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata
