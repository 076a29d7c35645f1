"""What must stand before the service can: the database and the keys to what is encrypted in it."""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from agent import errors as agent_errors
from agent.databricks import lakebase as lakebase_login
from agent.databricks import oauth
from bot import errors, settings
from storage import database, embedded, identities, lakebase, vault
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

DATABASE_PATIENCE = 60.0  # seconds at start
KEY_FILE = "secret.key"


async def open_database(
    chosen: settings.Settings, stack: AsyncExitStack, *, replica: str
) -> database.Database:
    """The database of these settings, reachable and migrated; the stack closes it. Raises errors.StartError."""
    try:
        source = await _source(chosen, stack)
        opened = database.Database(source, replica=replica)
        stack.push_async_callback(opened.close)
        await opened.wait_until_ready(timeout=DATABASE_PATIENCE)
        await opened.migrate()
    except storage_errors.DatabaseUnavailableError as error:
        raise errors.StartError(
            f"{_setting(chosen)}: the database cannot be reached ({error}). Check it and start again."
        ) from error
    except storage_errors.StorageError as error:
        raise errors.StartError(f"{_setting(chosen)}: {error}") from error
    except agent_errors.AgentError as error:
        raise errors.StartError(f"{_setting(chosen)}: {error}") from error
    return opened


async def open_vault(chosen: settings.Settings, db: database.Database) -> tuple[vault.Vault, tuple[str, ...]]:
    """The vault and its keys; raises errors.StartError when sign-ins are stored that no key opens."""
    keys = chosen.secret_keys or (await asyncio.to_thread(_development_key, chosen.bricklayer_data_dir),)
    opened = vault.Vault(keys)
    async with db.transaction() as tx:
        unreadable = await identities.Identities(tx, opened).unreadable()
    if unreadable:
        raise errors.StartError(
            f"BRICKLAYER_SECRET_KEYS: {unreadable} stored sign-in(s) were encrypted with a key that is no longer among "
            "them. Add the old key behind the new one and start again."
        )
    return opened, keys


async def _source(chosen: settings.Settings, stack: AsyncExitStack) -> database.Source:
    if chosen.lakebase_pg_url is not None:
        return database.Source(url=chosen.lakebase_pg_url.get_secret_value())
    if chosen.lakebase_endpoint or chosen.lakebase_instance_name:
        return await _lakebase(chosen, stack)
    postgres = await embedded.EmbeddedPostgres.start(chosen.bricklayer_data_dir.absolute())
    stack.push_async_callback(postgres.stop)
    return postgres.source


async def _lakebase(chosen: settings.Settings, stack: AsyncExitStack) -> database.Source:
    client = service_client(chosen)
    stack.push_async_callback(client.close)
    instance: lakebase_login.Instance
    if chosen.lakebase_endpoint:
        instance = lakebase_login.Autoscaling(endpoint=chosen.lakebase_endpoint)
    else:
        instance = lakebase_login.Provisioned(instance=chosen.lakebase_instance_name or "")
    login = lakebase_login.LakebaseLogin(
        host=chosen.databricks_host,
        client=client,
        client_id=chosen.databricks_client_id or "",
        instance=instance,
    )
    endpoint = await login.endpoint(database=chosen.lakebase_database_name)
    return lakebase.source(endpoint, lakebase.CredentialCache(login.mint))


def service_client(chosen: settings.Settings) -> oauth.OAuthClient:
    """The OAuth client of the service's own principal; it serves the database and the model, never a sender."""
    secret = chosen.databricks_client_secret
    return oauth.OAuthClient(
        host=chosen.databricks_host,
        client_id=chosen.databricks_client_id or "",
        client_secret=secret.get_secret_value() if secret else None,
        scopes=("all-apis",),
        redirect_uri="",
    )


def _setting(chosen: settings.Settings) -> str:
    if chosen.lakebase_pg_url is not None:
        return "LAKEBASE_PG_URL"
    if chosen.lakebase_endpoint:
        return "LAKEBASE_ENDPOINT"
    return "LAKEBASE_INSTANCE_NAME" if chosen.lakebase_instance_name else "BRICKLAYER_DATA_DIR"


def _development_key(data_dir: Path) -> str:
    """A key made once and kept beside the database, so that sign-ins survive a restart in development."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / KEY_FILE
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(vault.Vault.generate_key())
    except FileExistsError:
        log.debug("development key found", path=str(path))
    return path.read_text().strip()
