"""What fails again and again waits longer and longer, and anew after it has been well."""

from operations.live.pauses import Pauses


def test_pauses_double_up_to_half_a_minute_and_start_anew_after_a_healthy_minute() -> None:
    now = [0.0]
    pauses = Pauses(clock=lambda: now[0])
    waited = []
    for lived in (0, 1, 59, 0, 0, 0, 0, 60, 0):
        pauses.begin()
        now[0] += lived
        waited.append(pauses.failed())
    assert waited == [1, 2, 4, 8, 16, 30, 30, 1, 2]
