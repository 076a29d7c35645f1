"""A little history, so that a newcomer finds people at work. Nobody is told of it: it was said before the app came."""

import time
from dataclasses import dataclass

from sandbox import people
from sandbox.slack import messages
from sandbox.slack.core import Core


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something that was said ``minutes`` ago; a reply belongs to the last line that is none."""

    minutes: float
    channel: str
    user: people.Person
    text: str
    reply: bool = False


def _line(minutes: float, channel: str, user: people.Person, text: str, *, reply: bool = False) -> Line:
    return Line(minutes=minutes, channel=channel, user=user, text=text, reply=reply)


LINES = (
    _line(2_890, "C0SALES01", people.BEN, "Morning! Northern region closed above plan again :tada:"),
    _line(2_885, "C0SALES01", people.CLEO, "Nice. Does somebody have the split by product?", reply=True),
    _line(2_871, "C0SALES01", people.BEN, "Not yet, it is still three spreadsheets and a prayer", reply=True),
    _line(
        1_450, "C0SALES01", people.ADA, "I invited bricklayer. Mention it and ask for numbers in plain words."
    ),
    _line(1_380, "C0SALES01", people.GUS, "Can it see the orders of last quarter?"),
    _line(1_376, "C0SALES01", people.ADA, "It sees what the person asking may see, so: try it.", reply=True),
    _line(
        1_502, "C0ENG0001", people.CLEO, "The orders pipeline was late by 40 minutes tonight, a slow merge."
    ),
    _line(
        1_497,
        "C0ENG0001",
        people.ADA,
        "Clustering on `order_date` should help, I will have a look.",
        reply=True,
    ),
    _line(300, "C0ENG0001", people.BEN, "Reminder: staging warehouse goes to serverless on Thursday."),
    _line(1_200, "C0FINANCE", people.ADA, "Forecast v2 is due on Friday. Numbers stay in here until then."),
    _line(1_195, "C0FINANCE", people.CLEO, "Understood, I will compare it with the actuals.", reply=True),
    _line(900, "C0PARTNER", people.SAM, "Hello from the quarry! Deliveries for week 47 are confirmed."),
    _line(893, "C0PARTNER", people.BEN, "Thanks Sam, that was quick.", reply=True),
    _line(2_000, "C0RANDOM1", people.CLEO, "There is cake in the kitchen. Was cake. Is crumbs."),
)


def plant(core: Core) -> None:
    """Put the history into the channels."""
    now = time.time()
    roots: dict[str, str] = {}
    for line in sorted(LINES, key=lambda line: -line.minutes):
        message = messages.from_person(core, line.user.id, {"text": line.text})
        message["ts"] = core.state.new_ts(now - line.minutes * 60)
        if line.reply:
            message["thread_ts"] = roots[line.channel]
        else:
            roots[line.channel] = message["ts"]
        core.state.messages[line.channel][message["ts"]] = message
        core.state.keep(line.channel, message)
