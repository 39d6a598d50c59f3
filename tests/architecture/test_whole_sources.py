"""Every source is whole: a page for people, a staging model a stream, tests, and a contract where it has an API."""

from __future__ import annotations

import re

import pytest

from kizuna.settings import PROJECT
from kizuna.sources import SOURCES

STAGING = PROJECT / "dbt_project" / "models" / "staging"
INGEST = PROJECT / "tests" / "integration" / "ingest"
# Files are given to us: there is no vendor's interface to hold them to.
WITHOUT_AN_API = {"files", "ga4", "karte"}
STREAMS = [(source.name, stream.name) for source in SOURCES.values() for stream in source.streams]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_a_page_for_people_and_tests(source: str):
    assert (PROJECT / "docs" / "sources" / f"{source}.md").is_file()
    landed_in = [file for file in INGEST.glob("test_*.py") if f'"{source}"' in file.read_text(encoding="utf-8")]
    assert landed_in, f"no test of {INGEST.name} lands {source}"
    if source not in WITHOUT_AN_API:
        assert (PROJECT / "tests" / "contract" / f"test_{source}_contract.py").is_file()


@pytest.mark.parametrize(("source", "stream"), STREAMS)
def test_every_stream_has_a_staging_model(source: str, stream: str):
    read = re.compile(rf"""source\(\s*["']{source}["']\s*,\s*["']{stream}["']\s*\)""")
    assert [file.name for file in (STAGING / source).glob("*.sql") if read.search(file.read_text(encoding="utf-8"))]


def test_no_staging_model_reads_what_no_source_brings():
    for file in STAGING.glob("*/*.sql"):
        for source, stream in re.findall(r"""source\(\s*["'](\w+)["']\s*,\s*["'](\w+)["']""", file.read_text("utf-8")):
            is_brought = source == "ops" or (source, stream) in STREAMS
            assert is_brought, f"{file.name} reads {source}.{stream}, which no source brings"
