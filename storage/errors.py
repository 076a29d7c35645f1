"""What can go wrong below the bot, one class per remedy.

A class's docstring is the message that a person reads; ``reason`` adds the cause in the words of whoever
reported it. Constraint violations are not here: repositories turn the expected ones into return values, and an
unexpected one is a bug that should look like one (``sqlalchemy.exc.IntegrityError``).
"""

import inspect

MAX_REASON = 256  # characters; a driver's message can quote whole statements


class StorageError(Exception):
    """The stored data could not be used."""

    def __init__(self, reason: str = "") -> None:
        sentence = inspect.cleandoc(type(self).__doc__ or "")
        super().__init__(f"{sentence} ({reason[:MAX_REASON]})" if reason else sentence)
        self.reason = reason


class DatabaseUnavailableError(StorageError):
    """The database cannot be reached right now; what needs it is tried again by itself."""


class InvalidUrlError(StorageError):
    """The database URL is not usable; write it as postgresql://user:password@host:5432/database."""


class NewerSchemaError(StorageError):
    """The database was migrated by a newer version of Bricklayer; run that version, or restore a backup."""


class EmbeddedPostgresError(StorageError):
    """The embedded Postgres does not start; its log is in the data directory, and any Postgres URL works instead."""


class UnknownTurnError(StorageError):
    """There is no such turn."""


class InvalidKeyError(StorageError):
    """A secret key is malformed; make one with `bricklayer generate-key`."""


class SealedWithUnknownKeyError(StorageError):
    """A stored secret was sealed with a key that is not configured; put the old key back behind the newest one."""
