"""Pure functions from values to Block Kit: no client, no I/O, no clock.

A view takes frozen dataclasses and returns plain JSON, cut to Slack's limits where the text is built, so whatever a
person or a model wrote can be shown without asking first whether it fits.
"""
