"""The few calls of S3 that a store needs, over HTTP on loopback: list with pages, look, and read one version."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PAGE_KEYS = 2
Objects = dict[str, tuple[bytes, "datetime"]]


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


class Bucket(ThreadingHTTPServer):
    """What is in the bucket, what time it is there, and which requests came."""

    daemon_threads = True

    def __init__(self, objects: Objects, now: datetime) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.now = objects, now
        self.asked: list[str] = []

    def listing(self, query: dict[str, list[str]]) -> bytes:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        page, rest = keys[:PAGE_KEYS], keys[PAGE_KEYS:]
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        return (
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{more}"
            f"{''.join(self.entry(key) for key in page)}</ListBucketResult>"
        ).encode()

    def entry(self, key: str) -> str:
        content, modified_at = self.objects[key]
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>{escape(etag(content))}</ETag>"
            f"<LastModified>{modified_at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
        )


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Bucket

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def log_message(self, *_arguments: Any) -> None:
        self.server.asked.append(self.path)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.server.now, usegmt=True)

    def answer(self) -> None:
        parts = urlsplit(self.path)
        key = unquote(parts.path).removeprefix("/drops").lstrip("/")
        if not key:
            self.send(200, self.server.listing(parse_qs(parts.query)), {})
        elif key not in self.server.objects:
            self.send(404, b"<Error><Code>NoSuchKey</Code></Error>", {})
        else:
            self.send_object(*self.server.objects[key])

    def send_object(self, content: bytes, modified_at: datetime) -> None:
        if self.headers.get("If-Match", etag(content)) != etag(content):
            self.send(412, b"<Error><Code>PreconditionFailed</Code></Error>", {})
        else:
            headers = {"ETag": etag(content), "Last-Modified": format_datetime(modified_at, usegmt=True)}
            self.send(200, content, headers)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def s3_server(objects: Objects, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """Serve the objects inside the block, as the bucket "drops"; gives the address and the requests it got."""
    server = Bucket(objects, now)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def s3_client(address: str) -> Any:
    """Open a client of that server."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="reader",
        aws_secret_access_key="well-known",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
