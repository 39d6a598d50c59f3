"""What the derived Zendesk schemas leave out or leave open, added from the vendor's reference pages."""

from __future__ import annotations

import copy
from typing import Any

Schema = dict[str, Any]

# Which of the derived schemas answers which path.
ANSWERS = {
    "/api/v2/incremental/tickets/cursor": "CursorBasedExportIncrementalTicketsResponse",
    "/api/v2/incremental/users/cursor": "CursorBasedExportIncrementalUsersResponse",
    "/api/v2/incremental/ticket_metric_events": "TicketMetricEventsResponse",
    "/api/v2/satisfaction_ratings": "SatisfactionRatingsResponse",
    "/api/v2/deleted_tickets": "ListDeletedTicketsResponse",
    "/api/v2/users/me": "UserResponse",
    "/api/v2/users/{user_id}": "UserResponse",
}

# Parameters: the cuts refer to definitions that they do not have. Export and `per_page`, sideloads by `include`:
# https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
# cursor pagination: https://developer.zendesk.com/api-reference/introduction/pagination/
EXPORT = frozenset({"start_time", "cursor", "per_page", "include"})
PAGES = frozenset({"page[size]", "page[after]", "page[before]"})
PARAMETERS: dict[str, frozenset[str]] = {
    "/api/v2/incremental/tickets/cursor": EXPORT,
    "/api/v2/incremental/users/cursor": EXPORT,
    "/api/v2/incremental/ticket_metric_events": PAGES | {"start_time", "include_changes"},
    "/api/v2/satisfaction_ratings": PAGES | {"score", "start_time", "end_time"},
    "/api/v2/deleted_tickets": PAGES | {"sort_by", "sort_order"},
    "/api/v2/users/me": frozenset(),
    "/api/v2/users/{user_id}": frozenset(),
}

# Cursor pagination: `meta` and `links` beside the list. https://developer.zendesk.com/api-reference/introduction/pagination/
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
PAGED: Schema = {
    "meta": {
        "type": "object",
        "required": ["has_more", "after_cursor", "before_cursor"],
        "properties": {"has_more": {"type": "boolean"}, "after_cursor": TEXT_OR_NULL, "before_cursor": TEXT_OR_NULL},
    },
    "links": {
        "type": "object",
        "required": ["next", "prev"],
        "properties": {"next": TEXT_OR_NULL, "prev": TEXT_OR_NULL},
    },
}
PAGED_ANSWERS = ("TicketMetricEventsResponse", "SatisfactionRatingsResponse", "ListDeletedTicketsResponse")

# Fields that every record has; the derived schemas leave nearly all optional. The JSON formats of
# https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ and …/users/users/
ALWAYS = {
    "TicketObject": ["id", "url", "created_at", "updated_at", "generated_timestamp", "status", "subject"],
    "UserObjectUsers": ["id", "url", "email", "role", "active", "created_at", "updated_at"],
    "SatisfactionRatingObject": ["id", "created_at", "updated_at"],
    "TicketMetricEventBaseObject": ["id", "ticket_id", "metric", "instance_id", "type", "time"],
    "DeletedTicket": ["id", "subject", "actor", "deleted_at", "previous_state"],
}
EXPORTED = ["after_cursor", "after_url", "before_cursor", "before_url", "end_of_stream"]

# Two shapes: a code with a description, or a title with a message.
# https://developer.zendesk.com/api-reference/introduction/requests/#response-format
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "required": ["title", "message"],
                    "properties": {"title": {"type": "string"}, "message": {"type": "string"}},
                },
            ]
        },
        "description": {"type": "string"},
        "error_description": {"type": "string"},
    },
    "additionalProperties": False,
}

# https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
TOKEN: Schema = {
    "type": "object",
    "required": ["access_token", "token_type", "scope", "expires_in"],
    "properties": {
        "access_token": {"type": "string", "minLength": 32},
        "token_type": {"const": "bearer"},
        "scope": {"type": "string"},
        "expires_in": {"type": "integer", "minimum": 300, "maximum": 172_800},
    },
}


def overlaid(schemas: Schema) -> Schema:
    """Add what the reference pages say, and refuse fields that no page knows."""
    fuller = copy.deepcopy(schemas)
    exported = fuller["CursorBasedExportIncrementalTicketsResponse"]
    users = fuller["CursorBasedExportIncrementalUsersResponse"]
    for name in PAGED_ANSWERS:
        fuller[name]["properties"].update(PAGED)
        fuller[name]["required"] = ["meta", "links"]
    for answer, name in ((exported, "tickets"), (users, "users")):
        answer["required"] = [name, *EXPORTED]
    # The export can show the agents, whose fields the end user's schema does not have, and ticket metrics as a sideload
    # (https://developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/side_loading/).
    ticket = exported["$defs"]["TicketObject"]
    ticket["properties"]["metric_set"] = {"$ref": "#/$defs/TicketMetricObject"}
    metrics = fuller["TicketMetricObject"]
    exported["$defs"].update({**metrics.pop("$defs"), "TicketMetricObject": metrics})
    users["$defs"]["UserObject"] = {"$ref": "#/$defs/UserObjectUsers"}
    with_deleted(ticket)
    fuller["UserResponse"] = {
        "type": "object",
        "required": ["user"],
        "properties": {"user": {"$ref": "#/$defs/UserObjectUsers"}},
        "$defs": users["$defs"],
    }
    for schema in fuller.values():
        for name, part in {**schema.get("$defs", {}), "": schema}.items():
            close(name, part)
    return fuller


def with_deleted(ticket: Schema) -> None:
    """Let a ticket be deleted: only the export shows such a one.

    https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api/
    """
    for choice in ticket["properties"]["status"]["anyOf"]:
        if "enum" in choice:
            choice["enum"] = [*choice["enum"], "deleted"]


def close(name: str, schema: Schema) -> None:
    """Demand the fields that are always there, and refuse unknown ones."""
    if "properties" in schema:
        schema["additionalProperties"] = False
        schema["required"] = sorted({*schema.get("required", []), *ALWAYS.get(name, [])})
