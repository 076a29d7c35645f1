"""What the Databricks side needs to know; the only reader of the environment is ``bot/settings.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class DatabricksSettings:
    """How to reach the workspace and how people sign in to it."""

    #: The workspace's address, with scheme.
    host: str
    #: The OAuth app that people sign in through; ``None``: signing in is not offered.
    client_id: str | None = None
    #: Absent for a public client, which PKCE alone protects.
    client_secret: str | None = field(default=None, repr=False)
    #: ``offline_access`` is what brings a refresh token (databricks-sdk-py issue 457).
    scopes: tuple[str, ...] = ("all-apis", "offline_access")
    #: Where browsers reach us; ``/auth/callback`` below it must be registered with the OAuth app.
    public_url: str = ""
    #: A token for senders who are not linked; looked at only when ``development`` is true.
    shared_token: str | None = field(default=None, repr=False)
    development: bool = False
    #: Slack e-mail → Databricks user name, for people whose two addresses differ. Case does not matter.
    email_mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def redirect_uri(self) -> str:
        """The address that Databricks sends the browser back to."""
        return f"{self.public_url.rstrip('/')}/auth/callback"

    def expected_user_name(self, slack_email: str) -> str:
        """The Databricks user name (folded) that belongs to a Slack e-mail; a mapping entry replaces the rule."""
        mapping = {slack.strip().casefold(): name for slack, name in self.email_mapping.items()}
        email = slack_email.strip().casefold()
        return mapping.get(email, email).strip().casefold()
