"""Alembic, run from code: the scripts are in the folder ``alembic`` beside this package.

The library reads no configuration file here, so that the bot's logging stays as it is and no environment is
consulted; the command line (``alembic -x url=… check``) reads ``alembic.ini`` at the root.
"""

from pathlib import Path

import alembic.command
import alembic.util
from alembic.config import Config
from sqlalchemy import Connection

from storage.errors import NewerSchemaError

SCRIPTS = Path(__file__).resolve().parent.parent / "alembic"


def config(connection: Connection) -> Config:
    """What alembic's commands need to work on ``connection``, inside its transaction."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return settings


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision; the caller holds the lock and commits."""
    try:
        alembic.command.upgrade(config(connection), "head")
    except alembic.util.CommandError as error:
        if "Can't locate revision" in str(error):
            raise NewerSchemaError(str(error)) from error
        raise
