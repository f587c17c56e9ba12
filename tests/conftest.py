"""What every test shares: a hypothesis profile, the bulk data, no silent skips with CI=true."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import settings
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
NO_DATA = "bulk data is absent; set DSE_DATA to its folder"

settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


class NoSilentSkips:
    """A skip or an expected failure becomes a failure unless `skips.yaml` lists id and reason."""

    def __init__(self, listed: list[dict[str, str]]) -> None:
        self.listed = listed

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        return self.judge((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Iterator[None]:
        return self.judge((yield))

    def judge(self, report):
        if report.outcome != "skipped":
            return report
        expected = hasattr(report, "wasxfail")
        reason = report.wasxfail if expected else report.longrepr[-1]
        if not self.allows(report.nodeid, reason):
            vars(report).pop("wasxfail", None)
            report.outcome = "failed"
            report.longrepr = f"skipped, which tests/skips.yaml does not list for CI: {reason}"
        return report

    def allows(self, test: str, reason: str) -> bool:
        return any(fnmatchcase(test, e["test"]) and e["reason"] in reason for e in self.listed)


def pytest_configure(config: pytest.Config) -> None:
    """Register globally: doctests of `dse` and `models` lie outside this folder."""
    if os.environ.get("CI") == "true":
        listed = YAML(typ="safe").load(Path(__file__).with_name("skips.yaml"))
        config.pluginmanager.register(NoSilentSkips(listed or []))


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the bulk data, from `DSE_DATA` or beside the checkout."""
    folder = Path(os.environ.get("DSE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(NO_DATA)
    return folder
