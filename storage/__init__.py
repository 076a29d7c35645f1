"""What survives a restart: only this package knows SQL."""
