"""Databricks SQL on DuckDB: what is understood, what it answers, and how it fails. One engine for all: tests clean up."""

from collections.abc import Iterator

import pytest

from sandbox.databricks import engine, values
from tests.unit.sandbox_databricks.conftest import Sql


@pytest.fixture(scope="module")
def module_sql() -> Iterator[Sql]:
    sql = Sql()
    yield sql
    sql.engine.close()


@pytest.fixture
def sql(module_sql: Sql) -> Iterator[Sql]:
    """An engine with a schema ``dev.lab`` that is there for this test alone."""
    module_sql.run("CREATE SCHEMA dev.lab")
    yield module_sql
    module_sql.run("DROP SCHEMA IF EXISTS dev.lab CASCADE")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT current_user(), current_catalog(), current_schema()",
            ("ada@brickfield.example", "main", "default"),
        ),
        ("SELECT current_date(), date_add(current_date(), 1)", ("2026-11-22", "2026-11-23")),
        ("SELECT current_date() - INTERVAL 1 MONTH", ("2026-10-22",)),
        ("SELECT date_trunc('MONTH', current_date())", ("2026-11-01T00:00:00.000Z",)),
        ("SELECT add_months(DATE'2026-01-31', 1)", ("2026-02-28",)),
        ("SELECT dayofweek(DATE'2024-01-01'), weekday(DATE'2024-01-01')", ("2", "0")),
        ("SELECT date_format(DATE'2026-03-01', 'MMM yyyy')", ("Mar 2026",)),
        ("SELECT 7 / 2, 7 DIV 2, try_divide(1, 0)", ("3.5", "3", None)),
        (
            "SELECT trunc(DATE'2026-11-22', 'MM'), trunc(DATE'2026-11-22', 'YEAR')",
            ("2026-11-01", "2026-01-01"),
        ),
        (
            "SELECT unix_timestamp(TIMESTAMP'1970-01-01 00:01:00'), format_number(1234.5, 2)",
            ("60", "1,234.50"),
        ),
        ("SELECT TIMESTAMP'2026-01-02 03:00:00' - TIMESTAMP'2026-01-01 00:00:00'", ("1 03:00:00.000000000",)),
        ("SELECT is_member('admins'), is_member('nobody')", ("true", "false")),
        ("SELECT 'it\\'s', concat_ws('-', 'a', 'b')", ("it's", "a-b")),
        ("SELECT region FROM IDENTIFIER('main.sales.' || 'regions') WHERE region = 'West'", ("West",)),
        ("SELECT sum(id) FROM range(4)", ("6",)),
        ("WITH regions AS (SELECT 1 AS x) SELECT x FROM regions", ("1",)),
        ("WITH r AS (SELECT 1 AS x) SELECT (SELECT max(x) FROM r)", ("1",)),
        ("SELECT main.sales.regions.region FROM main.sales.regions ORDER BY 1 LIMIT 1", ("Central",)),
        ("SELECT `sum(x)` FROM (SELECT sum(x) FROM (VALUES (1), (2)) AS v(x))", ("3",)),
    ],
)
def test_an_expression_means_what_it_means_on_databricks(
    module_sql: Sql, text: str, expected: values.Row
) -> None:
    assert module_sql.rows(text) == [expected]


