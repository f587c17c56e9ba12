"""Searches that learn: what Optuna is asked, what it is told, and that a seed settles all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dse import sampler
from dse.errors import InputError
from dse.evaluate import Table, evaluate
from dse.sampler import GENERATION, generations, require
from dse.study import Study
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

METHODS = ["nsga2", "nsga3", "tpe"]


def study(method: str, budget: int, **changes: object) -> Study:
    return toys.study(search={"method": method, "budget": budget, "seed": 5}, **changes)


def whole(method: str, budget: int, **changes: object) -> Table:
    return Table.concat(list(generations(study(method, budget, **changes), method)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("budget", [1, 40, 150])
def test_a_generation_at_a_time_is_asked_until_the_budget_is_spent(method: str, budget: int):
    sizes = [len(table) for table in generations(study(method, budget), method)]
    assert sum(sizes) == budget
    assert all(size == GENERATION[method] for size in sizes[:-1])


@pytest.mark.parametrize("method", METHODS)
def test_every_design_belongs_to_the_space_and_is_canonical(method: str):
    asked = study(method, 130)
    table = whole(method, 130)
    columns = {path: table[path] for path in asked.space.by_path}
    for path, column in asked.space.canonical(columns).items():
        np.testing.assert_array_equal(column, columns[path], err_msg=path)
    for axis in asked.space.axes:
        if axis.values:
            assert set(table[axis.path]) <= {*axis.values, axis.default}
        else:
            assert (table[axis.path] >= axis.low).all()
            assert (table[axis.path] <= axis.high).all()
    np.testing.assert_array_equal(table["latency"], evaluate(asked, columns)["latency"])


def test_an_idle_default_that_is_no_choice_is_never_asked_for():
    axes = {"cached": [0, 1], "chip": {"choices": ["tiny", "large"], "when": "cached == 1"}}
    table = whole("nsga2", 100, space=axes)
    active = table["cached"] == 1
    assert set(table.words("chip")[active]) == {"tiny", "large"}
    assert set(table.words("chip")[~active]) == {"small"}


@pytest.mark.parametrize("method", ["nsga2", "nsga3"])
def test_later_generations_meet_the_constraints_more_often(method: str):
    table = whole(method, 640, constraints=["energy <= 4 J"])
    met = table["violation"] == 0
    assert np.mean(met[-128:]) > 2 * np.mean(met[:64])


def test_unknown_objectives_do_not_stop_a_search():
    axes = {"chip": ["unpriced"], "chips": [1, 2, 4], "cached": [0, 1]}
    table = whole("nsga2", 192, space=axes)
    assert np.isnan(table["cost"]).all()
    assert len(table) == 192


@pytest.mark.parametrize(
    ("method", "name"),
    [("nsga2", "NSGAIISampler"), ("nsga3", "NSGAIIISampler"), ("tpe", "TPESampler")],
)
def test_the_sampler_is_always_named(monkeypatch: pytest.MonkeyPatch, method: str, name: str):
    import optuna

    used = []
    create = optuna.create_study

    def watched(**options: object) -> object:
        used.append(type(options["sampler"]).__name__)
        return create(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(optuna, "create_study", watched)
    whole(method, 2)
    assert used == [name]


def test_without_torch_a_gaussian_process_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sampler, "find_spec", lambda _: None)
    with pytest.raises(InputError) as caught:
        require("gp")
    assert str(caught.value) == (
        "method gp needs PyTorch; install the extra 'dse-codesign[gp]' or use tpe"
    )
    for method in ("grid", "random", "qmc", *METHODS):
        require(method)


GRID_ALONE = """
import sys
from pathlib import Path
from dse import search, store
from tests.dse import toy
toy.install()
search.search(toy.study(), store.create(toy.study(), output=Path(sys.argv[1])))
sys.exit("optuna" in sys.modules)
"""


def test_a_search_without_optuna_does_not_load_it(tmp_path: Path):
    subprocess.run([sys.executable, "-c", GRID_ALONE, str(tmp_path / "run")], check=True)
