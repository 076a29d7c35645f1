"""Credentials for Lakebase, minted with the service's own OAuth client.

Storage asks for them through ``storage.lakebase.CredentialCache`` and knows nothing of the SDK. The service's client id
and secret come in as values, like everything else here; nothing is picked up from the environment. There are two
kinds of Lakebase: autoscaling, named by an endpoint path, and provisioned, named by an instance.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from databricks.sdk import WorkspaceClient

from agent.databricks import clients, errors, oauth, threads
from storage import lakebase

CREDENTIAL_LIFE = timedelta(
    hours=1
)  # where Databricks does not say (docs.databricks.com, Lakebase authentication)
PATIENCE = 60.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """``projects/…/branches/…/endpoints/…``"""

    endpoint: str


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """A database instance by its name."""

    instance: str


Instance = Autoscaling | Provisioned


class LakebaseLogin:
    """Where an instance is, and passwords for it, as the service principal of ``client``."""

    def __init__(self, *, host: str, client: oauth.OAuthClient, client_id: str, instance: Instance) -> None:
        self._host = host
        self._client = client
        self._client_id = client_id
        self._instance = instance
        # Of its own: people's calls must never make the database wait for a thread.
        self._pool = threads.CallPool(threads=2, per_key=2)

    async def endpoint(self, *, database: str) -> lakebase.Endpoint:
        """The instance's address; a service principal logs in with its client id."""
        workspace = await self._workspace()
        try:
            host = await self._pool.call("lakebase", _host, workspace, self._instance, timeout=PATIENCE)
        except (OSError, errors.DatabricksError) as error:
            raise errors.from_sdk(error) from error
        return lakebase.Endpoint(host=host, user=self._client_id, database=database)

    async def mint(self) -> lakebase.Credential:
        """A password; the database checks it at log-in only."""
        workspace = await self._workspace()
        try:
            return await self._pool.call("lakebase", _mint, workspace, self._instance, timeout=PATIENCE)
        except (OSError, errors.DatabricksError) as error:
            raise errors.from_sdk(error) from error

    async def _workspace(self) -> WorkspaceClient:
        grant = await self._client.client_credentials()
        return clients.workspace_client(host=self._host, tokens=clients.FixedToken(grant.access_token))


def _host(workspace: WorkspaceClient, instance: Instance) -> str:
    match instance:
        case Autoscaling(endpoint=endpoint):
            status = workspace.postgres.get_endpoint(endpoint).status
            host = status.hosts.host if status and status.hosts else None
        case Provisioned(instance=name):
            host = workspace.database.get_database_instance(name).read_write_dns
    if not host:
        raise errors.NotFoundError(
            "The Lakebase instance has no address yet. Wait until it runs, then start again."
        )
    return host


def _mint(workspace: WorkspaceClient, instance: Instance) -> lakebase.Credential:
    match instance:
        case Autoscaling(endpoint=endpoint):
            made = workspace.postgres.generate_database_credential(endpoint)
            token, expires_at = made.token, made.expire_time and made.expire_time.ToDatetime(UTC)
        case Provisioned(instance=name):
            old = workspace.database.generate_database_credential(
                instance_names=[name], request_id=str(uuid.uuid4())
            )
            token, expires_at = old.token, old.expiration_time and datetime.fromisoformat(old.expiration_time)
    if not token:
        raise errors.DatabricksError("Databricks gave no credential for Lakebase.")
    return lakebase.Credential(token=token, expires_at=expires_at or datetime.now(UTC) + CREDENTIAL_LIFE)
