"""The outside world in miniature: a Slack, a Databricks workspace and a Claude model, all on loopback.

For anyone who writes or tests a bot: the three refuse what the real services refuse, can be made slow or faulty, log
every request, and share their people (``people``). Two ways to use them:

- ``python -m sandbox`` starts all three, prints their addresses and the environment of a bot, and serves a page that
  looks and works like Slack;
- in a test, ``async with World.create() as world`` (``world``) starts them in the test's own event loop, where
  ``world.slack``, ``world.databricks`` and ``world.claude`` are driven by their Python methods.

It imports nothing of the bot's: what it knows of Slack, Databricks and Claude it has from their documentation.
"""
