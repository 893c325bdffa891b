"""A child for the tests of `Worker`: does what the request says."""

import sys
import threading
from typing import Any

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.processes.worker import Answer, Tell, serve
from lakehouse.settings import Settings


def warm(tell: Tell) -> Answer:
    """As a worker warms up; it can't where the settings say so."""
    print("what libraries print")
    if Settings().ingest_max_records == 1:
        raise LakeError("It can't be warm.")

    def answer(request: dict[str, Any]) -> Any:
        match request["do"]:
            case "echo":
                tell({"heard": request["text"]})
                return {"text": request["text"], "port": Settings().kafka_port}
            case "fail":
                raise CheckFailed("A check failed.") if request["check"] else LakeError("Wrong.")
            case "crash":
                raise ValueError("nobody thought of this.")
            case "leave":
                sys.exit(7)
            case _:
                return threading.Event().wait()

    return answer


if __name__ == "__main__":
    serve(warm)
