"""Questions about the sample data: how each is recognised, which statement answers it, what is said about the rows.

A question is data; asking it (the call, refusals, empty results, the table) is the same for all and is in
``errands``. The statements are in the workspace's dialect and name tables in full.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.claude import periods
from sandbox.claude.tables import Table, show

TABLES = (
    "main.sales.orders",
    "main.sales.customers",
    "main.sales.products",
    "main.sales.regions",
    "main.support.tickets",
    "main.web.events",
    "main.finance.salaries",
    "main.iot.sensor_readings",
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One kind of question. ``opening`` is said before the statement runs, ``follow_up`` is worth asking next."""

    title: str
    pattern: str
    opening: str
    sql: Callable[[str], str]
    comment: Callable[[Table, str], str]
    follow_up: str
    bold_first: bool = False

    def matches(self, line: str) -> bool:
        """Whether a line of the user's text asks this."""
        return re.search(self.pattern, line, re.IGNORECASE) is not None


def find(line: str) -> Question | None:
    """The first question that the line asks."""
    return next((question for question in QUESTIONS if question.matches(line)), None)


#: an order that was taken back is no revenue
_SOLD = "status NOT IN ('cancelled', 'returned')"


def _asked_period(line: str) -> periods.Period:
    return periods.find(line, default=periods.LAST_MONTH)


def _asked_count(line: str, *, default: int = 5) -> int:
    number = re.search(r"\btop\s+(\d{1,2})\b|\b(\d{1,2})\s+(?:best|top|biggest)\b", line, re.IGNORECASE)
    return max(1, int(number[1] or number[2])) if number else default


def _lead(table: Table, *, by: str) -> str:
    """How far the first row is ahead of the second."""
    values = table.numbers(by)
    if len(values) < 2 or not values[1]:
        return ""
    return f", {100 * (values[0] / values[1] - 1):.0f} % ahead of {table.rows[1][0]}"


def _regions_sql(line: str) -> str:
    return f"""SELECT region, count(*) AS orders, sum(quantity) AS units, round(sum(amount), 2) AS revenue
FROM main.sales.orders
WHERE {_SOLD} AND {_asked_period(line).where("order_date")}
GROUP BY region
ORDER BY revenue DESC"""


def _regions_comment(table: Table, line: str) -> str:
    best, revenue = table.rows[0][0], show(table.column("revenue")[0])
    return f"**{best}** sold most {_asked_period(line).label}: **€{revenue}**{_lead(table, by='revenue')}."


def _months_sql(line: str) -> str:
    return f"""SELECT date_format(order_date, 'yyyy-MM') AS month, count(*) AS orders, round(sum(amount), 2) AS revenue
FROM main.sales.orders
WHERE {_SOLD} AND order_date >= date_trunc('MONTH', current_date()) - INTERVAL 11 MONTH
GROUP BY date_format(order_date, 'yyyy-MM')
ORDER BY month"""


def _months_comment(table: Table, line: str) -> str:
    revenue, months = table.numbers("revenue"), table.column("month")
    best = max(range(len(revenue)), key=revenue.__getitem__)
    text = f"The best month was **{months[best]}** with **€{revenue[best]:,.2f}**."
    if len(revenue) < 3 or not revenue[-3]:
        return text
    # The newest month is not over yet, so the two before it are compared.
    change = 100 * (revenue[-2] / revenue[-3] - 1)
    return f"{text} {months[-2]} was {change:+.1f} % against {months[-3]}; {months[-1]} is not over yet."


def _products_sql(line: str) -> str:
    return f"""SELECT p.name AS product, p.category, sum(o.quantity) AS units, round(sum(o.amount), 2) AS revenue
FROM main.sales.orders o
JOIN main.sales.products p ON p.product_id = o.product_id
WHERE o.{_SOLD} AND {periods.find(line, default=periods.EVER).where("o.order_date")}
GROUP BY p.name, p.category
ORDER BY revenue DESC
LIMIT {_asked_count(line)}"""


def _customers_sql(line: str) -> str:
    return f"""SELECT c.name AS customer, c.segment, c.region, count(*) AS orders, round(sum(o.amount), 2) AS revenue
FROM main.sales.orders o
JOIN main.sales.customers c ON c.customer_id = o.customer_id
WHERE o.{_SOLD} AND {periods.find(line, default=periods.EVER).where("o.order_date")}
GROUP BY c.name, c.segment, c.region
ORDER BY revenue DESC
LIMIT {_asked_count(line)}"""


def _best_comment(table: Table, line: str) -> str:
    label = periods.find(line, default=periods.EVER).label
    revenue = show(table.column("revenue")[0])
    return f"**{table.rows[0][0]}** leads {label} with **€{revenue}**{_lead(table, by='revenue')}."


