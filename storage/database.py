"""The way to Postgres: one pool, one kind of transaction, and one error when the database is away.

Only rows are trusted to coordinate replicas. Lakebase drops sessions when it scales to zero, and advisory locks
and LISTEN go with them: so ``listen`` is a bell, not a mailbox, and tells its owner to look after every reconnect.
Failures of the connection are translated here, once, by a listener below every statement; repositories and their
callers see ``DatabaseUnavailableError`` or a bug. What a session may say is in the repositories, what the tables
are in ``models``, how they come to be in ``migrations``.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import sqlalchemy.exc
import structlog
import tenacity
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from storage import migrations, urls
from storage.errors import DatabaseUnavailableError

CONNECT_TIMEOUT = 5.0  # seconds, with TLS, log-in and minting a password
COMMAND_TIMEOUT = 15.0  # seconds for one statement
MIGRATION_TIMEOUT = 300.0  # seconds for one statement, and for waiting until another replica has migrated
PING_TIMEOUT = 3.0  # seconds
POOL_TIMEOUT = 10.0  # seconds to wait for a free connection
POOL_RECYCLE = (
    1500  # seconds; a Lakebase credential lives an hour, and idle connections are closed by proxies
)
CLOSE_TIMEOUT = 2.0  # seconds
HEARTBEAT = 30.0  # seconds between proofs that a silent listening connection is alive
RELISTEN_PAUSE = 0.2  # seconds, so that a server that accepts and drops us is not hammered

# Classes and codes from postgresql.org/docs/current/errcodes-appendix.html.
UNAVAILABLE_CLASSES = ("08", "28")  # connection exceptions; log-in refused, as with a credential just expired
UNAVAILABLE_CODES = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "25P03"})

log = structlog.get_logger(__name__)

#: What repositories are constructed with; other packages name it without knowing SQLAlchemy.
Transaction = AsyncSession


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the database is and how to log in."""

    #: ``postgresql://user[:password]@host:port/database[?sslmode=…]``, or with ``?host=/socket/directory``.
    url: str = field(repr=False)
    #: Asked for the password at every log-in; for credentials that expire.
    password: Callable[[], Awaitable[str]] | None = None
    #: Replaces what ``sslmode`` says; for servers whose certificate can be verified.
    tls: ssl.SSLContext | None = None


