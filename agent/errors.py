"""What can go wrong in the agent, as one tree; a class's docstring is the sentence that a person reads."""

from typing import ClassVar


class AgentError(Exception):
    """Base of everything the agent raises on purpose; ``str(error)`` is fit for a person's eyes."""

    sentence: ClassVar[str] = "Something went wrong while working on this. Please try again."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class SessionStartError(AgentError):
    """The Claude process did not come up."""

    sentence = (
        "Claude could not be started. Try again in a minute; if it stays so, tell whoever runs Bricklayer."
    )


class SessionLostError(AgentError):
    """The Claude process ended in the middle of a turn."""

    sentence = "Claude stopped unexpectedly. Send your message again; the conversation up to here is kept."


class TurnOverError(AgentError):
    """A tool call arrived when no turn was running that it could belong to."""

    sentence = "The turn that this call belonged to is over; nothing was done."
