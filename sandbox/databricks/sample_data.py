"""A building-materials company in eight tables: the catalog ``main``, made anew at each start.

The rows come from arithmetic on row numbers, so every start on the same day gives the same data, and dates run up to
that day. Stories worth finding: West has overtaken North in the last months, one kiln runs hot, and tickets about
delivery grow. ``main.finance.salaries`` is for Ada and Cleo alone.
"""

import datetime
from dataclasses import dataclass

import duckdb

from sandbox.databricks import catalog, names, sample_queries

CATALOG = "main"
DEFAULT_SCHEMA = "default"
DAYS = 425

_SCHEMAS = {
    DEFAULT_SCHEMA: "Where unqualified names lead",
    "sales": "Orders, customers, products and regional targets",
    "support": "Customer support",
    "web": "Traffic of the web shop",
    "finance": "Confidential: people and pay",
    "iot": "Sensors of the kilns and warehouses",
}

#: Evenly spread numbers in [0, 1) by row and salt: integer mixing in the manner of murmur3, within 63 bits.
_MACROS = """
CREATE OR REPLACE TEMP MACRO mixed(h) AS (xor(h, h >> 15) * 1274126177) % 4294967296;
CREATE OR REPLACE TEMP MACRO roll(i, salt) AS
  mixed(mixed((i * 668265263::BIGINT + salt * 374761393::BIGINT) % 4294967296)) / 4294967296.0;
CREATE OR REPLACE TEMP MACRO pick(options, i, salt) AS
  options[1 + CAST(floor(roll(i, salt) * len(options)) AS INT)];
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A sample table: its columns as (name, DuckDB type, comment) and the query that fills it."""

    schema: str
    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]
    query: str


def create(
    connection: duckdb.DuckDBPyConnection, metadata: catalog.Metadata, *, today: datetime.date
) -> None:
    """Fill an empty DuckDB with the catalogs ``main`` and ``dev`` (empty, for trying things)."""
    connection.execute(_MACROS)
    _create_catalogs(connection, metadata)
    for table in TABLES:
        _create_table(connection, metadata, table, today=today)
    salaries = names.ObjectName(catalog=CATALOG, schema="finance", name="salaries")
    metadata.readers[salaries] = frozenset({"ada@brickfield.example", "cleo@brickfield.example"})


def _create_catalogs(connection: duckdb.DuckDBPyConnection, metadata: catalog.Metadata) -> None:
    for name, comment in ((CATALOG, "Everything that Brickfield knows"), ("dev", "A place to try things")):
        connection.execute(f"ATTACH ':memory:' AS {names.quoted(names.PREFIX + name)}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {names.physical_schema(name, DEFAULT_SCHEMA)}")
        metadata.comments[(name,)] = comment
    for schema, comment in _SCHEMAS.items():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {names.physical_schema(CATALOG, schema)}")
        metadata.comments[(CATALOG, schema)] = comment


def _create_table(
    connection: duckdb.DuckDBPyConnection,
    metadata: catalog.Metadata,
    table: Table,
    *,
    today: datetime.date,
) -> None:
    name = names.ObjectName(catalog=CATALOG, schema=table.schema, name=table.name)
    columns = ", ".join(f"{column} {type_}" for column, type_, _ in table.columns)
    connection.execute(f"CREATE TABLE {name.physical} ({columns})")
    query = table.query.format(today=f"DATE '{today.isoformat()}'", days=DAYS)
    connection.execute(f"INSERT INTO {name.physical} {query}")
    path = catalog.path_of(name)
    metadata.comments[path] = table.comment
    for column, _, comment in table.columns:
        metadata.comments[(*path, column)] = comment