def _targets_sql(line: str) -> str:
    return f"""SELECT r.region, r.manager, r.monthly_target, coalesce(round(sum(o.amount), 2), 0) AS revenue,
  round(100 * coalesce(sum(o.amount), 0) / r.monthly_target, 1) AS percent_of_target
FROM main.sales.regions r
LEFT JOIN main.sales.orders o ON o.region = r.region AND o.{_SOLD} AND {_asked_period(line).where("o.order_date")}
GROUP BY r.region, r.manager, r.monthly_target
ORDER BY percent_of_target DESC"""


def _targets_comment(table: Table, line: str) -> str:
    reached = [percent >= 100 for percent in table.numbers("percent_of_target")]
    regions = table.column("region")
    label = _asked_period(line).label
    if not any(reached):
        return f"No region reached its monthly target {label}; **{regions[0]}** came closest."
    winners = ", ".join(
        f"**{region}**" for region, is_there in zip(regions, reached, strict=True) if is_there
    )
    return f"{sum(reached)} of {len(regions)} regions reached the monthly target {label}: {winners}."


def _tables_sql(line: str) -> str:
    return """SELECT table_catalog, table_schema, table_name
FROM system.information_schema.tables
WHERE table_catalog = 'main' AND table_schema <> 'information_schema'
ORDER BY table_schema, table_name"""


def _tables_comment(table: Table, line: str) -> str:
    schemas = len(set(table.column("table_schema")))
    return f"The catalog `main` has **{len(table.rows)} tables** that you may see, in {schemas} schemas."


def _described(line: str) -> str:
    """The table that a line names, by its full name or the last part of it."""
    words = re.findall(r"[\w.]+", line.lower())
    for word in words:
        full = next(
            (name for name in TABLES if word in (name, name.split(".", 1)[1], name.split(".")[-1])), None
        )
        if full or word.count(".") == 2:
            return full or word
    return TABLES[0]


def _describe_comment(table: Table, line: str) -> str:
    return f"`{_described(line)}` has **{len(table.rows)} columns**."


def _order_count_sql(line: str) -> str:
    period = periods.find(line, default=periods.TODAY)
    return f"""SELECT count(*) AS orders, coalesce(round(sum(amount), 2), 0) AS revenue
FROM main.sales.orders
WHERE {period.where("order_date")}"""


def _order_count_comment(table: Table, line: str) -> str:
    label = periods.find(line, default=periods.TODAY).label
    orders, revenue = (show(value) for value in table.rows[0][:2])
    return f"**{orders} orders** {label}, worth **€{revenue}**."


def _ticket_kind(line: str) -> str:
    return "category" if re.search(r"\bcategor|\babout\b|\bkind", line, re.IGNORECASE) else "priority"


def _tickets_sql(line: str) -> str:
    kind = _ticket_kind(line)
    return f"""SELECT {kind}, count(*) AS open_tickets, date_format(min(opened_at), 'yyyy-MM-dd') AS oldest_day
FROM main.support.tickets
WHERE closed_at IS NULL
GROUP BY {kind}
ORDER BY open_tickets DESC"""


def _tickets_comment(table: Table, line: str) -> str:
    total, most = sum(table.numbers("open_tickets")), show(table.column("open_tickets")[0])
    return (
        f"**{total:,.0f} tickets** are open; most of them, {most}, have the {_ticket_kind(line)}"
        f" **{table.rows[0][0]}**."
    )


def _signups_sql(line: str) -> str:
    period = periods.find(line, default=periods.find("last 8 weeks", default=periods.EVER))
    week = "date_format(date_trunc('WEEK', event_date), 'yyyy-MM-dd')"
    return f"""SELECT {week} AS week, sum(sessions) AS sessions, sum(signups) AS signups,
  round(100.0 * sum(signups) / sum(sessions), 2) AS conversion_percent
FROM main.web.events
WHERE {period.where("event_date")}
GROUP BY {week}
ORDER BY week"""


def _signups_comment(table: Table, line: str) -> str:
    signups, weeks = table.numbers("signups"), table.column("week")
    best = max(range(len(signups)), key=signups.__getitem__)
    return (
        f"**{sum(signups):,.0f} sign-ups** in {len(weeks)} weeks, most in the week of **{weeks[best]}**"
        f" ({signups[best]:,.0f}). The first and the last week may be incomplete."
    )


def _salary_sql(line: str) -> str:
    return (
        "SELECT round(avg(annual_salary), 2) AS average_salary, count(*) AS people FROM main.finance.salaries"
    )


def _salary_comment(table: Table, line: str) -> str:
    average, people = (show(value) for value in table.rows[0][:2])
    return f"The average salary is **€{average}** a year, over {people} people."


def _sensors_sql(line: str) -> str:
    return """SELECT sensor_id, count(*) AS readings, round(avg(temperature_c), 1) AS average_c,
  max(temperature_c) AS highest_c, round(avg(humidity_pct), 1) AS humidity_pct
FROM main.iot.sensor_readings
WHERE read_at >= current_date() - INTERVAL 7 DAY
GROUP BY sensor_id
ORDER BY highest_c DESC"""


