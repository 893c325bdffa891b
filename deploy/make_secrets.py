"""The secrets of the services, made at their first start and never again: `make_secrets.py FOLDER`.

In: a folder that only the services see. Out: the database's password, for its server, and the
address that holds it, for Airflow.
"""

import os
import secrets
import sys
from pathlib import Path


def write(path: Path, content: str, mode: int) -> None:
    """A whole file or none, however often a start is cut short."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(content)
    draft.replace(path)


def main(folder: Path) -> None:
    """Make what is missing."""
    password = folder / "postgres-password"
    if not password.exists():
        write(password, secrets.token_urlsafe(24), 0o440)
    host = "airflow:" + password.read_text(encoding="ascii") + "@postgres:5432/airflow"
    write(folder / "airflow-database", f"postgresql+psycopg2://{host}", 0o400)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
