"""Klaviyo's API over the world: profiles, events, metrics, lists and segments, in JSON:API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.klaviyo.answers import (
    JSON_API,
    XL,
    XS,
    L,
    Limiter,
    M,
    RefusalError,
    answer,
    conditions,
    cursor_of,
    links,
    page_size,
    refuse,
    resource,
    seconds_of,
    throttled,
)
from sandbox.klaviyo.events import METRICS, Events, Happening, describe_event, metric_id
from sandbox.klaviyo.groups import Group, describe_group, lists_of, members, segments_of
from sandbox.klaviyo.profiles import Profile, Profiles, attributes, subscriptions, text_of

if TYPE_CHECKING:
    from sandbox.setting import Setting

NAME = "klaviyo"
REVISIONS = ("2025-10-15", "2026-01-15", "2026-04-15", "2026-07-15", "2026-10-15")
LARGEST_GROUP_PAGE = 10
BETWEEN = ("greater-or-equal", "greater-than", "less-or-equal", "less-than")
Endpoint = Callable[[Request], Awaitable[Response]]


def operation_of(path: str, _body: bytes) -> str:
    """Name a request for statistics and faults by its method and path, without ids."""
    method, _, place = path.partition(" ")
    words = place.split("/")[2:]
    known = [word for index, word in enumerate(words) if word and index != 1]
    return f"{method} {'/'.join(known)}" + ("/{id}" if len(words) == 2 and words[1] else "")


def rate_limited(status: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Refuse for too many requests."""
    return status or 429, throttled(1), {"content-type": JSON_API, "retry-after": "1"}


