"""The generator's command, started by `scaffold/hooks/pre_gen_project.py` in an exported tree.

In: on standard input the answers, the commit, the repository and the project's folder. Out: the
project, and on standard output what was done; or a sentence, and nothing is written.
"""

import json
import shutil
import sys
from pathlib import Path

from scaffold.generate import finish, lock, names, parts
from scaffold.generate.answers import complaint


def main() -> None:
    """Work on the tree, the working directory, and move it into the project when all is done."""
    request = json.load(sys.stdin)
    answers, tree = request["answers"], Path.cwd()
    if said := complaint(answers, tree):
        sys.exit(said)
    every, kinds = parts.read(tree), names.kinds(answers, tree)
    left_out = [part for part in every if not answers.get(part, part != "template")]
    finish.write_readme(tree, answers)
    finish.set_shop(tree, answers)
    parts.leave_out(tree, left_out, every)
    dropped = lock.follow(tree, old="cartlake", new=answers["package"])
    counts = names.rename(tree, kinds)
    if left := names.left_over(tree):
        sys.exit(f"The old name is left in {left[0]}: this is a fault of the template.")
    finish.describe(tree, answers, commit=request["commit"])
    is_formatted = finish.format_code(tree)
    if "_commit" not in answers:  # else cruft writes its own notes
        finish.write_cruft_notes(tree, request)
    for path in tree.iterdir():
        shutil.move(path, Path(request["project"]) / path.name)
    report(
        answers,
        [(kind, counts[kind.what]) for kind in kinds],
        left_out,
        dropped,
        is_formatted=is_formatted,
    )


def report(
    answers: dict[str, object],
    counts: list[tuple[names.Kind, int]],
    left_out: list[str],
    dropped: int,
    *,
    is_formatted: bool,
) -> None:
    """Print what a user may want to check."""
    print(
        f"{answers['project_name']}: {sum(count for _, count in counts):,} names changed, 0 left:"
    )
    for kind, count in counts:
        print(f"  {count:5,}  {kind.what} {kind.old} is {kind.new}")
    asked = [part for part in left_out if part != "template"]
    if asked:
        print(f"Left out: {', '.join(asked)}. {dropped} packages fewer in the lock.")
    if not is_formatted:
        print(
            "ruff could not be had, so some lines are longer or shorter than they should be: run "
            f"`./{answers['command']} list`, then `.venv/bin/ruff format .`"
        )


main()
