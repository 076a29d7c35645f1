"""What `/brick help` answers, and the examples that the Home repeats."""

from dataclasses import dataclass
from typing import Final

from bot.views import content, elements

EXAMPLES: Final = (
    "• In a channel: `@bricklayer which region sold most last month?`\n"
    "• In a thread I am in: just write, no mention needed. Begin with `!aside` to talk past me.\n"
    "• Here, in direct messages: write; it goes to the project you picked."
)


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word that `/brick` understands."""

    name: str
    meaning: str


WORDS: Final = (
    Word(name="help", meaning="this text"),
    Word(name="status", meaning="what runs and waits here"),
    Word(name="stop", meaning="stop what runs here, and what waits"),
    Word(name="login", meaning="sign in to Databricks"),
    Word(name="logout", meaning="forget your Databricks sign-in"),
    Word(name="whoami", meaning="who you are to me, on Slack and on Databricks"),
)


def message() -> content.Content:
    """How to use the bot, for one person."""
    words = "\n".join(f"• `/brick {word.name}` {word.meaning}" for word in WORDS)
    blocks = (
        elements.section(f"*Ask me to build something on Databricks*\n{EXAMPLES}"),
        elements.section(f"*Commands*\n{words}"),
        elements.context("Slack has no commands in threads: write @bricklayer stop or !stop there."),
    )
    names = ", ".join(word.name for word in WORDS)
    return content.Content(
        text=f"Mention me with a question, or use /brick with one of: {names}.", blocks=blocks
    )
