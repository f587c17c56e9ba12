"""Networks of branches: counted from their parts, and refused where they are none."""

from typing import Any

import pytest

from dse import registry, verbs
from dse.errors import InputError
from workloads.branched import FAMILY, described, networks, structures

EDGE = networks()["wide-deep-edge"]


def changed(**changes: Any) -> dict[str, Any]:
    branches = [dict(branch) for branch in structures()["wide-deep-edge"].branches]
    branches[-1] |= changes
    return {"slug": "mine", "title": "Mine", "branches": branches}


def test_parameters_are_those_of_the_branches() -> None:
    assert EDGE.parameters == 11_690_000 + 524_288 + 4_000_000 + 1_200_000


def test_operators_do_the_work_of_the_branches() -> None:
    assert sum(op.flops_token for op in EDGE.operators) == 3.63e9 + 1.05e8 + 8e6 + 2.4e6
    recurrent = EDGE.operators[1]
    assert recurrent.weights == 100 * 524_288  # every step reads them again
    assert recurrent.calls == 100


def test_the_roofline_page_prices_it_as_any_network() -> None:
    answer = verbs.evaluate("roofline", {"workload": "wide-deep-edge", "tokens": 1, "context": 1})
    assert answer["metrics"]["latency"]["value"] > 0


def test_a_workload_file_describes_one() -> None:
    assert described(changed(flops=5e6), "mine.yaml").branches[-1].flops == 5e6
    assert registry.families()["branched"] is FAMILY


def test_the_head_comes_last_and_alone() -> None:
    with pytest.raises(InputError, match="last branch alone"):
        described(changed(joins=0), "mine.yaml")


def test_more_branches_than_a_scheduler_can_try_are_refused() -> None:
    many = changed()
    many["branches"] = many["branches"][:1] * 6 + many["branches"][-1:]
    with pytest.raises(InputError, match="branches"):
        described(many, "mine.yaml")