@pytest.mark.parametrize(
    ("projection", "name"),
    [
        ("count(*)", "count(1)"),
        ("SUM(amount)", "sum(amount)"),
        ("1", "1"),
        ("current_date()", "current_date()"),
    ],
)
def test_columns_without_a_name_get_databricks_names(module_sql: Sql, projection: str, name: str) -> None:
    assert module_sql.run(f"SELECT {projection} FROM main.sales.orders LIMIT 1").columns[0].name == name


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("SELECT 1/0", "DIVIDE_BY_ZERO"),
        ("SELECT 1 % 0", "DIVIDE_BY_ZERO"),
        ("SELECT amount / (quantity - quantity) FROM main.sales.orders", "DIVIDE_BY_ZERO"),
        ("SELECT amout FROM main.sales.orders", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELECT o.amout FROM main.sales.orders o", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELECT * FROM orders", "TABLE_OR_VIEW_NOT_FOUND"),
        ("DROP TABLE main.sales.nothing", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELEC 1", "PARSE_SYNTAX_ERROR"),
        ("SELECT FROM WHERE", "PARSE_SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "PARSE_SYNTAX_ERROR"),
        ("-- nothing", "PARSE_SYNTAX_ERROR"),
        ("SELECT nonsense(1)", "UNRESOLVED_ROUTINE"),
        ("SELECT CAST('a' AS INT)", "CAST_INVALID_INPUT"),
        ("SELECT region, amount FROM main.sales.orders GROUP BY region", "MISSING_AGGREGATION"),
        ("SELECT :missing", "UNBOUND_SQL_PARAMETER"),
        ("USE SCHEMA nothing", "SCHEMA_NOT_FOUND"),
        ("USE CATALOG nothing", "NO_SUCH_CATALOG_EXCEPTION"),
        ("CREATE TABLE main.nothing.t (x INT)", "SCHEMA_NOT_FOUND"),
        ("CREATE TABLE main.sales.orders (x INT)", "TABLE_OR_VIEW_ALREADY_EXISTS"),
        ("DROP SCHEMA main.sales", "SCHEMA_NOT_EMPTY"),
        ("SELECT * FROM read_csv('/etc/hosts')", "UNRESOLVABLE_TABLE_VALUED_FUNCTION"),
        ("SELECT * FROM query_table('uc_main.finance.salaries')", "UNRESOLVABLE_TABLE_VALUED_FUNCTION"),
        ("SELECT content FROM read_text('/etc/hosts')", "UNRESOLVABLE_TABLE_VALUED_FUNCTION"),
        ("SELECT * FROM main.sales.orders VERSION AS OF 1", "SANDBOX_UNSUPPORTED"),
        ("COPY INTO main.sales.orders FROM '/x'", "SANDBOX_UNSUPPORTED"),
    ],
)
def test_a_mistake_has_its_error_condition(module_sql: Sql, text: str, condition: str) -> None:
    failed = module_sql.fails(text)
    assert failed.condition == condition
    assert str(failed).startswith(f"[{condition}] ")
    assert f"SQLSTATE: {failed.sql_state}" in str(failed)


def test_an_unresolved_column_says_what_was_meant_and_where(module_sql: Sql) -> None:
    message = str(module_sql.fails("SELECT\n  amout FROM main.sales.orders"))
    assert "Did you mean one of the following? [`amount`" in message
    assert message.endswith("; line 2 pos 2")


def test_salaries_are_for_ada_and_cleo(module_sql: Sql) -> None:
    assert module_sql.rows("SELECT count(*) FROM main.finance.salaries", user="cleo") == [("60",)]
    failed = module_sql.fails("SELECT * FROM main.finance.salaries", user="ben")
    assert failed.condition == "INSUFFICIENT_PERMISSIONS"
    assert "User does not have SELECT on Table 'main.finance.salaries'" in str(failed)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM main.sales.regions r JOIN main.finance.salaries s ON true",
        "CREATE TABLE dev.default.copy AS SELECT * FROM main.finance.salaries",
        "SELECT (SELECT max(annual_salary) FROM finance.salaries)",
        "DROP TABLE main.finance.salaries",
        "GRANT SELECT ON TABLE main.finance.salaries TO `ben@brickfield.example`",
    ],
)
def test_no_way_leads_around_a_restriction(module_sql: Sql, text: str) -> None:
    assert module_sql.fails(text, user="ben").condition == "INSUFFICIENT_PERMISSIONS"


def test_a_grant_opens_a_restricted_table_until_it_is_revoked(module_sql: Sql) -> None:
    module_sql.run("GRANT SELECT ON TABLE main.finance.salaries TO `gus@contractor.example`")
    assert module_sql.rows("SELECT count(*) FROM main.finance.salaries", user="gus") == [("60",)]
    module_sql.run("REVOKE SELECT ON TABLE main.finance.salaries FROM `gus@contractor.example`")
    assert module_sql.fails("SELECT 1 FROM main.finance.salaries", user="gus")


