"""Why a sign-in did not go on, and what each page says about it."""

from collections.abc import Mapping
from enum import StrEnum

from agent.databricks import errors


class Refusal(StrEnum):
    """Why a sign-in did not go on; each has its page."""

    EXPIRED = "expired"
    USED = "used"
    CHANGED = "changed"
    WRONG_BROWSER = "wrong browser"
    WRONG_PERSON = "wrong person"
    OTHER_ACCOUNT = "other account"
    NO_EMAIL = "no e-mail"
    DENIED = "denied"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"


_AGAIN = "Type /brick login in Slack to get a new one."
_PAGES: Mapping[Refusal, tuple[str, str]] = {
    Refusal.EXPIRED: ("This link is too old", f"A sign-in link works for ten minutes. {_AGAIN}"),
    Refusal.USED: ("This link was used before", f"A sign-in link works once. {_AGAIN}"),
    Refusal.CHANGED: (
        "This link is not whole",
        f"Something in the address was changed or left out. {_AGAIN}",
    ),
    Refusal.WRONG_BROWSER: (
        "This is not the browser that began",
        "Open the link from Slack and finish in the same browser, with cookies allowed. " + _AGAIN,
    ),
    Refusal.WRONG_PERSON: (
        "This link was made for somebody else",
        "You are signed in to Databricks as a different person than the one in Slack who asked for this link. "
        "Type /brick login in Slack to get your own.",
    ),
    Refusal.OTHER_ACCOUNT: (
        "This Databricks account belongs to another e-mail address",
        "Only the Databricks account with the e-mail address of the Slack profile can be linked. Sign out of "
        "Databricks, or use a private window, and begin again with /brick login. If your two addresses differ on "
        "purpose, ask whoever runs Bricklayer to add them to its mapping.",
    ),
    Refusal.NO_EMAIL: (
        "Slack does not tell your e-mail address",
        "Without it Bricklayer cannot make sure that the Databricks account is yours. Ask whoever runs Bricklayer.",
    ),
    Refusal.DENIED: ("Databricks did not give access", f"Access was declined there. To try again: {_AGAIN}"),
    Refusal.DECLINED: ("Nothing was linked", f"You chose not to link this account. {_AGAIN}"),
    Refusal.UNAVAILABLE: (
        "Databricks is not answering right now",
        f"Nothing was linked. Please wait a minute. {_AGAIN}",
    ),
}


class SignInRefusedError(errors.DatabricksError):
    """A sign-in did not go on. ``title`` and ``remedy`` are for the page; nothing was stored."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.title, self.remedy = _PAGES[refusal]
        super().__init__(f"{self.title}. {self.remedy}")
