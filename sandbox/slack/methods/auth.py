"""Who am I, and where: auth.*, api.test, team.info, bots.info, apps.connections.open, blocks.validate."""

from collections.abc import Mapping

from sandbox import people
from sandbox.slack import blocks, objects, views
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method
from sandbox.slack.values import Json


def auth_test(core: Core, arguments: Arguments) -> Json:
    """The bot's identity."""
    return {
        "url": f"https://{people.TEAM.domain}.slack.com/",
        "team": people.TEAM.name,
        "user": people.BOT.name,
        "team_id": people.TEAM.id,
        "user_id": people.BOT.user_id,
        "bot_id": people.BOT.bot_id,
        "is_enterprise_install": False,
    }


def api_test(core: Core, arguments: Arguments) -> Json:
    """Echo the arguments, or the error that they ask for."""
    if error := arguments.text("error"):
        raise SlackError(error, args=arguments.values)
    return {"args": arguments.values}


def team_info(core: Core, arguments: Arguments) -> Json:
    """The team that the app is installed in."""
    team = people.OTHER_TEAM if arguments.text("team") == people.OTHER_TEAM.id else people.TEAM
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "url": f"https://{team.domain}.slack.com/",
            "email_domain": f"{team.domain}.example",
            "icon": {"image_default": True},
        }
    }


def bots_info(core: Core, arguments: Arguments) -> Json:
    """The app's bot, which is the only one there is."""
    if arguments.text("bot", people.BOT.bot_id) != people.BOT.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": objects.bot()}


def connections_open(core: Core, arguments: Arguments) -> Json:
    """A URL that opens one Socket Mode connection, once."""
    if core.faults.refuse_connections:
        raise SlackError("internal_error")
    address = core.url.replace("http", "ws", 1)
    return {"url": f"{address}/link/?ticket={core.delivery.ticket()}&app_id={people.BOT.app_id}"}


def validate(core: Core, arguments: Arguments) -> Json:
    """Say whether blocks, a message or a view would be accepted."""
    given = [name for name in ("blocks", "message", "view") if arguments.has(name)]
    if len(given) != 1:
        raise SlackError(
            "invalid_arguments", messages=("[ERROR] provide exactly one of blocks, message, view",)
        )
    if given == ["view"]:
        view = arguments.record("view", error="invalid_view")
        views.check(view or {}, pointer="/view", error="invalid_view")
        return {}
    message = arguments.record("message", error="invalid_message") or {}
    value = arguments.array("blocks", error="invalid_blocks_format") or message.get("blocks", [])
    blocks.check_message(value)
    return {}


METHODS: Mapping[str, Method] = {
    "auth.test": Method(run=auth_test),
    "api.test": Method(run=api_test, token="none"),
    "team.info": Method(run=team_info, scope="team:read"),
    "bots.info": Method(run=bots_info, scope="users:read"),
    "apps.connections.open": Method(run=connections_open, token="app"),
    "blocks.validate": Method(run=validate, token="none"),
}
