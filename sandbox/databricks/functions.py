"""Expressions that mean something else in DuckDB: session functions, dates, division, IDENTIFIER, parameters."""

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from sandbox.databricks import plans, sql_errors

Rewrite = Callable[[exp.Expr, plans.Session], exp.Expr]


def rewrite(tree: exp.Expr, *, session: plans.Session) -> exp.Expr:
    """The tree with every such expression replaced, innermost first."""
    for node in reversed(list(tree.bfs())):
        replacement = _rewritten(node, session)
        if replacement is node:
            continue
        if node is tree:
            tree = replacement
        else:
            node.replace(replacement)
    return tree


def take_sleep(tree: exp.Expr) -> float:
    """The seconds asked for by ``sandbox_sleep(n)``, each call of which is replaced by its number.

    It is a test's slow statement: the waiting is done outside DuckDB, where a cancel ends it at once.
    """
    seconds = 0.0
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "sandbox_sleep" and call.expressions:
            argument = call.expressions[0]
            seconds += float(_constant_text(argument))
            call.replace(argument.copy())
    return seconds


def _rewritten(node: exp.Expr, session: plans.Session) -> exp.Expr:
    if isinstance(node, exp.Anonymous):
        named = _BY_NAME.get(node.name.lower())
        return named(node, session) if named else node
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Func):
        return _table_function(node)
    typed = _BY_TYPE.get(type(node))
    return typed(node, session) if typed else node


def _user(_node: exp.Expr, session: plans.Session) -> exp.Expr:
    return exp.Literal.string(session.account.user_name)


def _catalog(_node: exp.Expr, session: plans.Session) -> exp.Expr:
    return exp.Literal.string(session.catalog)


def _schema(_node: exp.Expr, session: plans.Session) -> exp.Expr:
    return exp.Literal.string(session.schema)


def _today(_node: exp.Expr, session: plans.Session) -> exp.Expr:
    return exp.cast(exp.Literal.string(session.now.date().isoformat()), "DATE")


def _now(_node: exp.Expr, session: plans.Session) -> exp.Expr:
    return exp.cast(exp.Literal.string(session.now.isoformat()), "TIMESTAMPTZ")


def _is_member(node: exp.Expr, session: plans.Session) -> exp.Expr:
    group = node.expressions[0].name if node.expressions else ""
    return exp.Boolean(this=group in session.account.groups)


