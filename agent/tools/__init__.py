"""The Databricks tools of the agent. A module here that defines a ``@registry.tool`` is all it takes to add one."""
