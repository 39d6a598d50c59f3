"""What the published LINE specification leaves out, added from the vendor's reference pages, each with its source.

The files themselves are never changed: an overlay is a function from a loaded specification to a fuller one.
"""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

# "Status codes" and "Error responses" of the reference: every endpoint may answer these, all in one shape;
# 401 for a bad token, 429 above the rate limit. https://developers.line.biz/en/reference/messaging-api/#status-codes
EVERYWHERE = ("400", "401", "429")

# "Get profile": 404 for users who are no friends, block the account, or are gone.
# https://developers.line.biz/en/reference/messaging-api/#get-profile
# A link token is issued for friends alone. https://developers.line.biz/en/reference/messaging-api/#issue-link-token
NOT_FOUND_PATHS = ("/v2/bot/profile/{userId}", "/v2/bot/user/{userId}/linkToken")

# "Create audience": `description` is required there, while the specification leaves it optional.
# https://developers.line.biz/en/reference/messaging-api/#create-upload-audience-group
REQUIRED = {"CreateAudienceGroupRequest": ["description"], "AddAudienceToAudienceGroupRequest": ["audienceGroupId"]}

# "Get audience data": the fields that every uploaded audience has, which the specification leaves optional.
# https://developers.line.biz/en/reference/messaging-api/#get-audience-group
ALWAYS_ANSWERED = {
    "AudienceGroup": ["audienceGroupId", "type", "description", "status", "audienceCount", "created"],
    "GetAudienceDataResponse": ["audienceGroup", "jobs"],
    "CreateAudienceGroupResponse": ["audienceGroupId", "type", "description", "created"],
    "GetAudienceGroupsResponse": ["audienceGroups", "hasNextPage", "totalCount", "page", "size"],
    "ErrorResponse": ["message"],
    # "Get number of followers", "Get friend demographics" and "Get statistics per unit": always there.
    # https://developers.line.biz/en/reference/messaging-api/#get-insight
    "GetNumberOfFollowersResponse": ["status"],
    "GetFriendsDemographicsResponse": ["available"],
    "GenderTile": ["gender", "percentage"],
    "AgeTile": ["age", "percentage"],
    "AreaTile": ["area", "percentage"],
    "AppTypeTile": ["appType", "percentage"],
    "SubscriptionPeriodTile": ["subscriptionPeriod", "percentage"],
    "GetStatisticsPerUnitResponseOverview": ["uniqueImpression", "uniqueClick"],
    # "Webhook event objects". https://developers.line.biz/en/reference/messaging-api/#source-user
    "UserSource": ["userId"],
}

# The same reference page lists it among the fields of an audience; the specification has it in the examples only.
EXTRA_FIELDS = {"AudienceGroup": {"expireTimestamp": {"type": "integer", "format": "int64"}}}

# The format of user ids is told in "User IDs". https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
USER_ID = "^U[0-9a-f]{32}$"

# An event's id is a ULID. https://developers.line.biz/en/reference/messaging-api/#common-properties
ULID = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def overlaid(spec: Spec) -> Spec:
    """Add what the reference pages say to a loaded specification."""
    fuller = with_discriminators(copy.deepcopy(spec))
    for path, operations in fuller["paths"].items():
        add_errors(operations, (*EVERYWHERE, "404") if path in NOT_FOUND_PATHS else EVERYWHERE)
    schemas = fuller["components"]["schemas"]
    schemas.setdefault("ErrorResponse", {"type": "object", "properties": {"message": {"type": "string"}}})
    for required in (REQUIRED, ALWAYS_ANSWERED):
        for name in required.keys() & schemas.keys():
            schemas[name]["required"] = sorted({*schemas[name].get("required", []), *required[name]})
    for name in EXTRA_FIELDS.keys() & schemas.keys():
        schemas[name]["properties"].update(EXTRA_FIELDS[name])
    if "GetFollowersResponse" in schemas:
        schemas["GetFollowersResponse"]["properties"]["userIds"]["items"]["pattern"] = USER_ID
    if "Event" in schemas:
        schemas["Event"]["properties"]["webhookEventId"]["pattern"] = ULID
    return fuller


def add_errors(operations: Spec, codes: tuple[str, ...]) -> None:
    """Let the operations of a path answer these errors, in the shape that all errors have."""
    schema = {"$ref": "#/components/schemas/ErrorResponse"}
    error = {"description": "Error", "content": {"application/json": {"schema": schema}}}
    for operation in operations.values():
        for code in codes if isinstance(operation, dict) and "responses" in operation else ():
            operation["responses"].setdefault(code, error)


def with_discriminators(spec: Spec) -> Spec:
    """Write discriminators out as `oneOf`: validators ignore the mapping, and would take any object for a message."""
    schemas = spec["components"]["schemas"]
    replaced: Spec = {}
    for name, schema in list(schemas.items()):
        mapping = schema.get("discriminator", {}).get("mapping")
        if mapping:
            replaced[f"#/components/schemas/{name}"] = choices(schema["discriminator"]["propertyName"], mapping)
    fuller: Spec = {**spec, "paths": point_at_choices(spec["paths"], replaced)}
    fuller["components"] = {**spec["components"], "schemas": {n: refit(s, replaced) for n, s in schemas.items()}}
    return fuller


def choices(field: str, mapping: dict[str, str]) -> Spec:
    """Write one choice for each value of the discriminating field."""
    return {
        "oneOf": [
            {
                "allOf": [
                    {"$ref": target},
                    {"type": "object", "required": [field], "properties": {field: {"enum": [value]}}},
                ]
            }
            for value, target in mapping.items()
        ]
    }


def refit(schema: Spec, replaced: Spec) -> Spec:
    """Point a schema's parts at the choices, but leave its own parent (the first of an `allOf`) alone."""
    return {key: value if key == "allOf" else point_at_choices(value, replaced) for key, value in schema.items()} | (
        {"allOf": [part if "$ref" in part else point_at_choices(part, replaced) for part in schema["allOf"]]}
        if "allOf" in schema
        else {}
    )


def point_at_choices(part: Any, replaced: Spec) -> Any:
    """Replace references to discriminated schemas anywhere in a part of the specification."""
    if isinstance(part, dict):
        if part.get("$ref") in replaced:
            return copy.deepcopy(replaced[part["$ref"]])
        return {key: point_at_choices(value, replaced) for key, value in part.items()}
    if isinstance(part, list):
        return [point_at_choices(value, replaced) for value in part]
    return part
