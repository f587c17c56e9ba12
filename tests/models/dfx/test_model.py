"""DFX: published points, hand-worked numbers, and what must hold for every design."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from dse import registry
from dse.errors import InputError
from dse.provenance import Point
from dse.spec import Result
from models.dfx import model as page
from models.dfx.config import Appliance, Board
from models.dfx.model import MODEL

properties = settings(derandomize=True, deadline=None, max_examples=60)

FITTED = ("stream_efficiency", "layer_overhead")
PUBLISHED_TILES = {("gpt2-345m", 1): 12288, ("gpt2-774m", 2): 9600, ("gpt2-1.5b", 4): 6912}


def design(**knobs: object) -> Appliance:
    found = registry.configure(MODEL, knobs)
    assert isinstance(found, Appliance)
    return found


def priced(**knobs: object) -> Result:
    return MODEL.evaluate(design(**knobs))


def predicted(point: Point, **knobs: object) -> float:
    return float(priced(**point.settings, **knobs).metrics[point.quantity])


def errors(points: tuple[Point, ...], **knobs: object) -> np.ndarray:
    return np.array([predicted(p, **knobs) / p.number.value - 1 for p in points])


def check(name: str) -> Point:
    return next(point for point in MODEL.data.select("check") if point.id == name)


def test_every_fit_point_is_met_within_the_bar_of_0_7_percent():
    assert np.max(np.abs(errors(MODEL.data.select("fit")))) <= 0.007


def test_the_constants_are_the_least_squares_of_the_fit_points_to_4_digits():
    points = MODEL.data.select("fit")
    stored = np.array([MODEL.data.parameters[name].value for name in FITTED])
    start = np.array([1.2, 0.8])
    found = least_squares(
        lambda scale: errors(points, **dict(zip(FITTED, scale * stored, strict=True))),
        start,
        xtol=1e-12,
        ftol=1e-12,
    )
    assert found.x == pytest.approx([1.0, 1.0], abs=1e-4)


def test_the_constants_name_exactly_the_fit_points():
    fit = {point.id for point in MODEL.data.select("fit")}
    for name in FITTED:
        assert set(MODEL.data.parameters[name].fitted_on) == fit
        assert MODEL.data.parameters[name].source.kind == "fitted"


@pytest.mark.parametrize("name", ["headline-speed", "headline-cost", "1.5b-4-flops", "dsp"])
def test_check_points_that_shaped_no_constant_are_met_within_2_percent(name: str):
    assert predicted(check(name)) == pytest.approx(check(name).number.value, rel=0.02)


def test_the_remembered_powers_contradict_the_headline_and_are_not_tuned_to_it():
    point = check("headline-energy")
    assert predicted(point) / point.number.value == pytest.approx(1.45, abs=0.03)
    # The note's way out, 5.58 / 3.99 x 47.5 W a GPU = 66.4 W a board; the speed-up is 1.5 % off.
    assert predicted(point, board_power=66.4) == pytest.approx(point.number.value, rel=0.02)


def test_prompt_and_output_tokens_cost_the_same_up_to_the_calibrated_context():
    times = [
        priced(input_tokens=a, output_tokens=b).metrics["token_time"]
        for a, b in ((32, 1), (1, 32), (64, 64), (128, 256))
    ]
    assert times == pytest.approx([float(times[0])] * 4, rel=1e-12)


def test_rates_and_latency_say_the_same():
    metrics = priced(input_tokens=48, output_tokens=80).metrics
    assert metrics["latency"] == pytest.approx(metrics["token_time"] * 128, rel=1e-12)
    assert metrics["tokens_per_second"] == pytest.approx(80 / metrics["latency"], rel=1e-12)
    assert metrics["energy_per_token"] == pytest.approx(metrics["energy"] / 80, rel=1e-12)
    assert metrics["energy"] == pytest.approx(4 * 45 * metrics["latency"], rel=1e-12)
    assert metrics["cost_effectiveness"] * metrics["cost"] == pytest.approx(
        metrics["tokens_per_second"], rel=1e-12
    )


def test_the_joint_page_s_worked_decode_is_met_with_its_constants():
    knobs = {"workload": "gpt2-345m", "fpgas": 1, "stream_efficiency": 0.4369}
    terms = priced(**knobs, layer_overhead="59.45 us").terms
    streamed = (terms["matrices"] + terms["head"]) / 128
    assert streamed == pytest.approx(3.95021e-3, rel=2e-6)
    assert terms["layers"] / 128 == pytest.approx(1.42680e-3, rel=1e-6)
    shape = {"head_dim": 64, "limit": 384, "depth": 64, "lanes": 16}
    row = page.attention_weights(passes=96, **shape) - page.attention_weights(passes=95, **shape)
    assert 24 * 16 * row / (204.8e9 * 0.4369) == pytest.approx(0.0615244e-3, rel=1e-6)


@pytest.mark.parametrize(("network", "fpgas"), PUBLISHED_TILES)
def test_weight_tiles_per_layer_are_those_of_the_sheet(network: str, fpgas: int):
    net = design(workload=network, fpgas=fpgas).workload
    fill = page.padding(width=net.width, fpgas=fpgas, depth=64, lanes=16)
    tiles = fill * net.matrix_weights / (net.layers * fpgas * 64 * 16)
    assert tiles == PUBLISHED_TILES[network, fpgas]


def test_matrices_that_do_not_fill_their_tiles_stream_the_padding():
    assert page.padding(width=1536, fpgas=4, depth=64, lanes=16) == 1
    assert page.padding(width=1600, fpgas=1, depth=128, lanes=16) == pytest.approx(13 * 128 / 1600)
    assert page.padding(width=100, fpgas=1, depth=50, lanes=30) == pytest.approx(1.2)


def test_3072_blocks_multiply_and_add_at_the_paper_s_tile():
    assert page.dsp_blocks(depth=64, lanes=16) - 5 * 64 - 150 == 3072


def test_the_ring_s_lower_bound_stays_inside_the_fitted_layer_time():
    for network, fpgas in PUBLISHED_TILES:
        bound = priced(workload=network, fpgas=fpgas).metrics["sync_time"]
        assert (bound > 0) == (fpgas > 1)
        assert bound < MODEL.data.parameters["layer_overhead"].value


@properties
@given(passes=st.integers(1, 1500), limit=st.integers(1, 1500), tile=st.integers(1, 300))
def test_context_tiles_equal_the_sum_over_passes(passes: int, limit: int, tile: int):
    by_hand = sum(-(-min(c, limit) // tile) for c in range(1, passes + 1))
    assert page.context_tiles(passes=passes, limit=limit, tile=tile) == by_hand


def test_attention_is_charged_beyond_the_calibrated_context_only():
    def attention(tokens: int) -> float:
        return float(priced(input_tokens=tokens, output_tokens=1).terms["attention"])

    assert attention(383) == 0
    # The 385th pass streams one more key tile and one more value tile row than the 384th.
    tile_time = 64 * 16 / (204.8e9 * MODEL.data.parameters["stream_efficiency"].value)
    assert attention(384) == pytest.approx(48 * 24 / 4 * (1 + 4) * tile_time, rel=1e-9)
    assert attention(1000) > attention(500) > 0


def test_tiles_wider_than_a_head_waste_attention():
    long = {"input_tokens": 512, "output_tokens": 512}
    narrow, wide = priced(**long), priced(**long, depth=128, lanes=8)
    assert wide.terms["matrices"] == narrow.terms["matrices"]
    assert wide.terms["attention"] > narrow.terms["attention"]


def test_a_board_with_slow_memory_is_bound_by_it():
    assert priced().bottleneck() == "compute"
    assert priced(clock="300 MHz").bottleneck() == "memory"
    assert priced(fpga="u50", fpgas=2).bottleneck() == "memory"
    fast = priced(clock="300 MHz").terms["matrices"]
    assert fast == pytest.approx(priced(clock="224.609375 MHz").terms["matrices"], rel=1e-12)


def test_what_does_not_fit_is_infeasible_and_still_priced():
    assert priced().metrics["feasible"]
    for too_much in ({"depth": 64, "lanes": 64}, {"workload": "llama2-7b", "fpgas": 1}):
        result = priced(**too_much)
        assert not result.metrics["feasible"]
        assert np.isfinite(result.metrics["latency"])


def test_capacity_counts_weights_and_the_cache_of_all_tokens():
    # 345M: 353,453,056 weights and 2 x 24 x 1024 cached elements per token, two bytes each.
    footprint = priced(workload="gpt2-345m", fpgas=2).metrics["memory_footprint"]
    assert footprint == 353_453_056 + 49_152 * 128


def test_ratios_to_the_gpus_are_unknown_for_networks_they_were_not_measured_on():
    metrics = priced(workload="gpt2-345m", fpgas=1).metrics
    for name in ("speedup", "energy_efficiency", "cost_effectiveness_ratio"):
        assert np.isnan(metrics[name])
        assert np.isfinite(priced().metrics[name])


def test_a_board_without_a_price_has_no_cost_rather_than_none():
    board = {k: v for k, v in design().fpga.model_dump().items() if k != "price"}
    metrics = priced(fpga=board).metrics
    assert np.isnan(metrics["cost"])
    assert np.isfinite(metrics["energy"])


@pytest.mark.parametrize(
    ("flag", "knobs"),
    [
        ("network", {"workload": "gpt2"}),
        ("ring", {"fpgas": 8}),
        ("tile", {"depth": 32}),
        ("tile", {"clock": "250 MHz"}),
        ("board", {"fpga": "u55c"}),
        ("context", {"input_tokens": 321}),
    ],
)
def test_leaving_the_calibrated_range_raises_its_flag(flag: str, knobs: dict[str, object]):
    assert not priced().flags[flag]
    assert priced(**knobs).flags[flag]


def test_the_energy_warning_stands_until_a_power_is_given():
    assert priced().flags["power"]
    assert not priced(board_power="66 W").flags["power"]
    assert set(priced().flags) == {*MODEL.flags, *MODEL.remarks}


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"workload": "gpt2-xl", "fpgas": 4}, r"heads % fpgas == 0.*set fpgas to a divisor"),
        ({"fpgas": 5}, "heads % fpgas == 0"),
        ({"workload": "bert-base"}, "workload is a decoder.*set workload"),
        ({"board_power": "300 W"}, "board_power <= power of the board"),
        ({"fpgas": 1.5}, "fpgas"),
        ({"input_tokens": 0}, "input_tokens"),
        ({"clock": "200 MB"}, "clock"),
        ({"fpga": "u250"}, "hbm_bandwidth"),
        ({"tile": 3}, "unknown knob 'tile'"),
    ],
)
def test_what_is_not_covered_is_refused(knobs: dict[str, object], words: str):
    with pytest.raises(InputError, match=words):
        design(**knobs)


def test_a_ring_needs_a_known_link():
    board = {k: v for k, v in design().fpga.model_dump().items() if k != "link_bandwidth"}
    with pytest.raises(InputError, match=r"link is unknown.*set fpgas to 1"):
        design(fpga=board, fpgas=2)
    alone = priced(fpga=board, fpgas=1)
    assert alone.metrics["sync_time"] == 0
    assert np.all(np.isfinite([alone.resources[name] for name in alone.resources]))


knobs = st.fixed_dictionaries(
    {
        "fpgas": st.sampled_from([1.0, 2.0, 4.0, 8.0]),
        "input_tokens": st.integers(1, 1024).map(float),
        "output_tokens": st.integers(1, 1024).map(float),
        "depth": st.sampled_from([16.0, 32.0, 64.0, 100.0, 128.0, 256.0]),
        "lanes": st.sampled_from([4.0, 8.0, 16.0, 24.0, 32.0, 64.0]),
        "clock": st.floats(1e8, 3e8),
        "stream_efficiency": st.floats(0.2, 1),
    }
)


@properties
@given(knobs=knobs)
def test_terms_sum_to_the_latency_and_all_numbers_are_finite(knobs: dict[str, float]):
    result = priced(**knobs)
    assert sum(map(float, result.terms.values())) == pytest.approx(
        float(result.metrics["latency"]), rel=1e-12
    )
    assert set(result.metrics) == set(MODEL.metrics)
    assert np.all(np.isfinite([float(v) for v in result.metrics.values()]))
    assert min(map(float, result.terms.values())) >= 0


@properties
@given(rows=st.lists(knobs, min_size=1, max_size=5))
def test_a_design_alone_equals_its_row_of_a_batch(rows: list[dict[str, float]]):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    batch = MODEL.evaluate(Appliance.batched(columns, design()))
    for i, row in enumerate(rows):
        alone = priced(**row)
        for group in ("metrics", "terms", "resources", "flags"):
            for name, value in getattr(alone, group).items():
                whole = np.broadcast_to(getattr(batch, group)[name], len(rows))
                assert whole[i] == pytest.approx(float(value), rel=1e-12), name


@properties
@given(knobs=knobs)
def test_more_boards_clock_or_bandwidth_never_slow_a_token(knobs: dict[str, float]):
    base = priced(**knobs).metrics["token_time"] * (1 + 1e-12)
    board = design().fpga.model_dump()
    faster = Board(**board | {"hbm_bandwidth": 2 * board["hbm_bandwidth"]}).model_dump()
    assert priced(**knobs | {"clock": 2 * knobs["clock"]}).metrics["token_time"] <= base
    assert priced(**knobs, fpga=faster).metrics["token_time"] <= base
    if knobs["fpgas"] < 8:
        assert priced(**knobs | {"fpgas": 2 * knobs["fpgas"]}).metrics["token_time"] <= base


def test_networks_and_boards_can_be_columns_of_a_batch():
    base = design(fpgas=2)
    nets = [design(workload=slug, fpgas=1).workload for slug in ("gpt2-345m", "gpt2-1.5b")]
    boards = [design(fpga=slug, fpgas=2).fpga for slug in ("u280", "u50")]
    code = np.array([0, 1, 1])
    batch = Appliance.batched(
        {"workload": type(nets[0]).take(nets, code), "fpga": Board.take(boards, code[::-1])}, base
    )
    expected = [
        float(priced(workload=net, fpga=board, fpgas=2).metrics["latency"])
        for net, board in (("gpt2-345m", "u50"), ("gpt2-1.5b", "u50"), ("gpt2-1.5b", "u280"))
    ]
    assert MODEL.evaluate(batch).metrics["latency"] == pytest.approx(expected, rel=1e-12)


def test_a_ring_of_three_boards_needs_two_ports_on_each():
    assert priced(fpga="u50", fpgas=2).metrics["latency"] > 0
    with pytest.raises(InputError, match="one port"):
        design(fpga="u50", fpgas=4)
