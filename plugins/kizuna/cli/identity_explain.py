"""`kizuna identity explain` and `why-not`: why records are one customer and others are not, values masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

import click
import orjson

from kizuna.cli.identity_override import warehouse_session

if TYPE_CHECKING:
    from collections.abc import Sequence

CHAIN = """
select step, from_record, to_record, kind, masked_value as value, source, first_seen_at as since, rule_version as rule
from identity.explain(%s, %s)
order by step
"""
CUSTOMER = "select part, subject, linked_to, kind, masked_value as value, source, at, note from identity.explain(%s)"
APART = """
select step, finding, record_a, record_b, kind, masked_value as value, note, at
from identity.why_not(%s, %s)
order by step
"""

as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, one object a row, for other programs.")


@click.command()
@click.argument("a")
@click.argument("b", required=False)
@as_json_option
def explain(a: str, b: str | None, as_json: bool) -> None:
    """Why A and B are one customer: the chain of links. With A alone: everything about its customer.

    A and B are record keys (shopify:customer:1) or customer_ids, old ones too.
    """
    if b is None:
        _answer(CUSTOMER, [a], as_json)
    else:
        _answer(CHAIN, [a, b], as_json)


@click.command(name="why-not")
@click.argument("a")
@click.argument("b")
@as_json_option
def why_not(a: str, b: str, as_json: bool) -> None:
    """Why A and B are not one customer: a decision, a refused link, a blocked value, or nothing shared.

    A and B are record keys (shopify:customer:1) or customer_ids, old ones too.
    """
    _answer(APART, [a, b], as_json)


def _answer(query: LiteralString, names: list[str], as_json: bool) -> None:
    import psycopg

    try:
        with warehouse_session(read_only=True) as connection:
            cursor = connection.execute(query, names)
            columns = [column.name for column in cursor.description or []]
            rows = cursor.fetchall()
    except (psycopg.errors.NoDataFound, psycopg.errors.InvalidParameterValue) as error:
        hint = f"\n{error.diag.message_hint}" if error.diag.message_hint else ""
        message = f"{error.diag.message_primary}{hint}"
        raise click.ClickException(message) from None
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(dict(zip(columns, row, strict=True))))
    else:
        _echo_table(columns, rows)


def _echo_table(names: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Print columns as wide as what is in them; a column that is empty in every row is left out."""
    filled = [place for place in range(len(names)) if any(row[place] is not None for row in rows)]
    cells = [[names[place] for place in filled], *[[_cell(row[place]) for place in filled] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(filled))]
    for row in cells:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:%Y-%m-%d}" if hasattr(value, "isoformat") else str(value)
