"""What a run took is that of its whole process tree, children included."""

import os
import subprocess
import sys

from lakehouse.stages import StageLog, TreeMeter

MEBIBYTE = 1 << 20
HOLDS_MEMORY = "import sys; held = bytearray(b'x' * {size}); print('ready', flush=True); input()"


def test_the_peak_is_the_trees_and_stays_when_a_child_has_gone() -> None:
    meter = TreeMeter()
    meter._sample(memory=True)
    before = meter.peak_pss_bytes
    for size in (300 * MEBIBYTE, 100 * MEBIBYTE):
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDS_MEMORY.format(size=size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        meter._sample(memory=True)
        child.communicate(b"\n")
    assert 300 * MEBIBYTE <= meter.peak_pss_bytes - before <= 340 * MEBIBYTE


def test_a_stage_has_the_cpu_of_children_that_have_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('ready', flush=True); input()"
    with TreeMeter() as meter, StageLog(meter).stage("work") as stage:
        child = subprocess.Popen(
            [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        meter.cpu_seconds()
        child.communicate(b"\n")
    assert stage.status == "done"
    ticks = 2 / os.sysconf("SC_CLK_TCK")  # user and system time are cut to whole ticks
    assert 0.3 - ticks <= stage.cpu_seconds <= stage.seconds + 1
