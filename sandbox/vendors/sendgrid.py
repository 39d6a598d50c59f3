"""SendGrid's v3 API over the world: suppressions, unsubscribe groups, contacts to export, statistics, event webhook."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.sendgrid import webhooks as sendgrid_webhooks
from sandbox.sendgrid.accounts import METRICS, MailAccount, group_names
from sandbox.sendgrid.answers import RefusalError, answer, base_of, day_of, number
from sandbox.sendgrid.exports import LINK_LIFETIME_SECONDS, Exports
from sandbox.sendgrid.mail import GROUPS, Suppression

if TYPE_CHECKING:
    from sandbox.setting import Setting
    from sandbox.webhooks import Webhook

NAME = "sendgrid"
LARGEST_PAGE = 500
LARGEST_CATEGORIES = 10
PERIOD_SECONDS = 60
LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
EPOCH = date(1970, 1, 1)
WEBHOOK_ID = "5a8f7c1e-0000-4000-8000-000000000001"
Endpoint = Callable[[Request], Awaitable[Response]]


def operation_of(path: str, _body: bytes) -> str:
    """Name a request for statistics and faults by its method and path, without ids."""
    method, _, place = path.partition(" ")
    words = [word for word in place.split("/") if word and word != "v3" and not any(sign.isdigit() for sign in word)]
    return f"{method} {'/'.join(words)}"


def rate_limited(status: int) -> tuple[int, dict[str, Any]]:
    """Refuse for too many requests."""
    return status or 429, {"errors": [{"field": None, "message": "too many requests"}]}


def row_lists(answered: object) -> Iterator[tuple[Any, Any]]:
    """Find the rows of an answer: most of this vendor's answers are nothing but a list."""
    if isinstance(answered, list):
        yield answered, slice(None)


def webhook_secret(setting: Setting) -> str:
    """Show the key to verify webhooks with: here it is the public half of a pair."""
    return sendgrid_webhooks.public_key(setting.webhook_secret)


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Give the event webhooks that are due in (since, until]."""
    # An event is sent at the end of its minute: what happened in the last minute of the span is sent later.
    step = sendgrid_webhooks.BATCH_SECONDS
    happenings = MailAccount(setting.world).happenings(since // step * step, until // step * step)
    yield from sendgrid_webhooks.batches(happenings, setting.webhook_secret)


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own paths."""
    api = SendGrid(setting)
    served: list[tuple[str, str, Endpoint]] = [
        *(("GET", f"/v3/suppression/{kind}", api.suppressions) for kind in LISTS),
        ("GET", "/v3/asm/groups", api.groups),
        ("GET", "/v3/asm/suppressions", api.group_suppressions),
        ("GET", "/v3/asm/groups/{group}/suppressions", api.suppressions_of_group),
        ("GET", "/v3/marketing/contacts/count", api.count_contacts),
        ("POST", "/v3/marketing/contacts/exports", api.create_export),
        ("GET", "/v3/marketing/contacts/exports/{job}", api.read_export),
        ("GET", "/v3/scopes", api.scopes),
        ("GET", "/v3/stats", api.statistics),
        ("GET", "/v3/categories", api.categories),
        ("GET", "/v3/categories/stats", api.category_statistics),
        ("GET", "/v3/user/webhooks/event/settings/signed/{webhook}", api.signed_webhook),
    ]
    guarded = [Route(path, api.guarded(path, endpoint), methods=[method]) for method, path, endpoint in served]
    # The files lie with another host, whose links carry their own permission.
    return [*guarded, Route("/contact-exports/{job}/{part:int}.json.gz", api.export_file)]


