"""The Databricks tools of the agent. A module here that defines a ``@registry.tool`` is all it takes to add one.

They are found when the package is imported, because importing them takes time that the event loop does not have.
"""

from agent.tools import registry

registry.discover()
