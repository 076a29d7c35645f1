"""The sample data: worth asking about, the same each time, and ready quickly."""

import datetime
import time

import pytest

from sandbox.databricks import engine
from tests.unit.sandbox_databricks.conftest import Sql


@pytest.fixture(scope="module")
def sql() -> Sql:
    return Sql()


LAST_MONTH = (
    "order_date >= add_months(date_trunc('MONTH', current_date()), -1)"
    " AND order_date < date_trunc('MONTH', current_date())"
)


@pytest.mark.parametrize("period", [LAST_MONTH, "order_date >= current_date() - INTERVAL 30 DAYS"])
def test_one_region_clearly_sold_most_last_month(sql: Sql, period: str) -> None:
    query = (
        f"SELECT region, sum(amount) FROM main.sales.orders WHERE {period} GROUP BY 1 ORDER BY 2 DESC LIMIT 2"
    )
    (winner, best), (_, second) = sql.rows(query)
    assert winner == "West"
    assert float(best or 0) > 1.3 * float(second or 0)


@pytest.mark.parametrize(
    "day", [datetime.date(2026, 3, 1), datetime.date(2026, 3, 31), datetime.date(2027, 1, 1)]
)
def test_the_winner_does_not_depend_on_the_day(day: datetime.date) -> None:
    sql = Sql(today=day)
    test_one_region_clearly_sold_most_last_month(sql, LAST_MONTH)
    sql.engine.close()


def test_orders_run_up_to_today_over_fourteen_months(sql: Sql) -> None:
    query = (
        "SELECT count(*), max(order_date), datediff(max(order_date), min(order_date)) FROM main.sales.orders"
    )
    assert sql.rows(query) == [("20000", "2026-11-22", "424")]


def test_amounts_regions_and_customers_agree(sql: Sql) -> None:
    query = (
        "SELECT count_if(o.amount <> o.quantity * o.unit_price), count_if(o.region <> c.region), count(*)"
        " FROM main.sales.orders o JOIN main.sales.customers c USING (customer_id)"
        " JOIN main.sales.products p USING (product_id)"
    )
    assert sql.rows(query) == [("0", "0", "20000")]


def test_two_starts_on_one_day_give_the_same_rows(sql: Sql) -> None:
    query = "SELECT sum(amount), sum(order_id * product_id) FROM main.sales.orders"
    assert Sql().rows(query) == sql.rows(query)


def test_every_table_has_rows_and_comments(sql: Sql) -> None:
    for table in sql.engine.catalog().tables_of("main"):
        assert table.comment
        assert all(column.comment for column in table.columns)
        assert sql.rows(f"SELECT count(*) > 4 FROM {table.name}") == [("true",)]


def test_a_start_is_quick() -> None:
    started = time.perf_counter()
    engine.Engine(today=datetime.date(2026, 11, 22)).close()
    # A third of a second on an idle machine; the bound leaves room for a busy one.
    assert time.perf_counter() - started < 1.5
