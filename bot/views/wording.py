"""Numbers, names and lists as people read them."""

from collections.abc import Sequence


def duration(seconds: float) -> str:
    """``12 s``, ``2 min 5 s``, ``1 h 3 min``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def cost(usd: float) -> str:
    """``$0.03``; what is less than a cent says so."""
    return f"${usd:.2f}" if usd >= 0.01 else "under $0.01"


def count(number: int, noun: str) -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some(names: Sequence[str], *, at_most: int) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(names[:at_most])
    left = len(names) - at_most
    return f"{shown} and {left} more" if left > 0 else shown


def tool(name: str) -> str:
    """The name of a tool without the server that it comes from: ``mcp__databricks__execute_sql`` → ``execute_sql``."""
    return name.rsplit("__", 1)[-1] if name.startswith("mcp__") else name
