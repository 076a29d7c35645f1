"""A Databricks workspace in miniature, over HTTP: sign-in, identity, warehouses, SQL, model serving, Lakebase credentials."""

from sandbox.databricks.authorization import CLIENT_ID, CLIENT_SECRET
from sandbox.databricks.server import DatabricksSandbox, Request
from sandbox.databricks.tokens import OAuthSettings

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "DatabricksSandbox", "OAuthSettings", "Request"]
