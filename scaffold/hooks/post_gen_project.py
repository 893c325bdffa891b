"""Makes the finished project, the working directory, a git repository with a first commit.

cruft keeps its own notes, and compares folders without a repository in them: it gets none.
"""

import json
import subprocess

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def git(*arguments: str) -> bool:
    """Whether git did it."""
    return subprocess.run(["git", *arguments], capture_output=True, check=False).returncode == 0


def main() -> None:
    """Commit under the user's own name; without one, under the author's."""
    who = []
    if not (git("config", "user.name") and git("config", "user.email")):
        who = ["-c", f"user.name={ANSWERS['author']}", "-c", "user.email=nobody@localhost"]
    git("init", "--quiet", "--initial-branch", "main")
    git("add", "--all")
    git(*who, "commit", "--quiet", "--no-verify", "--message", "Make the project of its template")
    print(f"Next: cd {ANSWERS['__folder']} && ./{ANSWERS['command']} demo")


if "_commit" not in ANSWERS:
    main()
