"""Three-part names, and where they live in DuckDB.

DuckDB reserves ``main`` and ``system`` as catalog names, so each catalog is attached under a prefix and every name
that reaches DuckDB is written in full. Names are case-insensitive and kept in lower case, as in Unity Catalog.
"""

import re
from dataclasses import dataclass

PREFIX = "uc_"
INFORMATION_SCHEMA = "information_schema"

_PART = re.compile(r"`((?:[^`]|``)+)`|([^`.\s]+)")


@dataclass(frozen=True, kw_only=True, order=True)
class ObjectName:
    """A table or view, fully qualified."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.name}"

    @property
    def physical(self) -> str:
        """The name in DuckDB, quoted."""
        return f"{physical_schema(self.catalog, self.schema)}.{quoted(self.name)}"


def quoted(part: str) -> str:
    """One part as a DuckDB identifier."""
    return '"' + part.replace('"', '""') + '"'


def physical_schema(catalog: str, schema: str) -> str:
    """A schema in DuckDB, quoted."""
    return f"{quoted(PREFIX + catalog)}.{quoted(schema)}"


def split(text: str) -> list[str]:
    """The parts of a name as written in a command: ``a.`b c`.d``."""
    return [(found[1] or found[2]).replace("``", "`").lower() for found in _PART.finditer(text)]


def qualify(parts: list[str], *, catalog: str, schema: str) -> ObjectName:
    """The object that these one to three parts mean in a session; of more parts the first three count."""
    full = [part.lower() for part in ([catalog, schema][: 3 - len(parts)] + parts)]
    return ObjectName(catalog=full[0], schema=full[1], name=full[2])


def backticked(parts: list[str]) -> str:
    """A name as error messages show it."""
    return ".".join(f"`{part}`" for part in parts)
