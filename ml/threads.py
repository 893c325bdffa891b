"""One thread for the libraries of numbers: these frames are small, and threads that wait for each
other cost several times the work on a machine that does something else too.

In: nothing. Out: a context in which scikit-learn and the linear algebra behind it use one thread.
"""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread until the context ends."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