TABLES = (
    Table(
        schema="sales",
        name="regions",
        comment="Sales regions with their monthly revenue targets",
        columns=(
            ("region", "VARCHAR NOT NULL", "Name of the region"),
            ("manager", "VARCHAR", "Who answers for it"),
            ("monthly_target", "DECIMAL(12,2)", "Revenue wanted per month, in euros"),
            ("opened_on", "DATE", "First day of business"),
        ),
        query=sample_queries.REGIONS,
    ),
    Table(
        schema="sales",
        name="products",
        comment="What is sold, with list prices",
        columns=(
            ("product_id", "INTEGER NOT NULL", "Key"),
            ("name", "VARCHAR", "Name in the catalogue"),
            ("category", "VARCHAR", "Bricks, Roofing, Paving, Mortar or Tools"),
            ("list_price", "DECIMAL(10,2)", "Price per unit in euros before discount"),
            ("unit_cost", "DECIMAL(10,2)", "What a unit costs us, in euros"),
        ),
        query=sample_queries.PRODUCTS,
    ),
    Table(
        schema="sales",
        name="customers",
        comment="Customers; each belongs to one region",
        columns=(
            ("customer_id", "INTEGER NOT NULL", "Key"),
            ("name", "VARCHAR", "Company name"),
            ("region", "VARCHAR", "Region that serves the customer"),
            ("segment", "VARCHAR", "Builder, Retailer, Public or Private"),
            ("since", "DATE", "Customer since"),
        ),
        query=sample_queries.CUSTOMERS,
    ),
    Table(
        schema="sales",
        name="orders",
        comment="One row per order line, from about 14 months ago to today",
        columns=(
            ("order_id", "BIGINT NOT NULL", "Key, rising with the date"),
            ("order_date", "DATE", "Day of the order"),
            ("region", "VARCHAR", "Sales region; see main.sales.regions"),
            ("customer_id", "INTEGER", "See main.sales.customers"),
            ("product_id", "INTEGER", "See main.sales.products"),
            ("quantity", "INTEGER", "Units ordered"),
            ("unit_price", "DECIMAL(10,2)", "Euros per unit after discount"),
            ("amount", "DECIMAL(12,2)", "quantity times unit_price, in euros"),
            ("channel", "VARCHAR", "online, store or partner"),
            ("status", "VARCHAR", "completed, pending, returned or cancelled"),
        ),
        query=sample_queries.ORDERS,
    ),
    Table(
        schema="support",
        name="tickets",
        comment="Support tickets; open ones have no closed_at",
        columns=(
            ("ticket_id", "INTEGER NOT NULL", "Key"),
            ("opened_at", "TIMESTAMPTZ", "When the customer wrote"),
            ("closed_at", "TIMESTAMPTZ", "When it was solved; null while open"),
            ("customer_id", "INTEGER", "See main.sales.customers"),
            ("product_id", "INTEGER", "See main.sales.products"),
            ("category", "VARCHAR", "delivery, quality, billing or advice"),
            ("priority", "VARCHAR", "low, normal, high or urgent"),
            ("first_response_minutes", "INTEGER", "Minutes until somebody answered"),
            ("satisfaction", "INTEGER", "1 to 5 as the customer rated it; null without a rating"),
        ),
        query=sample_queries.TICKETS,
    ),
    Table(
        schema="web",
        name="events",
        comment="Web shop traffic by day and source",
        columns=(
            ("event_date", "DATE", "Day"),
            ("source", "VARCHAR", "search, ads, social, email or direct"),
            ("sessions", "INTEGER", "Visits"),
            ("signups", "INTEGER", "New accounts"),
            ("purchases", "INTEGER", "Visits that ended in an order"),
        ),
        query=sample_queries.EVENTS,
    ),
    Table(
        schema="finance",
        name="salaries",
        comment="Confidential: yearly salaries in euros",
        columns=(
            ("employee_id", "INTEGER NOT NULL", "Key"),
            ("department", "VARCHAR", "Sales, Engineering, Support, Finance or Operations"),
            ("title", "VARCHAR", "Job title"),
            ("annual_salary", "DECIMAL(12,2)", "Euros per year"),
            ("started_on", "DATE", "First day of work"),
        ),
        query=sample_queries.SALARIES,
    ),
    Table(
        schema="iot",
        name="sensor_readings",
        comment="Hourly readings of the last 30 days",
        columns=(
            ("sensor_id", "VARCHAR", "kiln-1 to kiln-6 and store-1 to store-4"),
            ("site", "VARCHAR", "Where the sensor is"),
            ("read_at", "TIMESTAMPTZ", "Time of the reading"),
            ("temperature_c", "DOUBLE", "Degrees Celsius"),
            ("humidity_pct", "DOUBLE", "Relative humidity in percent"),
            ("vibration_mm_s", "DOUBLE", "Vibration in millimetres per second"),
        ),
        query=sample_queries.SENSOR_READINGS,
    ),
)
