"""Slack to us: thin functions that parse, call and answer. Every surface checks who is acting.

Whatever Slack may send has a listener; the catch-alls at the end answer what nothing else did, because an event without
a listener is not acknowledged and comes again, and a button without one shows people a warning sign.
"""

from slack_bolt.app.async_app import AsyncApp

from bot.listeners import actions, commands, events
from bot.listeners.desk import Desk

__all__ = ["Desk", "register"]


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Add all listeners; the order decides, and the catch-alls come last."""
    events.register(bolt, desk)
    commands.register(bolt, desk)
    actions.register(bolt, desk)
    events.register_rest(bolt)
    commands.register_rest(bolt)
    actions.register_rest(bolt)
