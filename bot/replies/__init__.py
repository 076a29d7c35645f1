"""Us to Slack: the live reply of a turn, and the outbox that spends a team's rate limits."""