class SendGrid:
    """The endpoints of one account."""

    def __init__(self, setting: Setting) -> None:
        """Prepare the account."""
        self._setting = setting
        self._account = MailAccount(setting.world)
        self._exports = Exports(setting)
        self._recent: dict[str, deque[float]] = {}

    def guarded(self, name: str, endpoint: Endpoint) -> Endpoint:
        """Check token and rate limit before an endpoint, and write refusals as the vendor does."""

        async def guard(request: Request) -> Response:
            try:
                self._authenticate(request)
                response = answer(rate_limited(0)[1], 429) if self._is_used_up(name) else await endpoint(request)
            except RefusalError as refusal:
                response = answer(refusal.body, refusal.status)
            response.headers.update(self._rate_headers(name))
            return response

        return guard

    def _authenticate(self, request: Request) -> None:
        given = request.headers.get("authorization")
        if given is None:
            raise RefusalError(401, "authorization required")
        if given != f"Bearer {self._setting.token}":
            raise RefusalError(401, "The provided authorization grant is invalid, expired, or revoked")

    def _is_used_up(self, name: str) -> bool:
        now, recent = self._setting.monotonic(), self._recent.setdefault(name, deque())
        while recent and recent[0] <= now - PERIOD_SECONDS:
            recent.popleft()
        if len(recent) >= self._setting.sendgrid_requests_per_minute:
            return True
        recent.append(now)
        return False

    def _rate_headers(self, name: str) -> dict[str, str]:
        recent, limit = self._recent.get(name, deque()), self._setting.sendgrid_requests_per_minute
        wait = PERIOD_SECONDS - (self._setting.monotonic() - recent[0]) if recent else PERIOD_SECONDS
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - len(recent))),
            "X-RateLimit-Reset": str(self._setting.clock.now() + int(wait) + 1),
        }

    async def suppressions(self, request: Request) -> Response:
        """List who is on one of the lists, newest first."""
        kind = request.url.path.rsplit("/", 1)[1]
        limit, offset = number(request, "limit", LARGEST_PAGE, 1, LARGEST_PAGE), number(request, "offset", 0)
        begin, end = number(request, "start_time", 0), number(request, "end_time", None)
        listed = [
            one
            for one in self._account.suppressed(kind, self._setting.clock.now())
            if begin <= one.created and (end is None or one.created <= end)
        ]
        return answer([describe_suppression(one) for one in listed[offset : offset + limit]])

    async def groups(self, _request: Request) -> Response:
        """List the groups that people can unsubscribe from, with how many did."""
        counts = Counter(one.group for one in self._left())
        described = [
            {"id": group, "name": name, "description": text, "is_default": False, "unsubscribes": counts[group]}
            for group, (name, text) in GROUPS.items()
        ]
        return answer(described)

    async def group_suppressions(self, _request: Request) -> Response:
        """List who unsubscribed from which group: all of them, in one answer."""
        names = group_names()
        described = [
            {"email": one.email, "group_id": one.group, "group_name": names[one.group or 0], "created_at": one.created}
            for one in self._left()
        ]
        return answer(described)

    async def suppressions_of_group(self, request: Request) -> Response:
        """List the addresses that unsubscribed from one group, without times."""
        return answer([one.email for one in self._left() if str(one.group) == request.path_params["group"]])

    def _left(self) -> list[Suppression]:
        return self._account.suppressed("group_unsubscribes", self._setting.clock.now())

    async def count_contacts(self, _request: Request) -> Response:
        """Count the contacts."""
        count = len(self._account.contacts(self._setting.clock.now()))
        return answer({"contact_count": count, "billable_count": count})

    async def create_export(self, request: Request) -> Response:
        """Start an export of the contacts."""
        try:
            asked = orjson.loads(await request.body() or b"{}")
        except orjson.JSONDecodeError:
            raise RefusalError(400, "invalid JSON") from None
        if not isinstance(asked, dict) or asked.get("file_type", "csv") != "json":
            raise RefusalError(400, "the sandbox writes json files only", "file_type")
        job = self._exports.create()
        return answer(
            {"_metadata": {"self": f"{base_of(request)}/v3/marketing/contacts/exports/{job}"}, "id": job}, 202
        )

    async def read_export(self, request: Request) -> Response:
        """Show an export; asking lets the work go on."""
        job = request.path_params["job"]
        self._exports.poll(job)
        found = self._exports.read(job)
        if found is None:
            raise RefusalError(404, "export job not found")
        return answer(self._exports.describe(job, self._account.contacts(found[1]), base_of(request)))

    async def export_file(self, request: Request) -> Response:
        """Give a file of an export as long as its link lives."""
        found = self._exports.read(request.path_params["job"])
        now = self._setting.clock.now()
        if found is None or found[0] != "ready" or now >= found[1] + LINK_LIFETIME_SECONDS:
            refused = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            return Response(refused, 403, media_type="application/xml")
        created = found[1]
        content = self._exports.file(self._account.contacts(created), created, request.path_params["part"])
        return Response(content, media_type="application/x-gzip")

    async def scopes(self, _request: Request) -> Response:
        """Tell what the token may do."""
        return answer({"scopes": ["suppression.read", "asm.groups.read", "marketing.read", "stats.read"]})

    async def statistics(self, request: Request) -> Response:
        """Give the figures of each day, over all mails."""
        return answer(
            [
                {"date": day, "stats": [{"metrics": metrics(sum(by_category.values(), Counter()))}]}
                for day, by_category in self._days(request)
            ]
        )

    async def categories(self, request: Request) -> Response:
        """List the categories that mails have had."""
        limit, offset = number(request, "limit", 50, 1), number(request, "offset", 0)
        known = [{"category": name} for name in ("follow_up", "newsletter", "order_confirmation")]
        return answer(known[offset : offset + limit] if self._setting.world.humans else [])

    async def category_statistics(self, request: Request) -> Response:
        """Give the figures of each day, by category."""
        names = request.query_params.getlist("categories")
        if not 1 <= len(names) <= LARGEST_CATEGORIES:
            raise RefusalError(400, "you must provide between 1 and 10 categories", "categories")
        return answer(
            [
                {
                    "date": day,
                    "stats": [
                        {"type": "category", "name": name, "metrics": metrics(by_category.get(name, Counter()))}
                        for name in names
                    ],
                }
                for day, by_category in self._days(request)
            ]
        )

    def _days(self, request: Request) -> Iterator[tuple[str, dict[str, Counter[str]]]]:
        now = self._setting.clock.now()
        today = datetime.fromtimestamp(now, UTC).date()
        first, last = day_of(request, "start_date", None), min(day_of(request, "end_date", today), today)
        counted = self._account.statistics((first - EPOCH).days, (last - EPOCH).days, now)
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            number_of_day = (day - EPOCH).days
            yield day.isoformat(), {name: count for (at, name), count in counted.items() if at == number_of_day}

    async def signed_webhook(self, _request: Request) -> Response:
        """Show the key that verifies the event webhook."""
        return answer({"id": WEBHOOK_ID, "public_key": sendgrid_webhooks.public_key(self._setting.webhook_secret)})


def describe_suppression(one: Suppression) -> dict[str, Any]:
    """Write an entry of a list."""
    return {"created": one.created, "email": one.email, **one.details}


def metrics(counts: Counter[str]) -> dict[str, int]:
    """Write all figures, those that are zero too."""
    return {name: counts[name] for name in METRICS}
