"""What ends the start of the service; told on the terminal in one line, exit code 2."""


class StartError(Exception):
    """The service cannot start; the text is one line with the remedy."""
