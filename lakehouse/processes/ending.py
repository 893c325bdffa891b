"""A request to end (SIGTERM) is taken like Ctrl-C: what is under way is ended in good order.

In: the signal. Out: a KeyboardInterrupt in the main thread. A further one while ending is ignored.
"""

import signal


def end_in_order() -> None:
    """Take SIGTERM like Ctrl-C, once, in this process."""

    def interrupt(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
