"""graphql-core's executor with a short way for records that are already written in the vendor's form.

A field without resolver and arguments whose value lies ready in the record needs no resolving, no coercion and no error
path. The short way takes those; everything else goes graphql-core's own. Measured: about twice the orders a second.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLObjectType, is_leaf_type, is_list_type, is_non_null_type, is_object_type
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.pyutils import Path

if TYPE_CHECKING:
    from collections.abc import Mapping


class Shape(Enum):
    """How a ready value is taken over."""

    LEAF = 1
    OBJECT = 2
    OBJECTS = 3


ShortWays = dict[str, tuple[Shape, GraphQLObjectType | None]]


class PreparedExecutor(ExecutorThrowingOnIncremental):
    """Executes queries over prepared records."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,  # noqa: ANN401
        path: Path | None,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Take ready values over and resolve the rest."""
        if type(source_value) is not dict:
            rest = super().execute_fields(
                parent_type, source_value, path, cast(Any, grouped_field_set), position_context
            )
            return cast("dict[str, Any]", rest)
        ways = short_ways(parent_type)
        results: dict[str, Any] = {}
        for name, details in grouped_field_set.items():
            field = details[0].node.name.value
            way = ways.get(field)
            value = source_value.get(field)
            if way is None or value is None:
                results[name] = self.execute_field(
                    parent_type, source_value, details, Path(path, name, parent_type.name), position_context
                )
            elif way[0] is Shape.LEAF:
                results[name] = value
            elif way[0] is Shape.OBJECT:
                results[name] = self._subfields(way[1], details, path, value)
            else:
                results[name] = [self._subfields(way[1], details, path, entry) for entry in value]
        return results

    def _subfields(self, kind: Any, details: Any, path: Path | None, value: dict[str, Any]) -> Any:  # noqa: ANN401
        fields = self.collect_subfields(kind, details)[0]
        return self.execute_fields(kind, value, path, fields, None)


_SHORT_WAYS: dict[GraphQLObjectType, ShortWays] = {}


def short_ways(kind: GraphQLObjectType) -> ShortWays:
    """Find the fields of a type that need no resolving."""
    known = _SHORT_WAYS.get(kind)
    if known is None:
        # A type that holds its own kind goes graphql-core's way there.
        _SHORT_WAYS[kind] = {}
        found = {name: short_way(field) for name, field in kind.fields.items()}
        known = _SHORT_WAYS[kind] = {name: way for name, way in found.items() if way is not None}
    return known


def short_way(field: Any) -> tuple[Shape, GraphQLObjectType | None] | None:  # noqa: ANN401
    """Say how a field's value can be taken over; None when it has to be resolved."""
    if field.resolve is not None or field.args:
        return None
    inner = field.type.of_type if is_non_null_type(field.type) else field.type
    is_list = is_list_type(inner)
    while is_list_type(inner) or is_non_null_type(inner):
        inner = inner.of_type
    if is_leaf_type(inner):
        return Shape.LEAF, None
    if is_object_type(inner) and is_plain(inner):
        return (Shape.OBJECTS if is_list else Shape.OBJECT), inner
    return None


def is_plain(kind: GraphQLObjectType) -> bool:
    """Say whether everything below a type lies ready, so that nothing in it can fail."""
    return len(short_ways(kind)) == len(kind.fields)
