"""What the Admin API's answers mean: THROTTLED, the cost of a query, the version that answered, a search left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kizuna.answers import Answer, Ruling, Verdict
from kizuna.graphql import error_codes, judge_graphql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.graphql import Endpoint

# Shopify refuses a single query above this many points, whatever the plan.
MAX_QUERY_COST = 1000
NEXT_STEPS = {
    "ACCESS_DENIED": "grant the app the scope or the protected customer data level that the stream's fields need, or "
    'name the stream in "skip_streams" of this connection\'s extra',
    "MAX_COST_EXCEEDED": "lower page_size of this stream",
}


def review(version: str, endpoint: Endpoint, operation: str, answer: Answer) -> None:
    """Refuse what Shopify does without calling it an error; a retired version is answered by the oldest living one."""
    answered = answer.headers.get("x-shopify-api-version")
    if answered != version:
        why = f"API version {answered}, expected {version}"
        endpoint.fail(operation, answer, why, "move the source to a supported version and review its fields")
    extensions = answer.body.get("extensions") or {}
    cost = (extensions.get("cost") or {}).get("requestedQueryCost", 0)
    if cost > MAX_QUERY_COST:
        why = f"the query costs {cost} points, allowed are {MAX_QUERY_COST}"
        endpoint.fail(operation, answer, why, "lower page_size of this stream")
    # A search term that the vendor does not know is left out with a warning: the window would be all of history.
    if extensions.get("search"):
        endpoint.fail(operation, answer, "the window's search was not understood", "review window_filter")


def judge_shopify(answer: Answer) -> Ruling:
    """Look for THROTTLED before anything else: it comes with status 200, and as some shops report with 429."""
    body = answer.body if isinstance(answer.body, dict) else {}
    codes = error_codes(body)
    if "THROTTLED" in codes or _is_throttled_without_code(body):
        return _judge_throttled(body)
    ruling = judge_graphql(answer)
    next_step = next((step for code, step in NEXT_STEPS.items() if code in codes), ruling.next_step)
    return replace(ruling, next_step=next_step)


def _is_throttled_without_code(body: Mapping[str, Any]) -> bool:
    errors = body.get("errors")
    listed = errors if isinstance(errors, list) else []
    return any(isinstance(error, dict) and error.get("message") == "Throttled" for error in listed)


def _judge_throttled(body: Mapping[str, Any]) -> Ruling:
    """Wait until the bucket has refilled to what the query asks for."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    try:
        requested, rate = float(cost["requestedQueryCost"]), float(status["restoreRate"])
        missing, maximum = requested - float(status["currentlyAvailable"]), float(status["maximumAvailable"])
    except (KeyError, TypeError, ValueError):
        return Ruling(Verdict.RETRY_BACKOFF, "rate limit")
    if requested > maximum or rate <= 0:
        return Ruling(Verdict.FATAL, "the query costs more than the bucket holds", next_step="lower page_size")
    return Ruling(Verdict.RETRY_AFTER, "rate limit", max(missing / rate, 0.05))
