"""Everything that talks to Databricks: signing in, acting as a person, and the bounded calls of the synchronous SDK."""
