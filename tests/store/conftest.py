"""Real records in a file of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.store import Records, open_records
from tests.sample_run import sample


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def records(path: Path) -> Iterator[Records]:
    opened = open_records(path)
    yield opened
    opened.close()


@pytest.fixture
def filled(records: Records) -> Records:
    """Records of the sample run."""
    for entry in sample():
        records.append(entry)
    return records