def test_changes_change_the_data_and_are_counted(sql: Sql) -> None:
    assert sql.rows("CREATE TABLE dev.lab.t AS SELECT 1 AS id, 'a' AS n") == [("1", "1")]
    assert sql.rows("INSERT INTO dev.lab.t VALUES (2, 'b'), (3, 'c')") == [("2", "2")]
    assert sql.rows("UPDATE dev.lab.t SET n = 'z' WHERE id = 1") == [("1",)]
    merge = (
        "MERGE INTO dev.lab.t t USING (VALUES (2, 'm'), (9, 'n')) AS s(id, n) ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    assert sql.rows(merge) == [("2", "1", "0", "1")]
    assert sql.rows("DELETE FROM dev.lab.t WHERE id = 3") == [("1",)]
    assert sql.rows("SELECT * FROM dev.lab.t ORDER BY id") == [("1", "z"), ("2", "m"), ("9", "n")]
    assert sql.rows("INSERT OVERWRITE dev.lab.t SELECT 5, 'x'") == [("1", "1")]
    assert sql.rows("INSERT OVERWRITE dev.lab.t SELECT id + 1, n FROM dev.lab.t") == [("1", "1")]
    assert sql.rows("SELECT * FROM dev.lab.t") == [("6", "x")]


def test_a_table_is_described_with_its_comments(sql: Sql) -> None:
    sql.run(
        "CREATE TABLE dev.lab.t (id BIGINT NOT NULL COMMENT 'the key', n STRING) USING DELTA COMMENT 'things'"
    )
    assert sql.rows("DESCRIBE TABLE dev.lab.t") == [("id", "bigint", "the key"), ("n", "string", None)]
    sql.run("COMMENT ON COLUMN dev.lab.t.n IS 'a name'")
    assert ("n", "string", "a name") in sql.rows("DESCRIBE TABLE EXTENDED dev.lab.t")
    assert "COMMENT 'things'" in str(sql.rows("SHOW CREATE TABLE dev.lab.t")[0][0])


def test_altering_and_renaming_are_seen_at_once(sql: Sql) -> None:
    sql.run("CREATE TABLE dev.lab.t (id INT)")
    sql.run("ALTER TABLE dev.lab.t ADD COLUMN n STRING COMMENT 'new'")
    sql.run("ALTER TABLE dev.lab.t SET TBLPROPERTIES ('a' = 'b')")
    sql.run("ALTER TABLE dev.lab.t RENAME TO dev.lab.u")
    assert sql.rows("SHOW TABLES IN dev.lab") == [("lab", "u", "false")]
    assert sql.rows("SHOW COLUMNS IN dev.lab.u") == [("id",), ("n",)]


def test_a_view_is_a_view(sql: Sql) -> None:
    sql.run("CREATE VIEW dev.lab.v AS SELECT region, monthly_target / 2 AS half FROM main.sales.regions")
    assert sql.rows("SELECT half FROM dev.lab.v WHERE region = 'West'") == [("16000.0",)]
    assert sql.rows("SHOW VIEWS IN dev.lab") == [("lab", "v", "false", "false")]


def test_a_failed_overwrite_leaves_the_data(sql: Sql) -> None:
    sql.run("CREATE TABLE dev.lab.t AS SELECT 1 AS id")
    assert sql.fails("INSERT OVERWRITE dev.lab.t SELECT CAST('a' AS INT)")
    assert sql.rows("SELECT id FROM dev.lab.t") == [("1",)]


def test_unqualified_names_follow_the_session(module_sql: Sql) -> None:
    assert module_sql.rows("SELECT count(*) FROM regions", schema="sales") == [("5",)]
    assert module_sql.rows("SELECT count(*) FROM sales.regions") == [("5",)]


def test_the_catalog_can_be_walked(module_sql: Sql) -> None:
    assert ("main",) in module_sql.rows("SHOW CATALOGS")
    assert ("sales",) in module_sql.rows("SHOW SCHEMAS IN main")
    assert module_sql.rows("SHOW TABLES IN main.sales LIKE 'o*'") == [("sales", "orders", "false")]
    assert ("order_date", "date", "Day of the order") in module_sql.rows("DESCRIBE main.sales.orders")


def test_the_information_schema_agrees_with_show(module_sql: Sql) -> None:
    tables = module_sql.rows(
        "SELECT table_name FROM main.information_schema.tables WHERE table_schema = 'sales' ORDER BY 1"
    )
    assert tables == [(row[1],) for row in module_sql.rows("SHOW TABLES IN main.sales")]
    columns = (
        "SELECT c.full_data_type, c.comment FROM system.information_schema.columns c"
        " WHERE c.table_name = 'orders' AND c.column_name = 'amount'"
    )
    assert module_sql.rows(columns) == [("decimal(12,2)", "quantity times unit_price, in euros")]


@pytest.mark.parametrize("text", ["OPTIMIZE main.sales.orders", "USE CATALOG main", "SET ansi_mode = true"])
def test_housekeeping_is_accepted_and_answers_nothing(module_sql: Sql, text: str) -> None:
    assert module_sql.run(text) == engine.ResultSet()
