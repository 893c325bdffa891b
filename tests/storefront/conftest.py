"""Extracts to build inside a test."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lakehouse.contracts.topics import ERP_COLUMNS

Rows = Sequence[Sequence[str]]
WriteCsv = Callable[..., Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Write rows of texts under the eight names (or others) to a csv, gzipped by its suffix."""

    def write(
        rows: Rows,
        *,
        names: Sequence[str] = ERP_COLUMNS,
        name: str = "extract.csv",
        encoding: str = "utf-8",
    ) -> Path:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([names, *rows])
        content = text.getvalue().encode(encoding)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write
