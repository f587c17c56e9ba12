"""Runs of the toy page, searched once a test module, and what a report gathers of them."""

from collections.abc import Callable, Iterator

import pytest

from dse import store
from dse.search import search
from dse.store import Run
from dse.study import build
from reports.section import Context
from tests.dse import toy
from tests.reports import made

Searched = Callable[..., Run]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    """Searches the toy's study with some entries changed, while the registry knows its page."""

    def run(**changes: object) -> Run:
        study = toy.study(**changes)
        folder = store.create(study, output=tmp_path_factory.mktemp("out") / "toy" / "run")
        search(study, folder)
        return folder

    with pytest.MonkeyPatch.context() as patch:
        toy.install(patch.setattr)
        yield run


@pytest.fixture(scope="module")
def answered(searched: Searched) -> Context:
    """What a report gathers of a search that found a front."""
    return made.context(searched())


@pytest.fixture(scope="module")
def empty(searched: Searched) -> Context:
    """What a report gathers of a search that found nothing feasible."""
    return made.context(searched(constraints=["latency <= 1 us", "energy <= 50 J"]))


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """What a report gathers of a search over the boards of a real page."""
    document = {
        "question": "Which boards serve GPT-2?",
        "model": "dfx",
        "set": {"workload": "gpt2-1.5b"},
        "space": {"fpga": "all", "fpgas": [1, 2, 4], "clock": ["150 MHz", "200 MHz"]},
        "objectives": ["latency", "cost"],
        "constraints": ["latency <= 4 s with 90 %"],
    }
    study = build("boards", document, place="boards")
    run = store.create(study, output=tmp_path_factory.mktemp("out") / "boards" / "run")
    search(study, run)
    return made.context(run)
