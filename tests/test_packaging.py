"""What gets installed: the pins follow the project file, and archives carry every room."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dse
from tests.test_house import absolute_imports

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = [line.strip() for line in LOCK.replace("\\\n", " ").splitlines() if line.strip()]
DEPENDENCIES = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
CONTENT = {"models", "workloads", "studies", "app", "reports"}


def pinned() -> dict[str, list[Requirement]]:
    pins = defaultdict(list)
    for line in PINS:
        pin = Requirement(line.split(" --hash=")[0])
        pins[canonicalize_name(pin.name)].append(pin)
    return pins


@pytest.mark.parametrize("dependency", DEPENDENCIES, ids=lambda dependency: dependency.name)
def test_every_dependency_is_pinned_inside_its_range(dependency: Requirement):
    pins = pinned()[canonicalize_name(dependency.name)]
    versions = [next(iter(pin.specifier)).version for pin in pins]
    assert versions, f"regenerate requirements.lock: no pin for {dependency}"
    assert [v for v in versions if not dependency.specifier.contains(v)] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_exactly_one_version_of_a_dependency(python: str):
    machine = {"python_version": python, "python_full_version": f"{python}.0"}

    def applies(marker: Marker | None) -> bool:
        return marker is None or marker.evaluate(machine)

    counts = {
        d.name: sum(applies(pin.marker) for pin in pinned()[canonicalize_name(d.name)])
        for d in DEPENDENCIES
    }
    assert counts == dict.fromkeys(counts, 1)


COMES_WITH = {"pydantic_core": "pydantic", "ruamel": "ruamel-yaml"}


def test_what_the_code_imports_is_declared_and_not_left_to_chance():
    ours = CONTENT | {"dse"}
    files = [path for room in ours for path in (ROOT / room).rglob("*.py")]
    imported = {name.split(".")[0] for path in files for name in absolute_imports(path)}
    distributions = {
        canonicalize_name(COMES_WITH.get(root, root))
        for root in imported - ours - set(sys.stdlib_module_names)
    }
    assert distributions - {canonicalize_name(d.name) for d in DEPENDENCIES} == set()


def test_every_pin_is_exact_and_carries_a_hash():
    exact = re.compile(r"^[\w.-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}")
    assert [line for line in PINS if not exact.match(line)] == []


def test_the_committed_pins_name_no_host_and_the_lock_that_does_is_ignored():
    assert "://" not in LOCK
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_the_wheel_carries_every_content_folder():
    tree = ast.parse((ROOT / "hatch_build.py").read_text(encoding="utf-8"))
    assigned = {n.targets[0].id: n.value for n in ast.walk(tree) if isinstance(n, ast.Assign)}
    assert set(ast.literal_eval(assigned["CONTENT"])) == CONTENT


def test_the_source_archive_carries_every_folder_and_file_that_is_built_or_tested_from():
    include = {
        name.lstrip("/")
        for name in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    }
    needed = CONTENT | {
        "dse",
        "tests",
        "hatch_build.py",
        "requirements.lock",
        "README.md",
        "LICENSE",
    }
    assert needed <= include
    assert [name for name in include if not (ROOT / name).exists()] == []


def test_types_and_arrows_are_checked_in_every_room():
    rooms = CONTENT | {"dse"}
    assert rooms <= set(PROJECT["tool"]["mypy"]["packages"])
    assert rooms <= set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_the_installed_version_is_the_project_files():
    version = PROJECT["project"]["version"]
    assert importlib.metadata.version("dse-codesign") == version
    assert getattr(dse, "__version__", version) == version


def test_the_changelog_keeps_a_place_for_what_is_not_released():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["dse search gpt2-platform", "pytest"])
def test_ci_runs_the_commands_that_the_readme_shows(command: str):
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    shown = {f"uv run {command}", f"pip install uv && uv run {command}"} & set(readme)
    assert shown, f"README.md shows no line `uv run {command}`, which .ci/run takes from it"
    assert f"readme '{command}'" in (ROOT / ".ci" / "run").read_text()
