"""One HTTP client per vendor connection: time-outs, connection reuse, retries, and errors that say what to do next."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import httpx
import orjson

from kizuna.answers import Answer, Judge, Ruling, Verdict, judge, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_ATTEMPTS = 8
LONGEST_BACKOFF_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 600.0
# httpx writes every address to the log, and addresses hold user ids.
logging.getLogger("httpx").setLevel(logging.WARNING)

JSON_BODY = {"content-type": "application/json"}
FORM_BODY = {"content-type": "application/x-www-form-urlencoded"}
# In these cases the vendor has done nothing with the request, so that even a request that acts may be sent again.
NOTHING_DONE = frozenset({"rate limit", "ConnectError", "ConnectTimeout"})


class VendorError(Exception):
    """A vendor did not give what was asked; the text never carries a body, an address or a token."""

    def __init__(
        self, vendor: str, operation: str, status: int | None, attempts: int, why: str, next_step: str
    ) -> None:
        """Compose the one text every vendor error has."""
        self.vendor, self.operation, self.status, self.attempts = vendor, operation, status, attempts
        answered = f"answered {status}" if status is not None else "gave no answer"
        tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"{vendor}: {operation} {answered} ({why}) after {tries}. Next: {next_step}.")


class VendorRefusedError(VendorError):
    """The vendor will not answer this request however often it is sent (wrong token, wrong request)."""


class VendorUnavailableError(VendorError):
    """The vendor could have answered, and did not within the allowed attempts."""


class VendorQuotaError(VendorError):
    """A quota is used up; asking again before `until` is useless."""

    until: datetime | None = None


class VendorContractError(VendorError):
    """The vendor answered, but not in the way its contract says."""


@dataclass(frozen=True)
class Request:
    """One request; `operation` names it in errors, `resend` is false where sending twice could act twice.

    The body is `json`, or `form` as HTML forms are sent (what token endpoints read).
    """

    method: str
    path: str
    operation: str
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    params: Mapping[str, str | Sequence[str]] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    resend: bool = True
    accept: Collection[int] = ()


class Client:
    """A vendor connection. Not shared between threads at the same time."""

    def __init__(
        self,
        vendor: str,
        base_url: str,
        headers: Mapping[str, str],
        *,
        auth: httpx.Auth | None = None,
        judge: Judge = judge,
        read_seconds: float = READ_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open nothing yet: the first request connects."""
        self.vendor, self.requests = vendor, 0
        self._judge, self._sleep, self._jitter = judge, sleep, jitter
        self._http = httpx.Client(
            base_url=base_url,
            headers=dict(headers),
            auth=auth,
            timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
            transport=transport,
            # A redirect would carry the token to another host.
            follow_redirects=False,
        )
        self._transport = transport

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def authorize(self, headers: Mapping[str, str]) -> None:
        """Send these headers from now on."""
        self._http.headers.update(headers)

    def send(self, request: Request) -> Answer:
        """Send until the answer is good, hopeless, or the patience is used up."""
        return self._until_good(request, self._attempt)

    def download(self, request: Request, file: IO[bytes]) -> Answer:
        """Write the body of the answer to `file`, whole; a body that is cut off is asked for again from its start.

        An address of another host than the vendor's is asked without the connection's headers.
        """
        return self._until_good(request, lambda one: self._download(one, file))

    def _until_good(self, request: Request, attempt: Callable[[Request], tuple[Answer | None, Ruling]]) -> Answer:
        waited, attempts = 0.0, 0
        while True:
            attempts += 1
            answer, ruling = attempt(request)
            if ruling.verdict is Verdict.OK and answer is not None:
                return answer
            wait = self._wait_or_raise(request, answer, ruling, attempts)
            waited += wait
            if waited > LONGEST_WAIT_SECONDS:
                raise self._unavailable(request, answer, ruling, attempts)
            self._sleep(wait)

    def _attempt(self, request: Request) -> tuple[Answer | None, Ruling]:
        self.requests += 1
        content, kind = _body(request)
        try:
            response = self._http.request(
                request.method,
                request.path,
                content=content,
                params=request.params,
                headers={**kind, **request.headers},
            )
        except httpx.TransportError as error:
            # The class says enough (ReadTimeout, ConnectError, RemoteProtocolError); its text may hold an address.
            return None, Ruling(Verdict.RETRY_BACKOFF, type(error).__name__)
        answer = read_answer(response)
        if answer.status in request.accept:
            return answer, Ruling(Verdict.OK)
        return answer, self._judge(answer)

    def _download(self, request: Request, file: IO[bytes]) -> tuple[Answer | None, Ruling]:
        self.requests += 1
        file.seek(0)
        file.truncate()
        try:
            with (
                self._for_address(request.path) as client,
                client.stream(request.method, request.path, params=request.params) as response,
            ):
                if response.status_code != 200:
                    response.read()
                    answer = read_answer(response)
                    return answer, self._judge(answer)
                for chunk in response.iter_bytes():
                    file.write(chunk)
        except httpx.TransportError as error:
            return None, Ruling(Verdict.RETRY_BACKOFF, type(error).__name__)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers), Ruling(Verdict.OK)

    @contextmanager
    def _for_address(self, address: str) -> Iterator[httpx.Client]:
        """Ask another host than the vendor's without anything that is the vendor's."""
        if "://" not in address or address.startswith(str(self._http.base_url)):
            yield self._http
            return
        with httpx.Client(timeout=self._http.timeout, transport=self._transport) as elsewhere:
            yield elsewhere

    def _wait_or_raise(self, request: Request, answer: Answer | None, ruling: Ruling, attempts: int) -> float:
        status = answer.status if answer else None
        if ruling.verdict is Verdict.FATAL:
            raise VendorRefusedError(self.vendor, request.operation, status, attempts, ruling.reason, ruling.next_step)
        if ruling.verdict is Verdict.STOP_UNTIL:
            until = ruling.until.isoformat() if ruling.until else "the quota is renewed"
            error = VendorQuotaError(
                self.vendor, request.operation, status, attempts, ruling.reason, f"run again after {until}"
            )
            error.until = ruling.until
            raise error
        is_safe = request.resend or ruling.reason in NOTHING_DONE
        # A vendor that says how long to wait is waited for as long as the patience lasts, however often.
        if is_safe and ruling.verdict is Verdict.RETRY_AFTER:
            return ruling.wait_seconds + self._jitter() * 0.1
        if attempts >= MAX_ATTEMPTS or not is_safe:
            raise self._unavailable(request, answer, ruling, attempts)
        ceiling = min(LONGEST_BACKOFF_SECONDS, 0.5 * 2.0 ** (attempts - 1))
        return ceiling * (0.5 + 0.5 * self._jitter())

    def _unavailable(self, request: Request, answer: Answer | None, ruling: Ruling, attempts: int) -> VendorError:
        status = answer.status if answer else None
        step = "run again later; check the vendor's status page and base_url of this connection"
        return VendorUnavailableError(self.vendor, request.operation, status, attempts, ruling.reason, step)


def _body(request: Request) -> tuple[bytes | None, Mapping[str, str]]:
    """Return a request's body and the header that says what it is."""
    if request.form is not None:
        return urlencode(request.form).encode(), FORM_BODY
    return (None, {}) if request.json is None else (orjson.dumps(request.json), JSON_BODY)
