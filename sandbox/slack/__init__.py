"""A Slack team on loopback: Web API, Events API, Socket Mode, interactivity, and a page for people.

It refuses what the real Slack refuses, so that a bot that works here works there. ``SlackSandbox`` is the whole of it.
"""

from sandbox.slack.server import SlackSandbox

__all__ = ["SlackSandbox"]
