"""The price of a query by the vendor's published table, and the leaky bucket it is paid from.

Scalars and enums are free, an object costs 1, a connection costs what its nodes cost times the rows asked for; the
wrappers of a connection (edges, nodes, pageInfo) are part of it. Source: shopify.dev, GraphQL Admin API rate limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST_QUERY = 1000


@dataclass(slots=True)
class Price:
    """What one object of the answer costs: a fixed part, and parts that repeat with the rows of a connection."""

    fixed: int = 0
    objects: list[tuple[str, Price]] = field(default_factory=list)
    connections: list[tuple[str, int, Price]] = field(default_factory=list)

    def requested(self) -> int:
        """Add up the price when every page is full."""
        inner = sum(price.requested() for _, price in self.objects)
        return self.fixed + inner + sum(size * price.requested() for _, size, price in self.connections)

    def actual(self, data: Mapping[str, Any]) -> int:
        """Add up the price of the rows that really came."""
        total = self.fixed
        for key, price in self.objects:
            found = data.get(key)
            entries = found if isinstance(found, list) else [found]
            total += sum(price.actual(entry) for entry in entries if entry is not None)
        for key, _, price in self.connections:
            for row in rows_of(data.get(key)):
                total += price.actual(row) if price.objects or price.connections else price.fixed
        return total


def rows_of(connection: Mapping[str, Any] | list[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """Give the rows of an answered connection, whichever way they were asked for."""
    if not connection:
        return []
    if isinstance(connection, list):
        return connection
    if "nodes" in connection:
        return list(connection["nodes"])
    return [edge.get("node", {}) for edge in connection.get("edges", [])]


class Pricing:
    """Prices one operation of a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        """Remember the document's fragments."""
        self._schema = schema
        self._variables = variables
        self._operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        definitions = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        self._fragments = {definition.name.value: definition for definition in definitions}

    def price(self, operation_name: str | None) -> Price:
        """Price the named operation, or the only one."""
        for operation in self._operations:
            if operation_name is None or (operation.name is not None and operation.name.value == operation_name):
                price = Price()
                is_mutation = operation.operation is OperationType.MUTATION
                root = self._schema.mutation_type if is_mutation else self._schema.query_type
                self._add(price, operation.selection_set, root)
                return price
        return Price()

    def _add(self, price: Price, selections: SelectionSetNode, parent: Any) -> None:  # noqa: ANN401
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self._add_field(price, selection, parent)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                self._add(price, fragment.selection_set, self._schema.type_map[fragment.type_condition.name.value])
            else:
                condition = getattr(selection, "type_condition", None)
                inner = self._schema.type_map[condition.name.value] if condition else parent
                self._add(price, getattr(selection, "selection_set"), inner)  # noqa: B009

    def _add_field(self, price: Price, node: FieldNode, parent: Any) -> None:  # noqa: ANN401
        name = node.name.value
        if name.startswith("__") or node.selection_set is None:
            return
        key = node.alias.value if node.alias else name
        kind = get_named_type(parent.fields[name].type)
        if not is_composite_type(kind):
            return
        if kind.name.endswith("Connection"):
            rows = Price()
            self._add_rows(rows, node.selection_set, kind)
            price.connections.append((key, self._size(node), rows))
            return
        inner = Price(fixed=1)
        self._add(inner, node.selection_set, kind)
        if {"first", "ids"} & set(parent.fields[name].args) and self._size(node) > 1:
            price.connections.append((key, self._size(node), inner))
        elif inner.connections or inner.objects:
            price.objects.append((key, inner))
        else:
            price.fixed += inner.fixed

    def _add_rows(self, price: Price, selections: SelectionSetNode, connection: Any) -> None:  # noqa: ANN401
        for selection in selections.selections:
            if not isinstance(selection, FieldNode) or selection.selection_set is None:
                continue
            kind: Any = get_named_type(connection.fields[selection.name.value].type)
            if selection.name.value == "nodes":
                price.fixed += 1
                self._add(price, selection.selection_set, kind)
            elif selection.name.value == "edges":
                self._add(price, selection.selection_set, kind)

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last", "ids"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    return size_of(self._variables.get(argument.value.name.value)) or 1
        return 1


def size_of(value: object) -> int | None:
    """Say how many rows a variable asks for: a number, or a list of ids; None when it asks for none."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None


class Bucket:
    """The leaky bucket: points come back at a steady rate up to a maximum; a query takes its price or is refused."""

    def __init__(self, maximum: float, restore_rate: float, monotonic: Callable[[], float]) -> None:
        """Start full."""
        self.maximum = maximum
        self.restore_rate = restore_rate
        self._monotonic = monotonic
        self._points = maximum
        self._at = monotonic()

    def _leak(self) -> None:
        now = self._monotonic()
        self._points = min(self.maximum, self._points + (now - self._at) * self.restore_rate)
        self._at = now

    def take(self, points: float) -> bool:
        """Reserve points; False when there are not enough."""
        self._leak()
        if points > self._points:
            return False
        self._points -= points
        return True

    def give_back(self, points: float) -> None:
        """Refund what a query did not use."""
        self._points = min(self.maximum, self._points + points)

    def status(self) -> dict[str, float]:
        """Say where the bucket stands, in the vendor's words."""
        self._leak()
        return {
            "maximumAvailable": float(self.maximum),
            "currentlyAvailable": float(int(self._points)),
            "restoreRate": float(self.restore_rate),
        }
