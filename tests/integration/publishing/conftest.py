"""A warehouse whose roles may create schemas: a database copied from a template does not inherit its grants."""

import pytest

from kizuna import warehouse


@pytest.fixture
def warehouse_url(warehouse_url: str) -> str:
    warehouse.prepare(warehouse_url)
    return warehouse_url
