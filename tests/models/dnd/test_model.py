"""DnD: measured and published points, hand-worked numbers, and what must hold for every design."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import validate
from dse.spec import leaf
from models.dnd import model as page
from models.dnd.model import MODEL
from tests.models.dnd.designs import LENET, design, error, metric, point, priced

properties = settings(derandomize=True, deadline=None, max_examples=60)

CONV = {"operator": "conv", "instructions": 443, "loops": 6}
POOL = {"operator": "pool", "instructions": 210, "loops": 2}


def given_number(name: str) -> float:
    return MODEL.data.parameters[name].value


def test_the_measured_convolution_is_priced_as_it_was_measured():
    # 458.2 s are identify 126.8, extract 331.3 and lift 0.16, which add up to 458.26.
    assert metric("recovery_time", **CONV) == pytest.approx(458.2, rel=2e-4)


def test_a_function_is_priced_alone_in_a_loaded_binary():
    result = priced(**CONV)
    assert result.terms["locate"] == 0
    assert result.terms["parameters"] == 0
    assert result.metrics["functions"] == 1
    assert result.metrics["binary_instructions"] == 443


@pytest.mark.parametrize(
    "knob", [{"workload": "vgg16"}, {"compiler": "tvm-o3"}, {"isa": "x86-64"}]
)
def test_a_function_is_given_as_compiled(knob: dict[str, object]):
    assert metric("recovery_time", **CONV, **knob) == metric("recovery_time", **CONV)


def test_fit_points_are_met_within_0_1_percent_as_each_has_its_own_constant():
    # The steps of the pooling add up to 10.71 s, its total is given as 10.7 s.
    assert max(abs(error(one)) for one in MODEL.data.select("fit")) <= 1e-3


def test_the_constants_are_the_least_squares_of_their_points_to_5_digits():
    for name, value in validate.fit(MODEL).items():
        assert value == pytest.approx(given_number(name), rel=1e-5)


def test_a_linear_layer_has_the_coefficient_of_a_convolution_and_says_so():
    linear = priced(**{**CONV, "operator": "fc"})
    assert linear.metrics["recovery_time"] == metric("recovery_time", **CONV)
    assert linear.flags["linear"]
    assert "10 times" in MODEL.remarks["linear"]
    assert not priced(**CONV).flags["linear"]


def test_lenet_takes_over_15_minutes_and_poolings_1_to_2_percent_of_it():
    functions = (
        ("conv", 443, 6),
        ("pool", 210, 2),
        ("conv", 610, 9),
        ("pool", 228, 3),
        ("fc", 169, 2),
    )
    times = [
        metric("recovery_time", operator=kind, instructions=size, loops=nest)
        for kind, size, nest in functions
    ]
    assert sum(times) > 15 * 60
    assert 0.01 < (times[1] + times[3]) / sum(times) < 0.02


def test_lenet_as_a_network_has_the_5_functions_of_its_7_operators():
    assert metric("functions", workload=LENET) == 5
    assert metric("functions", workload=LENET, compiler="tvm-o0") == 7


def test_a_network_s_time_by_hand():
    # LeNet under Glow, conv_0 twice, fc_4, pool_1 twice, at one retry in six:
    # (443 6)^1.2 = 12867, (169 2)^1.2 = 1083.2, (210 2)^1.2 = 1405.7;
    # 1.2 (0.0296658 (2 12867 + 1083.2) + 0.0063372 (2 1405.7)) = 954.67 + 21.38 = 976.05 s;
    # loading 1.0843 ms (2 443 + 169 + 2 210) = 1.60 s, lifting 3 0.16 + 2 0.01 = 0.50 s,
    # parameters 1.32 ms 5994 = 7.91 s.
    assert metric("recovery_time", workload=LENET) == pytest.approx(986.06, rel=1e-4)


def test_parameters_take_what_the_sheet_says():
    # 1.32 ms each: 7.9 s, 102.6 s, and 4.3 h for 11.7 M, which the sheet gives as 8, 102 and 4.3.
    for count, seconds in ((5994, 8), (77706, 102), (11.7e6, 4.3 * 3600)):
        time = metric("parameter_time", operator="fc", parameters=count)
        assert time == pytest.approx(seconds, rel=0.02)


def test_parameters_are_the_bottleneck_of_a_network_of_11_million():
    assert priced(workload="resnet18").bottleneck() == "solver"
    assert priced(workload="resnet18", extraction="bulk").bottleneck() == "execution"


def test_the_joint_page_s_worked_recovery_is_met_with_its_constants():
    large = page.operator_time(coefficient=leaf(0.0356), instructions=leaf(443), loops=leaf(6))
    small = page.operator_time(coefficient=leaf(0.00760), instructions=leaf(210), loops=leaf(2))
    tries = page.attempts(failure=leaf(1 / 6))
    numbers = page.parameter_time(
        parameters=leaf(11.69e6), solve_time=leaf(1.3e-3), functions=leaf(21), bulk=leaf(0)
    )
    hours = (tries * (21 * large + 48 * small) + numbers) / 3600
    # Its coefficients are printed with three digits.
    assert hours == pytest.approx(7.59894, rel=1e-3)
    assert page.recovery_probability(support=leaf(0.974), types=leaf(6)) == pytest.approx(
        0.853795, rel=1e-6
    )


def test_a_network_of_resnet18_s_types_comes_back_with_0_85():
    assert metric("operator_types", workload="resnet18") == 6
    assert metric("recovery_probability", workload="resnet18") == pytest.approx(0.854, abs=5e-4)


def test_uniform_support_would_contradict_the_networks_that_were_supported():
    uniform = page.recovery_probability(support=leaf(59 / 70), types=leaf(8))
    assert uniform == pytest.approx(0.255, abs=1e-3)
    assert abs(error(point("models-supported"))) < 1e-5
    assert point("models-supported").number.value > 3 * uniform


def test_fifteen_of_fifteen_leave_0_82():
    assert metric("correctness_bound") == pytest.approx(0.82, abs=2e-3)


@pytest.mark.parametrize("isa", ["avx512", "gpu"])
def test_what_cannot_be_lifted_is_out_of_scope_and_not_called_safe(isa: str):
    result = priced(isa=isa)
    assert not result.metrics["feasible"]
    assert result.metrics["recovered_share"] == 0
    assert result.metrics["recovery_probability"] == 0
    assert result.flags["scope"]
    assert "out of the tool's scope" in MODEL.remarks["scope"]
    assert "not mean safe" in MODEL.remarks["scope"]


@pytest.mark.parametrize("isa", ["thumb", "aarch64", "x86-64"])
def test_the_paper_s_three_instruction_sets_are_in_scope(isa: str):
    result = priced(isa=isa)
    assert result.metrics["feasible"]
    assert not result.flags["scope"]


def test_a_network_brings_its_own_parameters_and_the_idle_knob_is_called_out():
    alone, beside = priced(), priced(parameters=1e6)
    assert beside.metrics["recovery_time"] == alone.metrics["recovery_time"]
    assert beside.flags["own"]
    assert not alone.flags["own"]


def test_skip_connections_are_called_out_where_nothing_is_fused():
    assert priced(workload="resnet18", compiler="tvm-o0").flags["skips"]
    assert not priced(workload="resnet18", compiler="glow").flags["skips"]
    assert not priced(workload="vgg16", compiler="tvm-o0").flags["skips"]
    assert "three functions" in MODEL.remarks["skips"]


def test_a_failure_in_six_makes_a_first_attempt_five_sixths_of_what_was_measured():
    assert metric("conv_time", **CONV, failure=0) == pytest.approx(
        5 / 6 * metric("conv_time", **CONV), rel=1e-12
    )


@pytest.mark.parametrize(
    ("flag", "knobs"),
    [
        ("large", {**CONV, "loops": 7}),
        ("small", {**POOL, "loops": 1}),
        ("network", {"workload": "gpt2"}),
        ("compiler", {"compiler": "tvm-o0"}),
        ("depthwise", {"workload": "mobilenet-v2"}),
        ("bulk", {"extraction": "bulk"}),
    ],
)
def test_a_prediction_that_needs_words_gets_them(flag: str, knobs: dict[str, object]):
    assert priced(**knobs).flags[flag]
    assert not priced(**CONV).flags[flag]
    assert not priced().flags[flag]


def test_every_time_is_called_an_order_of_magnitude_until_both_coefficients_are_one_s_own():
    assert priced().flags["order"]
    assert priced(conv_coefficient=0.01).flags["order"]
    assert not priced(conv_coefficient=0.01, pool_coefficient=0.001).flags["order"]


def test_classes_of_operators_add_up_to_the_symbolic_execution():
    for workload in ("resnet18", "mobilenet-v2", "bert-base"):
        result = priced(workload=workload, compiler="tvm-o0")
        classes = sum(result.metrics[f"{name}_time"] for name in ("conv", "fc", "other"))
        assert classes == pytest.approx(result.resources["execution"], rel=1e-12)


@properties
@given(parameters=st.floats(1, 1e9), factor=st.floats(1, 100), solve=st.floats(5e-4, 5e-3))
def test_time_is_linear_in_parameters(parameters: float, factor: float, solve: float):
    def time(count: float) -> float:
        config = page.Binary.batched({"parameters": count, "solve_time": solve}, design(**CONV))
        return float(MODEL.evaluate(config).metrics["recovery_time"])

    # Differences of sums lose the digits that 458 s of execution hold.
    slack = 1e-12 * time(factor * parameters)
    slope = (time(factor * parameters) - time(0)) - factor * (time(parameters) - time(0))
    assert abs(slope) <= factor * slack


@properties
@given(size=st.floats(50, 1e4), nest=st.floats(1, 40), factor=st.floats(1, 10))
def test_only_the_product_of_instructions_and_loops_counts(
    size: float, nest: float, factor: float
):
    one = page.operator_time(
        coefficient=leaf(1), instructions=leaf(size * factor), loops=leaf(nest)
    )
    other = page.operator_time(
        coefficient=leaf(1), instructions=leaf(size), loops=leaf(nest * factor)
    )
    assert one == pytest.approx(float(other), rel=1e-12)


@properties
@given(parameters=st.floats(0, 1e9), functions=st.integers(0, 200))
def test_bulk_extraction_costs_at_most_the_stride_more(parameters: float, functions: int):
    knobs = {
        "parameters": leaf(parameters),
        "solve_time": leaf(1.32e-3),
        "functions": leaf(functions),
    }
    each = page.parameter_time(**knobs, bulk=leaf(0))
    bulk = page.parameter_time(**knobs, bulk=leaf(1))
    assert bulk <= each + given_number("read_time") * parameters


@properties
@given(support=st.floats(0.5, 1), types=st.integers(1, 30))
def test_more_types_never_come_back_more_surely(support: float, types: int):
    fewer = page.recovery_probability(support=leaf(support), types=leaf(types))
    more = page.recovery_probability(support=leaf(support), types=leaf(types + 1))
    assert more <= fewer <= 1


@properties
@given(successes=st.integers(1, 1000))
def test_the_bound_is_the_rate_at_which_all_successes_still_happen_with_5_percent(successes: int):
    bound = page.correctness_bound(successes=leaf(successes), miss=leaf(0.05))
    assert math.pow(float(bound), successes) == pytest.approx(0.05, rel=1e-9)


def test_a_batch_of_kinds_prices_each_as_alone():
    kinds = ["conv", "fc", "pool", "network"]
    rows = [design(operator=kind).operator for kind in kinds]
    column = page.Class.take(rows, np.arange(4))
    together = MODEL.evaluate(page.Binary.batched({"operator": column}, design()))
    alone = [metric("recovery_time", operator=kind) for kind in kinds]
    assert together.metrics["recovery_time"] == pytest.approx(alone, rel=1e-12)
