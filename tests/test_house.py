"""Rules of the house that no single file can hold: arrows, sizes, leaks, silent skips."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("dse", "models", "workloads", "studies", "app", "reports")
FOLDERS = (*CODE, "tests", "benchmarks", "docs", "scripts", ".ci")
BUILT = re.compile(r"__pycache__|\.(pyc|png|pdf|parquet)$")
REGISTRY = re.compile(r"https?://[^ )\"]*/simple")
HOME = re.compile(r"(^|[ \"=(])/(root|home|usr/local)/", re.MULTILINE)


def files(*folders: str, pattern: str = "*") -> Iterator[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob(pattern))
    return (path for path in found if path.is_file() and not BUILT.search(str(path)))


def committed() -> Iterator[Path]:
    yield from (p for p in ROOT.iterdir() if p.is_file() and p.name not in {"uv.lock", ".git"})
    yield from files(*FOLDERS)


def relative(paths: Iterator[Path]) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def test_every_import_follows_the_arrows():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def absolute_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_rooms_name_their_neighbours_relatively_because_a_wheel_moves_them_under_dse():
    content = set(CODE) - {"dse"}
    strays = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files(*CODE, pattern="*.py")
        for name in absolute_imports(path)
        if name.split(".")[0] in content
    ]
    assert strays == []


@pytest.mark.parametrize("leak", [REGISTRY, HOME], ids=["registry host", "home path"])
def test_no_file_names_a_registry_or_a_path_of_one_machine(leak: re.Pattern[str]):
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in committed())
    assert relative(path for path, text in texts if leak.search(text)) == []


@pytest.mark.parametrize(
    ("leak", "text"),
    [
        (REGISTRY, "https" + "://host/simple"),
        (HOME, "path = " + "/" + "home/x"),
        (HOME, "/" + "root/x"),
    ],
)
def test_the_leak_patterns_see_what_they_are_for(leak: re.Pattern[str], text: str):
    assert leak.search(text)


def test_every_test_folder_is_a_package_or_it_would_shadow_its_namesake():
    folders = {path.parent for path in files("tests", pattern="*.py")} | {ROOT / "tests"}
    assert relative(folder for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_no_source_file_is_longer_than_400_lines():
    sources = (path for path in files(*CODE) if path.suffix in {".py", ".typ", ".css", ".js"})
    assert (
        relative(p for p in sources if len(p.read_text(encoding="utf-8").splitlines()) > 400) == []
    )


def test_every_module_of_the_framework_is_on_the_map_once():
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    floors = told.split("| floor of `dse/` |")[1].split("\n\n")[0]
    named = sorted(re.findall(r"`(\w+)`", floors))
    assert named == sorted(path.stem for path in (ROOT / "dse").glob("[a-z]*.py"))


SAMPLE = """
import pytest
def test_passes(): pass
def test_listed(): pytest.skip("the listed reason, in detail")
def test_other_reason(): pytest.skip("no time")
@pytest.mark.xfail
def test_wrong(): assert False
@pytest.mark.xfail(reason="the listed reason")
def test_wrong_and_listed(): assert False
"""
LIST = """
- {test: "*::test_listed", reason: the listed reason}
- {test: "*::test_other_reason", reason: the listed reason}
- {test: "*_and_listed", reason: the listed reason}
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "skips.yaml").write_text(LIST)
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    return tmp_path


def outcome(folder: Path, ci: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip().splitlines()[-1]


def test_with_ci_a_skip_or_expected_failure_fails_unless_listed_with_its_reason(sample: Path):
    code, summary = outcome(sample, "true")
    assert code == 1
    assert summary.startswith("2 failed, 1 passed, 1 skipped, 1 xfailed")


def test_with_ci_a_module_skipped_as_a_whole_fails(sample: Path):
    (sample / "test_absent.py").write_text("import pytest\npytest.importorskip('absent')\n")
    assert outcome(sample, "true")[1].startswith("1 error")


def test_without_ci_a_skip_stays_a_skip(sample: Path):
    code, summary = outcome(sample, "")
    assert code == 0
    assert summary.startswith("1 passed, 2 skipped, 2 xfailed")
