"""The sentences that we say to people outside a reply. Each one says what is the matter and what to do about it."""

from collections.abc import Iterable

from bot.views import content, elements, help, limits, mentions


def not_a_member() -> content.Content:
    return _notice(
        "I work for full members of this Slack team only. Ask a member to write the message for you."
    )


def shared_channel() -> content.Content:
    return _notice(
        "I do not work in channels shared with another company. Ask me in a channel of this team alone, or directly."
    )


def empty_mention(*, bot_user_id: str) -> content.Content:
    return _notice(
        f"You called, but the message is empty. Write what you need after <@{bot_user_id}>, or try *help*."
    )


def only_files() -> content.Content:
    return _notice("You sent a file without a word. Say what I should do with it, in this thread.")


def unknown_word(word: str) -> content.Content:
    quoted = mentions.escape(limits.one_line(word, 40)).replace("`", "'")
    known = ", ".join(f"`{known.name}`" for known in help.WORDS)
    return _notice(f"I do not know `/brick {quoted or '?'}`. I know {known}.")


def sign_in_link(*, url: str, minutes: int) -> content.Content:
    """The personal link; for the eyes of the one person it was made for."""
    text = f"Sign in to Databricks with the button. It works once, for you alone, within {minutes} minutes."
    button = elements.button("Open Databricks", action_id="identity.open", url=url, style="primary")
    return content.Content(text=text, blocks=(elements.section(text), elements.actions(button)))


def signed_out() -> content.Content:
    return _notice("Your Databricks sign-in is forgotten. Use `/brick login` when you need me again.")


def not_signed_in() -> content.Content:
    return _notice("You are not signed in to Databricks. Use `/brick login` to sign in.")


def whoami(*, user_id: str, account: str | None, host: str, facts: Iterable[str] = ()) -> content.Content:
    """Both identities of a person; ``facts`` are further lines, such as scopes and when the sign-in ends."""
    who = (
        mentions.escape(limits.one_line(account, 200))
        if account
        else "nobody yet; use `/brick login` to sign in"
    )
    lines = [f"*Slack* <@{user_id}>", f"*Databricks* {who}, on {mentions.escape(limits.one_line(host, 200))}"]
    text = "\n".join([*lines, *(mentions.escape(fact) for fact in facts)])
    return content.Content(text=f"On Databricks you are {who}.", blocks=(elements.section(text),))


def stopping(*, count: int) -> content.Content:
    what = "what was running" if count == 1 else f"{count} messages"
    return _notice(f"Stopping {what}. Write again in the thread to go on.")


def nothing_to_stop() -> content.Content:
    return _notice("Nothing runs here. `/brick status` shows what runs in this place.")


def already_over() -> content.Content:
    return _notice("That one is already over. Write in the thread to ask for more.")


def unknown_button() -> content.Content:
    return _notice("I no longer know that button. Use the newest message, or ask again.")


def may_not_stop() -> content.Content:
    return _notice(
        "Only the person who asked, the project's owner or an admin can stop that. Ask one of them."
    )


def failure(sentence: str) -> content.Content:
    """An error that already says in one sentence what is the matter and what to do."""
    return _notice(mentions.escape(limits.one_line(sentence, 600)))


def unavailable() -> content.Content:
    return _notice("I cannot reach my database at the moment. Please try again in a minute.")


def _notice(text: str) -> content.Content:
    clipped = limits.clip(text, limits.SECTION_TEXT)
    return content.Content(text=clipped, blocks=(elements.section(clipped),))
