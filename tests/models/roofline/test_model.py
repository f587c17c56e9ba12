"""Roofline, datasheet form: hand-worked operators, the roof itself, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry
from dse.errors import InputError
from dse.spec import Result
from models.roofline import model as page
from models.roofline.config import Device, Network, Pass, Precision
from models.roofline.model import MODEL

properties = settings(derandomize=True, deadline=None, max_examples=60)

PLAIN = {"compute_efficiency": 1.0, "memory_efficiency": 1.0, "dispatch_time": 0.0}
DECODE = {"workload": "gpt2-345m", "tokens": 1, "context": 96}


def design(**knobs: object) -> Pass:
    found = registry.configure(MODEL, knobs)
    assert isinstance(found, Pass)
    return found


def timed(**knobs: object) -> Result:
    return MODEL.evaluate(design(**knobs))


def test_the_datasheet_form_claims_no_published_point_and_fits_no_constant():
    assert all(point.settings["form"] == "calibrated" for point in MODEL.data.points)
    assert not any(n.source.kind == "fitted" for n in MODEL.data.parameters.values())


def test_a_decoded_token_streams_the_qkv_weights_of_a_v100_as_worked_by_hand():
    # 24 layers x 1024 x 3072 weights, 24 x (1024 + 3072) elements in and out, two bytes each.
    traffic = 2 * (24 * 1024 * 3072 + 24 * (1024 + 3072))
    assert timed(**DECODE).terms["qkv"] == pytest.approx(traffic / (0.75 * 900e9), rel=1e-12)


def test_a_long_prompt_keeps_the_ffn_of_a_v100_busy_as_worked_by_hand():
    # 2 x 24 layers x 1024 x 4096 FLOP for each of 8 x 1024 tokens, at half of 112 TFLOPS.
    terms = timed(workload="gpt2-345m", batch=8).terms
    assert terms["ffn_up"] == pytest.approx(
        2 * 24 * 1024 * 4096 * 8 * 1024 / (0.5 * 112e12), rel=1e-12
    )


def test_the_joint_page_s_worked_decode_follows_from_the_traffic_of_all_weights():
    # 1.152 ms for 345M on a V100 in fp16, framework kernels 1.10 times the best schedule.
    time = page.memory_time(bytes_=2 * 353_453_056, bandwidth=900e9, efficiency=0.75 / 1.10)
    assert time == pytest.approx(1.152e-3, rel=1e-4)
    terms = timed(**DECODE, memory_efficiency=0.75 / 1.10).terms
    linear = ("qkv", "projection", "ffn_up", "ffn_down", "lm_head")
    # The page also moves the activations of the linear layers: 0.1 % at one token.
    assert sum(terms[name] for name in linear) == pytest.approx(time, rel=2e-3)


def test_operations_of_a_token_are_two_per_weight_and_four_per_cached_width():
    flops = timed(**DECODE).metrics["flops"]
    products = 2 * 353_453_056 + 24 * 4 * 1024 * 96
    assert products < flops < 1.003 * products


def test_kernels_start_one_after_another():
    net = design().workload
    calls = sum(operator.calls for operator in net.operators)
    assert timed(dispatch_time="60 us").terms["launch"] == pytest.approx(60e-6 * calls, rel=1e-12)
    assert timed(dispatch_time=0).terms["launch"] == 0


def test_decoding_is_bound_by_memory_and_a_long_prompt_by_arithmetic():
    assert timed(**DECODE, dispatch_time=0).bottleneck() == "memory"
    assert timed(batch=8).bottleneck() == "compute"
    assert timed(**DECODE, dispatch_time="60 us").bottleneck() == "launch"


def test_the_footprint_counts_weights_and_cache_at_the_width_in_use():
    half = timed(**DECODE, batch=4, precision="fp16").metrics["memory_footprint"]
    net = design(**DECODE).workload
    assert half == 2 * (net.parameters + 4 * 96 * 2 * 24 * 1024)
    assert timed(**DECODE, batch=4, precision="fp32").metrics["memory_footprint"] == 2 * half


def test_a_network_larger_than_the_device_is_infeasible_and_still_timed():
    result = timed(workload="llama2-13b")
    assert not result.metrics["feasible"]
    assert np.isfinite(result.metrics["latency"])
    assert timed(workload="llama2-13b", device="a100-pcie-40gb").metrics["feasible"]


@pytest.mark.parametrize(
    ("precision", "rate"),
    [("fp32", 19.49e12), ("tf32", 156e12), ("fp16", 312e12), ("bf16", 312e12), ("int8", 624e12)],
)
def test_a_precision_runs_at_its_own_peak(precision: str, rate: float):
    config = design(device="a100-pcie-40gb", precision=precision)
    assert page.peak(config.device, config.precision) == rate


@pytest.mark.parametrize("precision", MODEL.data.tables["precision"])
def test_every_precision_switches_on_one_peak(precision: str):
    row = registry.record(Precision, "roofline.precision", precision)
    switches = row.model_dump(exclude={"slug", "width"})
    assert switches == {name: float(name == precision) for name in switches}


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"precision": "tf32"}, "peak at this precision is known.*set precision"),
        ({"precision": "fp8", "device": "a100-pcie-40gb"}, "peak at this precision is known"),
        ({"precision": "fp64"}, "unknown precision 'fp64'"),
        ({"device": "v100"}, "unknown gpu 'v100'; did you mean"),
        ({"batch": 0}, "batch"),
        ({"tokens": 1.5}, "whole number"),
        ({"memory_efficiency": 1.5}, "memory_efficiency"),
        ({"dispatch_time": "5 m"}, "dispatch_time"),
    ],
)
def test_what_is_not_covered_is_refused(knobs: dict[str, object], words: str):
    with pytest.raises(InputError, match=words):
        design(**knobs)


@pytest.mark.parametrize(
    ("flag", "knobs"),
    [
        ("small", {"tokens": 1}),
        ("context", {"context": 512}),
        ("plain", {"compute_efficiency": 1, "memory_efficiency": 1}),
    ],
)
def test_a_known_weak_regime_raises_its_flag(flag: str, knobs: dict[str, object]):
    assert not timed().flags[flag]
    assert timed(**knobs).flags[flag]
    assert set(timed().flags) == set(MODEL.flags) | set(MODEL.remarks)


sizes = st.integers(1, 4096).map(float)
designs = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 512).map(float),
        "tokens": sizes,
        "context": sizes,
        "compute_efficiency": st.floats(0.05, 1),
        "memory_efficiency": st.floats(0.05, 1),
        "dispatch_time": st.floats(0, 1e-4),
    }
)


@properties
@given(knobs=designs)
def test_terms_sum_to_the_latency_between_full_and_no_overlap(knobs: dict[str, float]):
    result = timed(**knobs)
    latency = float(result.metrics["latency"])
    raw = {name: float(value) for name, value in result.resources.items()}
    assert sum(map(float, result.terms.values())) == pytest.approx(latency, rel=1e-12)
    assert latency >= (max(raw["compute"], raw["memory"]) + raw["launch"]) * (1 - 1e-12)
    assert latency <= sum(raw.values()) * (1 + 1e-12)


@properties
@given(knobs=designs)
def test_no_design_rises_above_the_roof(knobs: dict[str, float]):
    config = design(**knobs)
    metrics = MODEL.evaluate(config).metrics
    roof = min(112e12, float(metrics["intensity"]) * 900e9)
    assert metrics["achieved_flops"] <= roof * (1 + 1e-12)
    assert metrics["utilisation"] * 112e12 == pytest.approx(float(metrics["achieved_flops"]))


@properties
@given(flops=st.floats(1, 1e9), moved=st.floats(1, 1e6), tokens=sizes)
def test_one_operator_without_overheads_meets_the_roof(flops: float, moved: float, tokens: float):
    only = {"slug": "only", "kind": "gemm", "flops_token": flops, "moved_token": moved}
    net = {"parameters": 1, "operators": [only]}
    metrics = timed(**PLAIN, tokens=tokens, workload=net).metrics
    roof = min(112e12, flops / (2 * moved) * 900e9)
    assert float(metrics["achieved_flops"]) == pytest.approx(roof, rel=1e-12)


@properties
@given(knobs=designs, row=st.sampled_from(["memory_bandwidth", "peak_fp16"]))
def test_a_faster_device_is_never_slower(knobs: dict[str, float], row: str):
    v100 = dict(registry.catalog("gpus")["v100-pcie-16gb"])
    v100 = {name: v100[name] for name in Device.model_fields if name in v100}
    base = timed(**knobs, device=v100).metrics["latency"]
    faster = timed(**knobs, device=v100 | {row: 2 * v100[row]}).metrics["latency"]
    assert base / 2 * (1 - 1e-12) <= faster <= base


@properties
@given(rows=st.lists(designs, min_size=1, max_size=5))
def test_a_design_alone_equals_its_row_of_a_batch(rows: list[dict[str, float]]):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    batch = MODEL.evaluate(Pass.batched(columns, design()))
    for i, row in enumerate(rows):
        alone = timed(**row)
        for group in ("metrics", "terms", "resources", "flags"):
            for name, value in getattr(alone, group).items():
                whole = np.broadcast_to(getattr(batch, group)[name], len(rows))
                assert whole[i] == pytest.approx(float(value), rel=1e-12), name


def test_devices_precisions_and_networks_can_be_columns_of_a_batch():
    rows = [
        {"device": "t4", "precision": "int8", "workload": "gpt2-345m"},
        {"device": "a100-pcie-40gb", "precision": "fp32", "workload": "gpt2-774m"},
        {"device": "h100-pcie-80gb", "precision": "fp8", "workload": "gpt2-xl"},
    ]
    alone = [design(**row) for row in rows]
    code = np.arange(3)
    batch = Pass.batched(
        {
            "device": Device.take([one.device for one in alone], code),
            "precision": Precision.take([one.precision for one in alone], code),
            "workload": Network.take([one.workload for one in alone], code),
        },
        alone[0],
    )
    result = MODEL.evaluate(batch)
    for i, one in enumerate(alone):
        single = MODEL.evaluate(one)
        assert result.metrics["latency"][i] == pytest.approx(float(single.metrics["latency"]))
        assert {k: v[i] for k, v in result.terms.items()} == pytest.approx(
            {k: float(v) for k, v in single.terms.items()}
        )


def test_networks_with_other_operators_cannot_share_a_batch():
    nets = [design(workload=slug).workload for slug in ("gpt2", "bert-base")]
    with pytest.raises(InputError, match="different families"):
        Network.take(nets, np.array([0, 1]))


def test_an_operator_without_a_name_is_numbered():
    nameless = {"kind": "gemm", "flops_token": 2, "moved_token": 1}
    net = {"parameters": 1, "operators": [nameless, nameless]}
    assert set(timed(workload=net).terms) == {"operator_0", "operator_1", "launch"}
