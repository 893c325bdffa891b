"""`./lake` from a bare machine: a project folder with only the wrapper, and a PATH made for it.

`uv` and `java` on that PATH are small scripts that write down how they were called: what is tested
is the wrapper's own deciding. The real ones run in every fresh clone.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse.settings import PROJECT_ROOT

BASICS = [
    "cat",
    "chmod",
    "cksum",
    "dirname",
    "env",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "mv",
    "pwd",
    "readlink",
    "rm",
    "sed",
    "sh",
    "sleep",
    "uname",
]
UV = """#!/bin/sh
[ "$1" = --version ] && { echo 'uv UV_VERSION'; exit; }
echo "$*" >>"CALLS"
[ -e "BROKEN" ] && { echo 'no such package' >&2; exit 1; }
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\\nexec "PYTHON" "$@"\\n' >"$UV_PROJECT_ENVIRONMENT/bin/python"
printf '#!/bin/sh\\necho "ran $*"\\n' >"$UV_PROJECT_ENVIRONMENT/bin/lake"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/"*
"""


@dataclass(frozen=True)
class Machine:
    """A project folder and the only folder on PATH."""

    project: Path
    path: Path

    @property
    def uv_calls(self) -> list[str]:
        calls = self.path / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def put(self, name: str, text: str) -> None:
        program = self.path / name
        program.unlink(missing_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def put_uv(self, version: str = "0.13.9") -> None:
        text = UV.replace("UV_VERSION", version).replace("PYTHON", sys.executable)
        text = text.replace("CALLS", str(self.path / "calls"))
        self.put("uv", text.replace("BROKEN", str(self.path / "broken")))

    def put_java(self, version: str) -> None:
        self.put("java", f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")

    def run(
        self, *arguments: str, wrapper: Path | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", wrapper or self.project / "lake", *arguments],
            cwd=self.path,
            env={"PATH": str(self.path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with Python and uv, without Java, root's apt-get, or an environment."""
    made = Machine(tmp_path / "my project", tmp_path / "bin")
    made.project.mkdir()
    made.path.mkdir()
    for name in ("lake", "pyproject.toml", "uv.lock"):
        shutil.copy(PROJECT_ROOT / name, made.project / name)
    shutil.copytree(PROJECT_ROOT / "lakehouse", made.project / "lakehouse")
    for name in BASICS:
        found = shutil.which(name)
        assert found is not None
        (made.path / name).symlink_to(found)
    made.put("python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    made.put_uv()
    return made


def test_the_first_call_syncs_and_the_next_one_does_not(machine: Machine) -> None:
    first = machine.run("list", "--all")
    assert (first.returncode, first.stdout) == (0, "ran list --all\n")
    assert machine.uv_calls == [
        f"sync --quiet --locked --project {machine.project} --python {machine.path}/python3"
    ]
    second = machine.run("query", "select 'a  b'")
    assert (second.stdout, second.stderr) == ("ran query select 'a  b'\n", "")
    assert len(machine.uv_calls) == 1


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_file_is_synced_again(machine: Machine, name: str) -> None:
    machine.run("list")
    with (machine.project / name).open("a") as changed:
        changed.write("\n# changed\n")
    machine.run("list")
    assert len(machine.uv_calls) == 2


def test_a_moved_project_gets_a_new_environment(machine: Machine) -> None:
    machine.run("list")
    (machine.project / ".venv" / "of the old place").touch()
    moved = machine.project.rename(machine.project.with_name("elsewhere"))
    ran = Machine(moved, machine.path).run("list")
    assert ran.stdout == "ran list\n"
    assert "The project has been moved" in ran.stderr
    assert not (moved / ".venv" / "of the old place").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(machine: Machine) -> None:
    machine.run("list")
    (machine.project / ".venv" / "bin" / "python").unlink()
    (machine.project / ".venv" / "leftover").touch()
    assert machine.run("list").stdout == "ran list\n"
    assert not (machine.project / ".venv" / "leftover").exists()


def test_a_failed_sync_says_so_and_is_tried_again(machine: Machine) -> None:
    (machine.path / "broken").touch()
    failed = machine.run("list")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "no such package\nThe packages could not be installed" in failed.stderr
    (machine.path / "broken").unlink()
    assert machine.run("list").stdout == "ran list\n"


def test_two_first_calls_sync_once(machine: Machine) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: machine.run("list"), range(2)))
    assert [each.stdout for each in both] == ["ran list\n"] * 2
    assert len(machine.uv_calls) == 1


