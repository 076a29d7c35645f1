"""``python -m bot`` is the console script ``bricklayer``."""

from bot import cli

cli.main()
