"""The modals that a person has open: a stack of at most three, of which the top one is in front."""

from sandbox.slack import limits, views
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.values import Json


def set_stack(core: Core, user: str, stack: list[Json]) -> None:
    """Show exactly these modals to a person."""
    core.state.modals[user] = stack
    core.state.changes.publish({"type": "views", "views": stack}, only=[user])


def push(core: Core, user: str, view: Json) -> Json:
    """Add a modal on top; ``not_found`` without an open one, ``push_limit_reached`` above three."""
    stack = core.state.modals[user]
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= limits.VIEW_STACK:
        raise SlackError("push_limit_reached")
    kept = views.stored(core.state, view, previous=stack[-1])
    set_stack(core, user, [*stack, kept])
    return kept


def replace(core: Core, user: str, old: Json, view: Json) -> Json:
    """Put another view in the place of an open modal, under the same id."""
    kept = views.stored(core.state, view, old=old)
    stack = [kept if entry["id"] == old["id"] else entry for entry in core.state.modals[user]]
    set_stack(core, user, stack)
    return kept


def close(core: Core, user: str, view_id: str, *, all_of_them: bool = False) -> None:
    """Close a modal and what lies above it, or the whole stack."""
    stack = core.state.modals[user]
    position = next((index for index, entry in enumerate(stack) if entry["id"] == view_id), len(stack))
    set_stack(core, user, [] if all_of_them else stack[:position])
