"""The tables. Rows are plain: repositories read them into frozen records, and nothing is loaded behind one's back.

They are Core tables instead of mapped classes because no unit of work is wanted: every statement is written out in
a repository, and what it returns is what Postgres decided, never a copy remembered from earlier in the session.

Opaque documents are ``json``, not ``jsonb``: nothing queries inside them, ``jsonb`` refuses the ``\\u0000`` that
tool output may carry, and ``json`` keeps the text as it came. Slack's ids are not foreign keys, because an event
may arrive before its team was looked up. Everything that is claimed has a partial index over just the open rows.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class FreeText(TypeDecorator[str]):
    """Text that people or models wrote: what Postgres cannot store (NUL, lone surrogates) is replaced by U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The nearest text that UTF-8 in Postgres can hold."""
        if value is None:
            return None
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _key() -> Column[UUID]:
    return Column("id", Uuid, primary_key=True, default=uuid4)


def _moment(name: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _now(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _string(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _document(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def _reference(name: str, target: str, *, primary_key: bool = False) -> Column[UUID]:
    return Column(name, ForeignKey(target, ondelete="CASCADE"), nullable=False, primary_key=primary_key)


teams = Table(
    "teams",
    metadata,
    Column("id", Text, primary_key=True),
    _string("name"),
    _string("bot_user_id"),
    _now("created_at"),
)

events = Table(
    "events",
    metadata,
    Column("event_id", Text, primary_key=True),
    _string("team_id"),
    _string("channel_id", nullable=True),
    _string("ts", nullable=True),
    _string("kind"),
    _document("payload"),
    _now("received_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("claimed_at"),
    _moment("settled_at"),
    Index("ix_events_received_at", "received_at"),
    Index("ix_events_unsettled", "received_at", postgresql_where=text("settled_at IS NULL")),
    Index(
        "uq_events_said",
        "team_id",
        "channel_id",
        "ts",
        unique=True,
        postgresql_where=text("kind = 'said'"),
    ),
)

projects = Table(
    "projects",
    metadata,
    _key(),
    _string("team_id"),
    Column("name", FreeText, nullable=False),
    _string("owner_id"),
    Column("policy", Text, nullable=False, server_default=text("'ask'")),
    _now("created_at"),
    CheckConstraint("policy IN ('ask', 'auto', 'read-only')", name="policy"),
    Index("uq_projects_team_id_name", "team_id", text("lower(name)"), unique=True),
)

channel_bindings = Table(
    "channel_bindings",
    metadata,
    _string("team_id"),
    _string("channel_id"),
    _reference("project_id", "projects.id"),
    _now("created_at"),
    PrimaryKeyConstraint("team_id", "channel_id"),
    Index(None, "project_id"),
)

project_picks = Table(
    "project_picks",
    metadata,
    _string("team_id"),
    _string("user_id"),
    _reference("project_id", "projects.id"),
    _now("created_at"),
    PrimaryKeyConstraint("team_id", "user_id"),
    Index(None, "project_id"),
)

conversations = Table(
    "conversations",
    metadata,
    _key(),
    _reference("project_id", "projects.id"),
    _string("team_id"),
    _string("channel_id"),
    _string("thread_ts"),
    Column("session_id", Uuid, nullable=True),
    _now("created_at"),
    UniqueConstraint("team_id", "channel_id", "thread_ts"),
    Index(None, "project_id", "created_at"),
)

# Where a turn was said is copied from its conversation (it never changes), so that claiming needs no join.
turns = Table(
    "turns",
    metadata,
    _key(),
    Column("position", BigInteger, Identity(), nullable=False, comment="order of arrival"),
    _reference("conversation_id", "conversations.id"),
    _reference("project_id", "projects.id"),
    _string("team_id"),
    _string("channel_id"),
    _string("thread_ts"),
    _string("message_ts"),
    _string("sender_id"),
    Column("prompt", FreeText, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    _string("hold", nullable=True),
    Column("reply_ts", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _string("replica", nullable=True),
    _string("stop_requested_by", nullable=True),
    Column("error", FreeText, nullable=True),
    _now("created_at"),
    _moment("started_at"),
    _moment("finished_at"),
    CheckConstraint(
        "state IN ('queued', 'running', 'waiting', 'done', 'stopped', 'failed', 'interrupted')", name="state"
    ),
    CheckConstraint("hold IN ('sign_in')", name="hold"),
    UniqueConstraint("team_id", "channel_id", "message_ts"),
    Index("ix_turns_claimable", "position", postgresql_where=text("state = 'queued' AND hold IS NULL")),
    Index(
        "ix_turns_waiting_line",
        "conversation_id",
        "position",
        postgresql_where=text("state = 'queued' AND hold IS NULL"),
    ),
    Index("ix_turns_held", "team_id", "sender_id", postgresql_where=text("hold IS NOT NULL")),
    Index("ix_turns_active", "replica", postgresql_where=text("state IN ('running', 'waiting')")),
    Index(
        "uq_turns_one_active",
        "conversation_id",
        unique=True,
        postgresql_where=text("state IN ('running', 'waiting')"),
    ),
    Index(
        "ix_turns_open",
        "team_id",
        "channel_id",
        "thread_ts",
        "position",
        postgresql_where=text("state IN ('queued', 'running', 'waiting')"),
    ),
    Index(None, "conversation_id", "position"),
    Index(None, "project_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _reference("turn_id", "turns.id"),
    _string("role"),
    _string("kind"),
    _document("content"),
    _now("created_at"),
    CheckConstraint("role IN ('user', 'assistant', 'tool')", name="role"),
    Index(None, "turn_id", "id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _string("holder"),
    _moment("expires_at", nullable=False),
    Index(None, "holder"),
)

identities = Table(
    "identities",
    metadata,
    _string("team_id"),
    _string("user_id"),
    _string("host"),
    _string("user_name"),
    _string("databricks_id"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("access_token", LargeBinary, nullable=False, comment="sealed"),
    Column("refresh_token", LargeBinary, nullable=True, comment="sealed"),
    _moment("expires_at", nullable=False),
    _moment("linked_at", nullable=False),
    _moment("ends_at"),
    PrimaryKeyConstraint("team_id", "user_id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    _key(),
    _string("team_id"),
    _string("user_id"),
    _string("host"),
    Column("verifier", LargeBinary, nullable=False, comment="sealed"),
    Column("state", Text, nullable=False, server_default=text("'offered'")),
    _now("created_at"),
    _moment("expires_at", nullable=False),
    Column(
        "tokens", LargeBinary, nullable=True, comment="sealed; of the account that waits for confirmation"
    ),
    CheckConstraint("state IN ('offered', 'started', 'returned', 'linked', 'refused')", name="state"),
    Index(None, "expires_at"),
)

transcript_entries = Table(
    "transcript_entries",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="order within a transcript"),
    _string("project_key"),
    _string("session_id"),
    Column(
        "subpath", Text, nullable=False, server_default=text("''"), comment="empty for the main transcript"
    ),
    _string("uuid", nullable=True),
    _document("entry"),
    _now("created_at"),
    Index(None, "project_key", "session_id", "subpath", "id"),
    Index(
        "uq_transcript_entries_uuid",
        "project_key",
        "session_id",
        "subpath",
        "uuid",
        unique=True,
        postgresql_where=text("uuid IS NOT NULL"),
    ),
)

usage = Table(
    "usage",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _reference("turn_id", "turns.id"),
    _string("model"),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("cost_usd", Double, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    _now("created_at"),
    Index(None, "turn_id"),
    Index(None, "created_at"),
)

# No foreign keys: what was done stays on record when its project or turn is gone.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _now("created_at"),
    _string("team_id"),
    _string("user_id"),
    _string("action"),
    _string("outcome"),
    _string("identity", nullable=True),
    Column("project_id", Uuid, nullable=True),
    Column("turn_id", Uuid, nullable=True),
    _document("detail", nullable=True),
    Index(None, "team_id", "id"),
    Index(None, "team_id", "user_id", "id"),
)
