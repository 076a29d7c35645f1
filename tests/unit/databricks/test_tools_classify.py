"""What reads, what writes, and what is not one statement."""

import pytest

from agent.tools import classify
from agent.tools.registry import Effect

READS = [
    "SELECT 1",
    "select 1;",
    "SELECT 1; -- that is all",
    "-- first\nSELECT region, sum(amount) FROM sales.orders GROUP BY ALL",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "FROM t SELECT a",
    "FROM t |> WHERE x > 1 |> AGGREGATE sum(a) GROUP BY b",
    "VALUES (1), (2)",
    "SELECT ';' AS semicolon",
    "SELECT 'DROP TABLE t' AS words",
    "SELECT replace(a, '\\n', ' '), regexp_extract(b, '\\\\d+') FROM t",
    "SELECT a AS `drop`, `delete` FROM `update`",
    "SELECT * FROM t VERSION AS OF 3",
    "SELECT * FROM read_files('/Volumes/a/b/c', format => 'csv')",
    "SELECT ai_classify(text, ARRAY('good', 'bad')) FROM t",
    "SELECT * FROM IDENTIFIER('a.b')",
    "SHOW TABLES IN main.sales",
    "show create table t",
    "SHOW GRANTS ON TABLE t",
    "DESCRIBE TABLE EXTENDED t",
    "DESC HISTORY t",
    "EXPLAIN SELECT * FROM t",
    "EXPLAIN FORMATTED DELETE FROM t",
    "USE CATALOG main",
    "LIST '/Volumes/a/b/c'",
]
WRITES = [
    "INSERT INTO t VALUES (1)",
    "INSERT OVERWRITE t SELECT 1",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "FROM t INSERT INTO u SELECT *",
    "SELECT * INTO t FROM u",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET *",
    "CREATE OR REPLACE TABLE t AS SELECT 1",
    "CREATE TEMPORARY VIEW v AS SELECT 1",
    "DROP TABLE t",
    "UNDROP TABLE t",
    "ALTER TABLE t ADD COLUMN a INT",
    "TRUNCATE TABLE t",
    "COPY INTO t FROM '/x' FILEFORMAT = CSV",
    "GRANT SELECT ON TABLE t TO `ada`",
    "REVOKE SELECT ON TABLE t FROM `ada`",
    "COMMENT ON TABLE t IS 'x'",
    "SET TAG ON TABLE t owner = ada",
    "OPTIMIZE t ZORDER BY (a)",
    "VACUUM t",
    "RESTORE TABLE t TO VERSION AS OF 1",
    "ANALYZE TABLE t COMPUTE STATISTICS",
    "REFRESH TABLE t",
    "CALL main.procs.clean()",
    "EXECUTE IMMEDIATE 'DROP TABLE t'",
    "BEGIN DELETE FROM t; END",
    "DECLARE VARIABLE x INT",
    "REMOVE '/Volumes/a/b/c'",
    "EXPLAIN ANALYZE DELETE FROM t",
]
CALLS_OUT = [
    "SELECT http_request(conn => 'c', method => 'POST', path => '/')",
    "SELECT `http_request`(conn => 'c', method => 'POST', path => '/')",
    "SELECT ai_query('endpoint', text) FROM t",
    "SELECT * FROM system.ai.python_exec('print(1)')",
    "SELECT a FROM t WHERE b IN (SELECT reflect('java.lang.System', 'exit', 1))",
    "WITH x AS (SELECT java_method('a', 'b')) SELECT * FROM x",
    "SELECT * FROM remote_query('c', query => 'DELETE FROM t')",
]
# sqlglot finds a SELECT in the first three where Spark finds a change: a line comment goes on after a backslash.
DISGUISED = [
    "-- \\\nSELECT 1 /*\nDROP TABLE t --*/",
    "WITH x AS (SELECT r'\\') INSERT INTO t SELECT 1 --') SELECT 2",
    "SELECT 1 -- a\rDROP TABLE t",
    "/* /* */ SELECT 1 /* */ */ DROP TABLE t",
    "SELECT FROM WHERE (((",
    "SELECT " + "(" * 2000 + "1" + ")" * 2000,
    "{# x #} DROP TABLE t",
]


@pytest.mark.parametrize("statement", READS)
def test_reads_are_known(statement: str) -> None:
    assert classify.effect(statement) is Effect.READ


@pytest.mark.parametrize("statement", [*WRITES, *CALLS_OUT, *DISGUISED])
def test_everything_else_counts_as_a_write(statement: str) -> None:
    assert classify.effect(statement) is Effect.WRITE


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SHOW TABLES; DROP TABLE t",
        "EXPLAIN SELECT 1; DELETE FROM t",
        "LIST '/x' ; DROP TABLE t",
    ],
)
def test_several_statements_are_refused(statement: str) -> None:
    with pytest.raises(classify.SeveralStatementsError, match="one by one"):
        classify.effect(statement)


@pytest.mark.parametrize("statement", ["", "  \n", "-- nothing", "/* nothing */ ;"])
def test_nothing_at_all_is_refused(statement: str) -> None:
    with pytest.raises(classify.EmptyStatementError):
        classify.effect(statement)


def test_a_statement_too_long_to_judge_is_refused() -> None:
    with pytest.raises(classify.StatementTooLongError):
        classify.effect("SELECT " + "1, " * classify.LONGEST_STATEMENT)