def row_lists(answered: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Find the rows of an answer."""
    if isinstance(answered, dict) and isinstance(answered.get("data"), list):
        yield answered, "data"


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own paths."""
    api = Klaviyo(setting)
    served: list[tuple[str, tuple[int, int], Endpoint]] = [
        ("/api/profiles", L, api.profiles),
        ("/api/profiles/{id}", L, api.profile),
        ("/api/profiles/{id}/relationships/lists", L, api.lists_of_profile),
        ("/api/profiles/{id}/relationships/segments", L, api.segments_of_profile),
        ("/api/events", XL, api.events),
        ("/api/metrics", M, api.metrics),
        ("/api/lists", L, api.lists),
        ("/api/lists/{id}", L, api.list),
        ("/api/lists/{id}/profiles", L, api.list_members),
        ("/api/segments", L, api.segments),
        ("/api/segments/{id}", L, api.segment),
        ("/api/segments/{id}/profiles", L, api.segment_members),
    ]
    # The vendor takes every path with and without a slash at its end.
    return [
        Route(path + end, api.guarded(path, tier, endpoint)) for path, tier, endpoint in served for end in ("", "/")
    ]


class Klaviyo:
    """The endpoints of one account."""

    def __init__(self, setting: Setting) -> None:
        """Prepare the account."""
        self._setting = setting
        self._profiles = Profiles(setting.world)
        self._events = Events(setting.world, self._profiles)
        self._groups = {"list": lists_of(setting.world.starts_at), "segment": segments_of(setting.world.starts_at)}
        self._limiter = Limiter(setting)
        self._in_order: tuple[tuple[str, int], list[tuple[Any, str, Profile]]] = (("", -1), [])

    @property
    def _now(self) -> int:
        return self._setting.clock.now()

    def guarded(self, name: str, tier: tuple[int, int], endpoint: Endpoint) -> Endpoint:
        """Check key, revision and limits before an endpoint, and write refusals as the vendor does."""

        async def guard(request: Request) -> Response:
            # Counting members is dear, and has the smallest limit of all.
            asks_for_count = any("profile_count" in value for _, value in request.query_params.multi_items())
            limited = (f"{name} profile_count", XS) if asks_for_count else (name, tier)
            try:
                self._authenticate(request)
                wait = self._limiter.wait(*limited)
                if wait:
                    refused = answer(throttled(wait), 429)
                    refused.headers["Retry-After"] = str(wait)
                    return refused
                response = await endpoint(request)
            except RefusalError as refusal:
                response = answer(refusal.body, refusal.status)
            response.headers.update(self._limiter.headers(*limited))
            return response

        return guard

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Klaviyo-API-Key {self._setting.token}":
            title = "Incorrect authentication credentials."
            raise RefusalError(401, "authentication_failed", title, title)
        if request.headers.get("revision") not in REVISIONS:
            detail = "The request must name a valid revision in the header 'revision'."
            raise RefusalError(400, "invalid", "Invalid revision.", detail)

    async def profiles(self, request: Request) -> Response:
        """List profiles, by id or by the time of their last change."""
        asked = conditions(request, {"updated": ("greater-than", "less-than"), "id": ("any", "equals")})
        size, order = page_size(request, 20, 100), request.query_params.get("sort", "id")
        if order not in ("id", "updated"):
            refuse(f"'{order}' is not served by the sandbox", "sort")
        after = seconds_of(asked.get(("updated", "greater-than"), "1970-01-01T00:00:00Z"))
        before = seconds_of(asked.get(("updated", "less-than"), "2999-01-01T00:00:00Z"))
        now = self._now
        begin = cursor_of(request, str if order == "id" else float)
        rows = [
            row
            for row in self._ordered(order, now)
            if after < row[2].updated(now) < before and (begin is None or row[:2] > begin)
        ]
        shown = rows[:size]
        last = shown[-1][:2] if len(rows) > size else None
        data = [self._write_profile(request, profile) for _, _, profile in shown]
        return answer({"data": data, "links": links(request, last)})

    def _ordered(self, order: str, now: int) -> list[tuple[Any, str, Profile]]:
        if self._in_order[0] != (order, now):
            current = self._profiles.current(now)
            rows = [(p.updated(now) if order == "updated" else "", p.id, p) for p in current]
            self._in_order = ((order, now), sorted(rows, key=lambda row: row[:2]))
        return self._in_order[1]

    def _write_profile(self, request: Request, profile: Profile, **extra: str) -> dict[str, Any]:
        said = {**attributes(profile, self._now), **extra}
        if "subscriptions" in request.query_params.get("additional-fields[profile]", ""):
            said["subscriptions"] = subscriptions(profile, self._now)
        return resource(request, "profile", profile.id, said)

    def _known_profile(self, request: Request) -> Profile:
        profile = self._profiles.by_id.get(request.path_params["id"])
        if profile is None or not profile.exists(self._now):
            raise RefusalError(404, "not_found", "Not found.", "A profile with this id does not exist.")
        return profile

    async def profile(self, request: Request) -> Response:
        """Show one profile."""
        written = self._write_profile(request, self._known_profile(request))
        return answer({"data": written, "links": written["links"]})

    async def lists_of_profile(self, request: Request) -> Response:
        """List the lists a profile is on."""
        return self._groups_of_profile(request, "list")

    async def segments_of_profile(self, request: Request) -> Response:
        """List the segments a profile is in."""
        return self._groups_of_profile(request, "segment")

    def _groups_of_profile(self, request: Request, kind: str) -> Response:
        profile, now = self._known_profile(request), self._now
        joined = [one.id for one in self._groups[kind] if one.exists(now) and one.joined(profile, now) is not None]
        return answer({"data": [{"type": kind, "id": known} for known in joined], "links": links(request, None)})

    async def events(self, request: Request) -> Response:
        """List events in the order of their own times."""
        asked = conditions(request, {"datetime": BETWEEN})
        size, now = page_size(request, 200, 1000), self._now
        if request.query_params.get("sort", "datetime") != "datetime":
            refuse("the sandbox serves events by datetime only", "sort")
        begin = max(
            seconds_of(asked.get(("datetime", "greater-or-equal"), "1970-01-01T00:00:00Z")),
            seconds_of(asked.get(("datetime", "greater-than"), "1970-01-01T00:00:00Z")) + 1,
        )
        end = seconds_of(asked.get(("datetime", "less-than"), "2999-01-01T00:00:00Z"))
        after = cursor_of(request, float) or (int(-(-begin // 1)), "")
        rows = list(islice(self._events.between(after, int(-(-end // 1)), now), size + 1))
        last = (rows[size - 1].at, rows[size - 1].id) if len(rows) > size else None
        data = [write_event(request, one) for one in rows[:size]]
        return answer({"data": data, "links": links(request, last)})

    async def metrics(self, request: Request) -> Response:
        """List the kinds of events."""
        created = text_of(self._setting.world.starts_at - 800 * 86_400)
        data = [
            resource(
                request,
                "metric",
                metric_id(name),
                {"name": name, "created": created, "updated": created, "integration": {"name": integration}},
            )
            for name, integration in METRICS
        ]
        return answer({"data": data if self._setting.world.humans else [], "links": links(request, None)})

    async def lists(self, request: Request) -> Response:
        """List the lists."""
        return self._list_groups(request, "list")

    async def segments(self, request: Request) -> Response:
        """List the segments."""
        return self._list_groups(request, "segment")

    def _list_groups(self, request: Request, kind: str) -> Response:
        size, begin = page_size(request, LARGEST_GROUP_PAGE, LARGEST_GROUP_PAGE), cursor_of(request)
        current = sorted((g for g in self._groups[kind] if g.exists(self._now)), key=lambda group: group.id)
        rows = [group for group in current if begin is None or group.id > begin[1]]
        last = ("", rows[size - 1].id) if len(rows) > size else None
        data = [resource(request, kind, group.id, describe_group(group)) for group in rows[:size]]
        return answer({"data": data, "links": links(request, last)})

    async def list(self, request: Request) -> Response:
        """Show one list."""
        return self._show_group(request, "list")

    async def segment(self, request: Request) -> Response:
        """Show one segment."""
        return self._show_group(request, "segment")

    def _show_group(self, request: Request, kind: str) -> Response:
        group = self._known_group(request, kind)
        said = describe_group(group)
        if "profile_count" in request.query_params.get(f"additional-fields[{kind}]", ""):
            said["profile_count"] = len(members(group, self._profiles, self._now))
        written = resource(request, kind, group.id, said)
        return answer({"data": written, "links": written["links"]})

    def _known_group(self, request: Request, kind: str) -> Group:
        known = request.path_params["id"]
        group = next((one for one in self._groups[kind] if one.id == known and one.exists(self._now)), None)
        if group is None:
            raise RefusalError(404, "not_found", "Not found.", f"A {kind} with this id does not exist.")
        return group

    async def list_members(self, request: Request) -> Response:
        """List the profiles on a list."""
        return self._members(request, "list")

    async def segment_members(self, request: Request) -> Response:
        """List the profiles in a segment."""
        return self._members(request, "segment")

    def _members(self, request: Request, kind: str) -> Response:
        size, begin = page_size(request, 20, 100), cursor_of(request, float)
        joined = members(self._known_group(request, kind), self._profiles, self._now)
        rows = [(at, profile) for at, profile in joined if begin is None or (at, profile.id) > begin]
        last = (rows[size - 1][0], rows[size - 1][1].id) if len(rows) > size else None
        data = [self._write_profile(request, profile, joined_group_at=text_of(at)) for at, profile in rows[:size]]
        return answer({"data": data, "links": links(request, last)})


def write_event(request: Request, one: Happening) -> dict[str, Any]:
    """Write an event, with the ids of its profile and its metric."""
    written = resource(request, "event", one.id, describe_event(one))
    related = {
        "profile": {"data": {"type": "profile", "id": one.profile_id}},
        "metric": {"data": {"type": "metric", "id": metric_id(one.metric)}},
    }
    for name, relationship in related.items():
        relationship["links"] = {
            "self": f"{written['links']['self']}relationships/{name}/",
            "related": f"{written['links']['self']}{name}/",
        }
    return {**written, "relationships": related}