class Database:
    """A pool of connections to one database. Making it connects to nothing yet.

    Raises ``InvalidUrlError`` for a URL that is not Postgres'. ``replica`` names this process to the server's operator.
    """

    def __init__(
        self,
        source: Source,
        *,
        pool_size: int = 10,
        replica: str = "",
        connect_timeout: float = CONNECT_TIMEOUT,
        command_timeout: float = COMMAND_TIMEOUT,
    ) -> None:
        self._source = source
        self._connect_timeout = connect_timeout
        self._command_timeout = command_timeout
        self._dsn = urls.normalized(source.url)
        self._password = source.password or urls.password(source.url)
        self._application_name = f"bricklayer {replica}".strip()[:63]
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_recycle=POOL_RECYCLE,
            pool_timeout=POOL_TIMEOUT,
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "handle_error", _translate)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises ``DatabaseUnavailableError`` when the connection fails or the pool stays exhausted. A connection that
        fails during the commit leaves open whether it happened, so what is repeated must be idempotent.
        """
        async with self._sessions.begin() as tx:
            await _check_out(tx)
            yield tx

    async def ping(self) -> None:
        """Prove that a statement gets its answer within 3 s, or raise ``DatabaseUnavailableError``.

        Giving up the connection to a frozen server may take two seconds more.
        """
        try:
            async with asyncio.timeout(PING_TIMEOUT), self.transaction() as tx:
                await tx.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise DatabaseUnavailableError("it does not answer") from error

    async def wait_until_ready(self, *, timeout: float) -> None:  # noqa: ASYNC109
        """Return once ``ping`` works; raise its error after ``timeout`` seconds of trying."""
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(DatabaseUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=2.0),
            stop=tenacity.stop_after_delay(timeout),
            reraise=True,
        ):
            with attempt:
                await self.ping()

    async def migrate(self) -> None:
        """Bring the schema to this version; replicas that start together wait for the first one.

        Raises ``NewerSchemaError`` when the database is ahead of this code.
        """
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: self._connect(command_timeout=MIGRATION_TIMEOUT),
            poolclass=sqlalchemy.NullPool,
        )
        event.listen(engine.sync_engine, "handle_error", _translate)
        try:
            async with engine.begin() as connection:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(hashtext('bricklayer migrations'))")
                )
                await connection.run_sync(migrations.upgrade)
        finally:
            await engine.dispose()

    async def listen(self, channel: str, *, on_message: Callable[[str], None]) -> None:
        """Call ``on_message`` with every payload notified on ``channel``, until cancelled.

        It is called with ``""`` after each (re)connect, because what was notified meanwhile is lost.
        """
        while True:
            connection = await self._connect_patiently()
            try:
                await self._listen_once(connection, channel, on_message)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listening connection lost", channel=channel, reason=_reason(error))
            finally:
                connection.terminate()
            await asyncio.sleep(RELISTEN_PAUSE)

    async def close(self) -> None:
        """Close every connection, within two seconds."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._engine.dispose()
        except TimeoutError:
            log.warning("connections did not close in time")

    async def _connect(self, *, command_timeout: float | None = None) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                self._dsn,
                password=self._password,
                ssl=self._source.tls,
                timeout=self._connect_timeout,
                command_timeout=command_timeout or self._command_timeout,
                server_settings={
                    "application_name": self._application_name,
                    "idle_in_transaction_session_timeout": "60s",
                    "jit": "off",
                    "timezone": "UTC",
                },
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailableError(_reason(error)) from error

    async def _connect_patiently(self) -> asyncpg.Connection:
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(DatabaseUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.3, max=5.0),
        )
        return await retrying(self._connect)

    async def _listen_once(
        self, connection: asyncpg.Connection, channel: str, on_message: Callable[[str], None]
    ) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(channel, lambda _c, _pid, _channel, payload: on_message(payload))
        log.info("listening", channel=channel)
        on_message("")
        while not lost.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await lost.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=self._connect_timeout)
        raise asyncpg.InterfaceError("the server closed the connection")


async def _check_out(tx: AsyncSession) -> None:
    """Take a connection out of the pool; what fails before there is one does not pass ``_translate``."""
    try:
        await tx.connection()
    except sqlalchemy.exc.TimeoutError as error:
        raise DatabaseUnavailableError("every connection of the pool is busy") from error
    except OSError as error:  # also a time-out of the ping that precedes
        raise DatabaseUnavailableError(_reason(error)) from error


async def notify(tx: AsyncSession, *, channel: str, payload: str = "") -> None:
    """Wake the listeners of ``channel`` if and when this transaction commits."""
    await tx.execute(select(func.pg_notify(channel, payload)))


def _translate(context: ExceptionContext) -> DatabaseUnavailableError | None:
    """Turn what a dead or frozen connection causes into one error, and give the connection up.

    A statement that timed out is included: only a fresh connection is certain not to be still waiting for it. A
    cancelled task stays cancelled.
    """
    error = context.original_exception
    lost = (
        context.is_disconnect
        or isinstance(error, OSError)
        or _is_unavailable(getattr(error, "sqlstate", None))
    )
    if not lost or not isinstance(error, Exception):
        return None
    context.is_disconnect = True
    if context.is_pre_ping:
        # The pool replaces what it finds dead before it lends it.
        return None
    context.invalidate_pool_on_disconnect = not isinstance(error, TimeoutError)
    return DatabaseUnavailableError(_reason(error))


def _is_unavailable(code: str | None) -> bool:
    return code is not None and (code[:2] in UNAVAILABLE_CLASSES or code in UNAVAILABLE_CODES)


def _reason(error: Exception) -> str:
    """The first line of the error, or its name where it has no words, as with time-outs."""
    words = str(error.__cause__ or error).strip()
    return words.splitlines()[0] if words else type(error).__name__
