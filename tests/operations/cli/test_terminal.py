"""Terminals that can't hold every character get plain signs, and the command goes on."""

import subprocess
import sys

import pytest

CODE = """
from operations.cli.terminal import write_what_the_terminal_can
from rich.console import Console

write_what_the_terminal_can()
Console().print("✓ gold 0.5 s", highlight=False)
print("£5.00 · größe ☃")
"""


@pytest.mark.parametrize(
    ("encoding", "lines"),
    [
        ("utf-8", ["✓ gold 0.5 s", "£5.00 · größe ☃"]),
        ("latin-1", ["+ gold 0.5 s", "£5.00 · größe \\u2603"]),
        ("ascii", ["+ gold 0.5 s", "GBP 5.00 - gr\\xf6\\xdfe \\u2603"]),
    ],
)
def test_what_has_no_place_in_an_encoding_is_written_plainly(
    encoding: str, lines: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode(encoding).splitlines() == lines


STAGES = """
from lakehouse.stages import StageLog, TreeMeter
from operations.cli.display import stage_display

with stage_display() as change, StageLog(TreeMeter(), change).stage("gold"):
    pass
"""


def test_output_that_is_no_terminal_gets_lines_and_no_control_codes() -> None:
    done = subprocess.run([sys.executable, "-c", STAGES], env={}, capture_output=True, check=True)
    (line,) = done.stdout.decode().splitlines()
    assert line.split() == ["✓", "gold", "0.0", "s"]
