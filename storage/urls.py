"""Postgres URLs as consoles hand them out, made fit for asyncpg."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from storage.errors import InvalidUrlError

SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"})
# libpq understands it and cloud consoles add it; asyncpg would send it to the server as a setting.
UNSUPPORTED = frozenset({"channel_binding"})


def normalized(url: str) -> str:
    """The same URL with a plain scheme and only parameters that asyncpg knows.

    Raises ``InvalidUrlError``, which never quotes the URL, because it may hold a password.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidUrlError("it cannot be parsed") from error
    if parts.scheme not in SCHEMES:
        raise InvalidUrlError(f"its scheme is {parts.scheme!r}" if parts.scheme else "it has no scheme")
    if port == 0:
        raise InvalidUrlError("its port is 0")
    parameters = [(name, value) for name, value in parse_qsl(parts.query) if name not in UNSUPPORTED]
    return parts._replace(scheme="postgresql", query=urlencode(parameters)).geturl()


def password(url: str) -> str:
    """The password in the URL; given to asyncpg as such, or it would look into the environment and ``~/.pgpass``."""
    return unquote(urlsplit(url.strip()).password or "")
