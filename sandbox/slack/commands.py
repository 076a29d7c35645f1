"""Slash commands (docs.slack.dev/interactivity/implementing-slash-commands)."""

from sandbox import people
from sandbox.slack import acts, interactivity, messages, objects, responses, text
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation
from sandbox.slack.values import Answer, Json, Reply


async def run(
    core: Core, user: str, channel: str, command: str, words: str, *, thread_ts: str | None = None
) -> Reply:
    """A person runs a command. What it says comes as messages; commands are not to be had inside threads."""
    if thread_ts:
        return _failed(
            core, user, channel, f"{command} is not supported in threads. Sorry!", "not_in_threads"
        )
    if not core.app.owns(command):
        return _failed(core, user, channel, f"{command} is not a valid command.", "unknown_command")
    conversation = acts.conversation_of(core, user, channel)
    secret = core.triggers.allow(user=user, channel=conversation.id)
    payload = _payload(core, user, conversation, command, words, secret)
    answer = await core.delivery.ask("slash_commands", payload, wants_payload=True)
    if not answer.acked:
        failure = f'{command} failed with the error "{answer.error}"'
        return _failed(core, user, conversation.id, failure, answer.error)
    return _answered(core, user, conversation, command, secret, answer)


def _failed(core: Core, user: str, channel: str, words: str, error: str) -> Reply:
    messages.from_slackbot(core, user, channel, words)
    return Reply(acked=False, payload={}, error=error)


def _answered(
    core: Core, user: str, conversation: Conversation, command: str, secret: str, answer: Answer
) -> Reply:
    if answer.payload:
        try:
            responses.say(core, core.triggers.peek(secret), answer.payload)
        except SlackError as refusal:
            failure = f'{command} failed with the error "{refusal.error}"'
            return _failed(core, user, conversation.id, failure, refusal.error)
    return Reply(acked=True, payload=answer.payload, error="")


def _payload(
    core: Core, user: str, conversation: Conversation, command: str, words: str, secret: str
) -> Json:
    acting = interactivity.person(core, user)
    return {
        "token": "sandbox-verification-token",
        "team_id": people.TEAM.id,
        "team_domain": people.TEAM.domain,
        "channel_id": conversation.id,
        "channel_name": interactivity.channel_name(conversation),
        "user_id": user,
        "user_name": acting.name,
        "user_team_id": objects.home_team(core.state, user),
        "command": command,
        "text": text.escape(words.strip()),
        "api_app_id": people.BOT.app_id,
        "is_enterprise_install": "false",
        "response_url": interactivity.response_url(core, "commands", secret),
        "trigger_id": core.triggers.issue(user),
    }