def _divide(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    divisor = node.expression
    if isinstance(divisor, exp.Literal) and float(divisor.name) != 0:
        return node
    node.set("expression", exp.Anonymous(this="memory.main.sandbox_divisor", expressions=[divisor.copy()]))
    return node


def _truncate(node: exp.Expr, session: plans.Session) -> exp.Expr:
    """``trunc(d, 'MM')``: a date again, in units that DuckDB spells out."""
    unit = node.args["unit"]
    spelled = _TRUNC_UNITS.get(unit.name.upper())
    if spelled is not None:
        node.set("unit", exp.Literal.string(spelled))
    return _as_date(node, session)


def _unix_timestamp(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    """Seconds as a BIGINT, of text and of timestamps alike, unless a format is given."""
    if node.args["format"].name != _DEFAULT_FORMAT:
        return node
    moment = exp.cast(node.this.copy(), "TIMESTAMPTZ")
    return exp.cast(exp.Anonymous(this="epoch", expressions=[moment]), "BIGINT")


def _format_number(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    value, decimals = node.expressions
    form = exp.Literal.string("{:,." + decimals.name + "f}")
    return exp.Anonymous(this="format", expressions=[form, exp.cast(value.copy(), "DOUBLE")])


def _as_date(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    """Adding to a date gives a date on Databricks, a timestamp in DuckDB."""
    return exp.cast(node.copy(), "DATE")


def _date_with_interval(node: exp.Expr, session: plans.Session) -> exp.Expr:
    left = node.this
    is_date = isinstance(left, exp.Cast) and left.to.this == exp.DataType.Type.DATE
    return _as_date(node, session) if is_date and isinstance(node.expression, exp.Interval) else node


def _day_of_week(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    """Sunday is 1 on Databricks, 0 in DuckDB."""
    return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))


def _extract(node: exp.Expr, session: plans.Session) -> exp.Expr:
    return _day_of_week(node, session) if node.name.upper() in {"DOW", "DAYOFWEEK"} else node


def _weekday(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    """Monday is 0 on Databricks, 1 in DuckDB."""
    day = exp.Anonymous(this="isodow", expressions=[argument.copy() for argument in node.expressions])
    return exp.paren(exp.Sub(this=day, expression=exp.Literal.number(1)))


def _parameter(node: exp.Expr, session: plans.Session) -> exp.Expr:
    for parameter in session.parameters:
        if parameter.name == node.name:
            if parameter.value is None:
                return exp.Null()
            literal = exp.Literal.string(parameter.value)
            is_text = parameter.type.upper() in {"STRING", ""}
            return literal if is_text else exp.cast(literal, parameter.type, dialect="databricks")
    raise sql_errors.unbound_parameter(node.name or "?")


def _identifier(node: exp.Expr, _session: plans.Session) -> exp.Expr:
    """``IDENTIFIER('a.b')`` as a column; as a table it is dealt with one level up."""
    if isinstance(node.parent, exp.Table):
        return node
    return exp.to_column(_constant_text(node.expressions[0]), dialect="databricks")


def _constant_text(node: exp.Expr) -> str:
    match node:
        case exp.Literal():
            return str(node.name)
        case exp.Cast() | exp.Paren():
            return _constant_text(node.this)
        case exp.DPipe():
            return _constant_text(node.this) + _constant_text(node.expression)
        case exp.Concat():
            return "".join(map(_constant_text, node.expressions))
        case _:
            shown = node.sql(dialect="databricks")
            raise sql_errors.not_constant(shown)


def _table_function(table: exp.Table) -> exp.Expr:
    call = table.this
    name = call.name.lower() if isinstance(call, exp.Anonymous) else call.sql_name().lower()
    if name == "identifier":
        named = exp.to_table(_constant_text(call.expressions[0]), dialect="databricks")
        named.set("alias", table.args.get("alias"))
        return named
    if name not in _TABLE_FUNCTIONS:
        raise sql_errors.unresolved_table_function(name)
    if name == "range":
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("range"))
        if not alias.args.get("columns"):
            alias.set("columns", [exp.to_identifier("id")])
        table.set("alias", alias)
    return table


#: What sqlglot fills in for ``unix_timestamp(x)``.
_DEFAULT_FORMAT = sqlglot.parse_one("unix_timestamp(x)", read="databricks").args["format"].name
_TRUNC_UNITS = {
    "MM": "MONTH",
    "MON": "MONTH",
    "YY": "YEAR",
    "YYYY": "YEAR",
    "Q": "QUARTER",
}
#: Table functions that mean the same in DuckDB; DuckDB's own would lead around names and privileges.
_TABLE_FUNCTIONS = {"range", "explode", "posexplode", "inline"}
_BY_NAME: dict[str, Rewrite] = {
    "user": _user,
    "session_user": _user,
    "current_database": _schema,
    "is_member": _is_member,
    "is_account_group_member": _is_member,
    "curdate": _today,
    "format_number": _format_number,
    "weekday": _weekday,
    "identifier": _identifier,
}
_BY_TYPE: dict[type[exp.Expr], Rewrite] = {
    exp.CurrentUser: _user,
    exp.SessionUser: _user,
    exp.CurrentCatalog: _catalog,
    exp.CurrentSchema: _schema,
    exp.CurrentDatabase: _schema,
    exp.CurrentDate: _today,
    exp.CurrentTimestamp: _now,
    exp.Div: _divide,
    exp.AddMonths: _as_date,
    exp.TsOrDsAdd: _as_date,
    exp.DateAdd: _as_date,
    exp.DateSub: _as_date,
    exp.DateTrunc: _truncate,
    exp.StrToUnix: _unix_timestamp,
    exp.Add: _date_with_interval,
    exp.Sub: _date_with_interval,
    exp.DayOfWeek: _day_of_week,
    exp.Extract: _extract,
    exp.Placeholder: _parameter,
}
