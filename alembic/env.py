"""Where alembic's commands run: on the connection the bot gives, or on one to ``-x url=…``.

The environment is not read here, and neither is a logging configuration.
"""

import asyncio
from typing import Literal

import asyncpg
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from storage import models, urls


def rendered(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """In scripts our own type is what it is in Postgres: a script must not change when the code does."""
    return "sa.Text()" if kind == "type" and isinstance(item, models.FreeText) else False


def migrate(connection: Connection) -> None:
    """Run the command that was asked for, in the connection's transaction."""
    context.configure(connection=connection, target_metadata=models.metadata, render_item=rendered)
    with context.begin_transaction():
        context.run_migrations()


def render() -> None:
    """Print the SQL instead of executing it (``--sql``)."""
    context.configure(dialect_name="postgresql", target_metadata=models.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate(url: str) -> None:
    """Do the same for the command line, which brings no connection."""
    dsn = urls.normalized(url)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


def main() -> None:
    """Pick one of the three."""
    given = context.config.attributes.get("connection")
    url = context.get_x_argument(as_dictionary=True).get("url")
    if context.is_offline_mode():
        render()
    elif given is not None:
        migrate(given)
    elif isinstance(url, str):
        asyncio.run(connect_and_migrate(url))
    else:
        raise CommandError("Say which database: alembic -x url=postgresql://user@host/database …")


main()