def test_it_works_through_a_link_and_from_another_folder(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to("my project/lake")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "second").symlink_to("../first")
    assert machine.run("list", wrapper=tmp_path / "links" / "second").stdout == "ran list\n"
    assert (machine.project / ".venv").is_dir()


def test_a_uv_too_old_for_the_lock_is_not_used(machine: Machine) -> None:
    machine.put_uv("0.4.30")
    machine.put("python3", f'#!/bin/sh\n[ "$2" = venv ] && exit 1\nexec "{sys.executable}" "$@"\n')
    ran = machine.run("list")
    assert (ran.returncode, machine.uv_calls) == (2, [])
    assert "Run `sudo apt-get install -y python3-venv`" in ran.stderr


def test_without_uv_one_is_installed_beside_the_project_and_kept(machine: Machine) -> None:
    (machine.path / "uv").rename(machine.path / "uv-to-install")
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.put(
        "apt-get", f'#!/bin/sh\necho "$*" >>"{machine.path}/apt"\n: >"{machine.path}/has-venv"\n'
    )
    machine.put(
        "pip",
        f"""#!/bin/sh
echo "$*" >>"{machine.path}/pip-calls"
cat "{machine.path}/uv-to-install" >"{machine.project}/.uv/venv/bin/uv"
chmod +x "{machine.project}/.uv/venv/bin/uv"
""",
    )
    machine.put(
        "python3",
        f"""#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"
[ -e "{machine.path}/has-venv" ] || exit 1
mkdir -p "$4/bin"
cat "{machine.path}/pip" >"$4/bin/python"
chmod +x "$4/bin/python"
""",
    )
    assert machine.run("list").stdout == "ran list\n"
    (machine.project / ".venv" / ".lake-sync").unlink()
    assert machine.run("list").stdout == "ran list\n"
    assert (machine.path / "pip-calls").read_text() == (
        "-m pip install --quiet --disable-pip-version-check uv==0.13.9\n"
    )
    assert (machine.path / "apt").read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends python3-venv",
    ]
    assert len(machine.uv_calls) == 2


def test_no_fitting_python_is_told_in_one_message(machine: Machine) -> None:
    machine.put("python3", "#!/bin/sh\nexit 1\n")
    ran = machine.run("list")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Cartlake needs Python 3.11, 3.12 or 3.13, and none is on PATH.")
    assert not (machine.project / ".venv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["demo", "--help"],
        ["list"],
        ["doctor"],
        ["--debug", "status"],
        ["query", "x"],
    ],
)
def test_commands_that_start_nothing_need_no_java(machine: Machine, arguments: list[str]) -> None:
    assert machine.run(*arguments).stdout == f"ran {' '.join(arguments)}\n"


