"""What the published Klaviyo specification leaves out, each addition with its source.

The files themselves are never changed: an overlay is a function from a loaded specification to a fuller one.
"""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

# "Each event has exactly one metric …; the metric and profile … are stored in the event's relationships object."
# https://developers.klaviyo.com/en/reference/events_api_overview
ONE_RELATED = {
    "required": ["relationships"],
    "properties": {
        "relationships": {
            "required": ["profile", "metric"],
            "properties": {"profile": {"required": ["data"]}, "metric": {"required": ["data"]}},
        }
    },
}

# The order of pages and the time of the last change are what reading by windows stands on: an object that is shown
# whole has its own. https://developers.klaviyo.com/en/reference/profiles_api_overview
KNOWN = {"required": ["id"]}


def overlaid(spec: Spec) -> Spec:
    """Add what the reference pages say to a loaded specification."""
    fuller = copy.deepcopy(spec)
    for path, rule in (("/api/events", ONE_RELATED), ("/api/profiles", KNOWN), ("/api/lists/{id}/profiles", KNOWN)):
        if path in fuller["paths"]:
            listed = fuller["paths"][path]["get"]["responses"]["200"]["content"]["application/vnd.api+json"]
            listed["schema"] = {
                "allOf": [listed["schema"], {"required": ["data"], "properties": {"data": {"items": rule}}}]
            }
    return fuller
