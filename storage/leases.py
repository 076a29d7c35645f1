"""Leases: a name held by one holder until a moment, by Postgres' clock.

They are rows and not advisory locks, because a lease must outlive the connection that took it (Lakebase drops
sessions) and end by itself when its holder dies. The clock is read when the row is written, not when the
transaction began: the statement may have waited for another holder's commit.
"""

from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import leases


def project_lease(project_id: object) -> str:
    """The name of the lease that makes its holder a project's home."""
    return f"project:{project_id}"


def replica_lease(replica_id: str) -> str:
    """The name of the lease by which a replica says that it lives."""
    return f"replica:{replica_id}"


class Leases:
    """Who holds what, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def acquire(self, name: str, *, holder: str, ttl: timedelta) -> bool:
        """Take a free or expired lease, or extend our own; False when another holds it."""
        row = insert(leases).values(name=name, holder=holder, expires_at=func.clock_timestamp() + ttl)
        taken = row.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": row.excluded.holder, "expires_at": row.excluded.expires_at},
            where=or_(leases.c.holder == holder, leases.c.expires_at <= func.clock_timestamp()),
        )
        return await self._tx.scalar(taken.returning(leases.c.name)) is not None

    async def extend_all(self, holder: str, *, ttl: timedelta) -> None:
        """Extend everything that ``holder`` has and nobody has taken over since."""
        await self._tx.execute(
            update(leases).where(leases.c.holder == holder).values(expires_at=func.clock_timestamp() + ttl)
        )

    async def release(self, name: str, *, holder: str) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""
        await self._tx.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))

    async def release_all(self, holder: str) -> None:
        """Give back everything that ``holder`` has, as when it shuts down."""
        await self._tx.execute(delete(leases).where(leases.c.holder == holder))

    async def holder(self, name: str) -> str | None:
        """Who holds the lease now."""
        alive = leases.c.expires_at > func.clock_timestamp()
        return await self._tx.scalar(select(leases.c.holder).where(leases.c.name == name, alive))