def _sensors_comment(table: Table, line: str) -> str:
    highest, average = (show(table.column(name)[0]) for name in ("highest_c", "average_c"))
    return f"In the last 7 days **{table.rows[0][0]}** was the hottest: up to **{highest} °C**, {average} °C on average."


def _whoami_sql(line: str) -> str:
    return "SELECT current_user() AS user"


def _whoami_comment(table: Table, line: str) -> str:
    return f"In the workspace you are **{table.rows[0][0]}**: that is whose rights I use for you."


QUESTIONS = (
    Question(
        title="Your identity",
        pattern=r"\bwho am i\b|\bmy identity\b|\bcurrent[_ ]user\b|\bwhoami\b",
        opening="Let me ask the workspace who you are.",
        sql=_whoami_sql,
        comment=_whoami_comment,
        follow_up="what tables are there?",
    ),
    Question(
        title="A table's columns",
        pattern=r"\bdescribe\b|\b(columns|schema|structure) of\b|\bwhat is in (the table )?(main\.|\w+\.\w+)",
        opening="Let me look at that table.",
        sql=lambda line: f"DESCRIBE TABLE {_described(line)}",
        comment=_describe_comment,
        follow_up="what tables are there?",
    ),
    Question(
        title="Tables",
        pattern=r"\b(what|which|list|show|any)\b.*\btables\b|\bwhat data\b",
        opening="Let me look at the catalog.",
        sql=_tables_sql,
        comment=_tables_comment,
        follow_up="describe main.sales.orders",
    ),
    Question(
        title="Salaries",
        pattern=r"\bsalar(y|ies)\b",
        opening="Let me see whether you may read the salaries.",
        sql=_salary_sql,
        comment=_salary_comment,
        follow_up="who am I?",
    ),
    Question(
        title="Open tickets by priority",
        pattern=r"\btickets?\b",
        opening="Let me count the open tickets.",
        sql=_tickets_sql,
        comment=_tickets_comment,
        follow_up="describe the table tickets",
        bold_first=True,
    ),
    Question(
        title="Sign-ups by week",
        pattern=r"\bsign[- ]?ups?\b|\bconversion\b|\bsessions\b",
        opening="Let me look at the web events.",
        sql=_signups_sql,
        comment=_signups_comment,
        follow_up="revenue by month",
    ),
    Question(
        title="Regions against their targets",
        pattern=r"\btargets?\b|\bquotas?\b",
        opening="Let me hold the orders against the targets.",
        sql=_targets_sql,
        comment=_targets_comment,
        follow_up="revenue by month",
        bold_first=True,
    ),
    Question(
        title="Top products",
        pattern=r"\b(top|best|biggest|most)\b.*\bproducts?\b|\bproducts?\b.*\b(top|best|most)\b|\bbest[- ]?sell",
        opening="Let me rank the products.",
        sql=_products_sql,
        comment=_best_comment,
        follow_up="top customers",
        bold_first=True,
    ),
    Question(
        title="Top customers",
        pattern=r"\b(top|best|biggest|most)\b.*\bcustomers?\b|\bcustomers?\b.*\b(top|best|most)\b",
        opening="Let me rank the customers.",
        sql=_customers_sql,
        comment=_best_comment,
        follow_up="top products",
        bold_first=True,
    ),
    Question(
        title="Revenue by month",
        pattern=r"\bby month\b|\bper month\b|\bmonthly\b|\btrend\b|\b(revenue|sales|orders)\b.*\bover time\b",
        opening="Let me add up the orders of the last twelve months.",
        sql=_months_sql,
        comment=_months_comment,
        follow_up="which region sold most last month?",
    ),
    Question(
        title="Revenue by region",
        pattern=r"\bregions?\b|\bsold (the )?most\b",
        opening="Let me look at the orders by region.",
        sql=_regions_sql,
        comment=_regions_comment,
        follow_up="compare the regions with their targets",
        bold_first=True,
    ),
    Question(
        title="Orders",
        pattern=r"\bhow many\b.*\b(orders|sales)\b|\b(orders|sales|revenue)\b.*\b(today|yesterday|(this|last) \w+)\b",
        opening="Let me count the orders.",
        sql=_order_count_sql,
        comment=_order_count_comment,
        follow_up="which region sold most this month?",
    ),
    Question(
        title="Sensors",
        pattern=r"\bsensors?\b|\btemperature\b|\bhumidity\b",
        opening="Let me average the sensor readings.",
        sql=_sensors_sql,
        comment=_sensors_comment,
        follow_up="describe main.iot.sensor_readings",
        bold_first=True,
    ),
)
DEFAULT = next(question for question in QUESTIONS if question.title == "Revenue by region")
