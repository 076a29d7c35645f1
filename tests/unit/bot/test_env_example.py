"""``.env.example`` explains what ``bot/settings.py`` reads, all of it and nothing else."""

import re
from pathlib import Path

from bot import settings

EXAMPLE = Path(__file__).resolve().parents[3] / ".env.example"
# The second name of PORT, which Databricks Apps sets by itself.
ALIASES = {"DATABRICKS_APP_PORT"}


def test_every_setting_is_in_the_example() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", EXAMPLE.read_text(), flags=re.MULTILINE))

    assert named | ALIASES == {name.upper() for name in settings.Settings.model_fields} | ALIASES


def test_every_setting_has_a_sentence_before_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^#?[A-Z][A-Z_]+=", line):
            above = [text for text in lines[max(0, number - 3) : number] if text.startswith("# ")]
            assert above, line