@pytest.mark.parametrize(
    "arguments", [["demo", "--once"], ["test"], ["--debug", "broker", "start"]]
)
@pytest.mark.parametrize("version", [None, "11.0.2", "1.8.0_292"])
def test_a_missing_or_old_java_is_told_with_one_command(
    machine: Machine, arguments: list[str], version: str | None
) -> None:
    if version is not None:
        machine.put_java(version)
    ran = machine.run(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    found = "Java 17 or newer is missing" if version is None else "17 or newer is needed"
    assert f"{found}" in ran.stderr
    assert ran.stderr.rstrip().endswith("`.")


@pytest.mark.parametrize("version", ["17.0.15", "21", "26-ea"])
def test_a_new_enough_java_is_asked_once(machine: Machine, version: str) -> None:
    machine.put_java(version)
    assert machine.run("demo").stdout == "ran demo\n"
    stamp = machine.project / ".venv" / ".lake-java"
    assert stamp.read_text().startswith(f"{machine.path}/java\n")
    machine.put_java("11.0.2 of another size")
    assert machine.run("demo").returncode == 2


def test_java_home_is_used_before_path_and_named_when_it_is_wrong(
    machine: Machine, tmp_path: Path
) -> None:
    machine.put_java("17.0.15")
    ran = machine.run("demo", JAVA_HOME=str(tmp_path / "jdk"))
    assert ran.returncode == 2
    assert f"JAVA_HOME is {tmp_path}/jdk, but there is no bin/java in it." in ran.stderr
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    shutil.move(machine.path / "java", tmp_path / "jdk" / "bin" / "java")
    assert machine.run("demo", JAVA_HOME=str(tmp_path / "jdk")).stdout == "ran demo\n"


def test_java_home_of_the_settings_file_is_used(machine: Machine, tmp_path: Path) -> None:
    machine.put_java("17.0.15")
    (machine.project / ".env").write_text(f"JAVA_HOME='{tmp_path / 'a jdk'}'\n")
    ran = machine.run("demo")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"JAVA_HOME is {tmp_path}/a jdk, but there is no bin/java in it." in ran.stderr
    (tmp_path / "a jdk" / "bin").mkdir(parents=True)
    shutil.move(machine.path / "java", tmp_path / "a jdk" / "bin" / "java")
    assert machine.run("demo").stdout == "ran demo\n"
    stamp = machine.project / ".venv" / ".lake-java"
    assert stamp.read_text().startswith(f"{tmp_path}/a jdk/bin/java\n")


def test_variables_of_another_python_or_java_do_no_harm(machine: Machine, tmp_path: Path) -> None:
    machine.put_java("17.0.15")
    machine.put("java", '#!/bin/sh\n[ -z "$JAVA_TOOL_OPTIONS" ] && echo \'version "17"\' >&2\n')
    ran = machine.run(
        "demo",
        PYTHONHOME=str(tmp_path),
        PYTHONPATH=str(tmp_path),
        PYTHONSTARTUP="no such file",
        JAVA_TOOL_OPTIONS="-javaagent:none.jar",
    )
    assert (ran.stdout, ran.returncode) == ("ran demo\n", 0)


def test_a_project_in_a_folder_with_a_colon_is_refused(machine: Machine, tmp_path: Path) -> None:
    moved = machine.project.rename(tmp_path / "12:30")
    ran = Machine(moved, machine.path).run("list")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"The project lies in {moved}, and no list of folders can hold a name with ':'. Move it to "
        "a folder without.\n"
    )


@pytest.mark.parametrize("name", ["O'Brien", '"quoted"', "50%20off", "a, b", "größe", "$HOME"])
def test_a_project_in_a_folder_with_an_odd_name_is_set_up(
    machine: Machine, tmp_path: Path, name: str
) -> None:
    machine.put_java("17.0.15")
    moved = machine.project.rename(tmp_path / name)
    assert Machine(moved, machine.path).run("demo").stdout == "ran demo\n"


@pytest.mark.parametrize("has_17", [True, False])
def test_root_on_debian_gets_java_installed(machine: Machine, has_17: bool) -> None:
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.put(
        "apt-get",
        f"""#!/bin/sh
echo "$*" >>"{machine.path}/apt-calls"
case "$*" in
*openjdk-{17 if has_17 else 21}-jre-headless)
    printf '#!/bin/sh\\necho "openjdk version \\\\"17.0.1\\\\"" >&2\\n' >"{machine.path}/java"
    chmod +x "{machine.path}/java" ;;
update*) ;;
*) exit 100 ;;
esac
""",
    )
    ran = machine.run("demo")
    assert ran.stdout == "ran demo\n"
    install = "install -y -qq --no-install-recommends openjdk-{}-jre-headless".format
    expected = ["update -qq", install(17)] if has_17 else ["update -qq", install(17), install(21)]
    assert (machine.path / "apt-calls").read_text().splitlines() == expected


@pytest.mark.parametrize(("command", "gets"), [("test", ["chromium"]), ("demo", [])])
def test_root_on_debian_gets_the_browser_of_the_tests_installed(
    machine: Machine, command: str, gets: list[str]
) -> None:
    machine.put_java("17.0.15")
    machine.put("id", "#!/bin/sh\necho 0\n")
    calls = machine.path / "apt-calls"
    machine.put("apt-get", f'#!/bin/sh\necho "$*" >>"{calls}"\n')
    assert machine.run(command).stdout == f"ran {command}\n"
    asked = calls.read_text().split() if calls.exists() else []
    assert [word for word in asked if word == "chromium"] == gets


def test_the_wrapper_is_plain_posix_shell() -> None:
    assert os.access(PROJECT_ROOT / "lake", os.X_OK)
    assert (PROJECT_ROOT / "lake").read_text().startswith("#!/bin/sh\n")
    for shell in (["/bin/sh", "-n"], ["bash", "--posix", "-n"]):
        checked = subprocess.run(
            [*shell, PROJECT_ROOT / "lake"], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")
