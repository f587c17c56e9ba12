"""DUET: hand-worked numbers, the abstract's bands, bounds of every placement, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry
from dse.errors import InputError
from dse.provenance import Number
from dse.spec import Array, Record, Result, knobs
from models.duet.config import DATA, GIVEN, Placement
from models.duet.model import MODEL

properties = settings(derandomize=True, deadline=None, max_examples=60)

GRAPHS = tuple(DATA.tables["graph"])
POLICIES = tuple(DATA.tables["policy"])
PAPERS = ("wide_and_deep", "siamese", "mt_dnn")
US = 1e-6
ROUNDING = 1 + 1e-12
"""Sums of the same terms in another order differ by a few ulps."""


def design(**given: object) -> Placement:
    found = registry.configure(MODEL, given)
    assert isinstance(found, Placement)
    return found


def placed(**given: object) -> Result:
    return MODEL.evaluate(design(**given))


def drawn(count: int, *, seed: int) -> dict[str, Array]:
    """Random columns of all numeric knobs, inside their bounds."""
    rng = np.random.default_rng(seed)
    columns = {}
    for knob in knobs(Placement).values():
        if knob.bounds is None:
            continue
        low, high, share = knob.bounds.low, knob.bounds.high, rng.random(count)
        spread = low * (high / low) ** share if knob.bounds.log else low + (high - low) * share
        columns[knob.path] = np.round(spread) if knob.bounds.integer else spread
    return columns


def over(columns: dict[str, Array], **given: object) -> Result:
    return MODEL.evaluate(Placement.batched(columns, design(**given)))


def test_wide_and_deep_at_its_defaults_adds_up_by_hand():
    result = placed()
    # LSTM on the CPU, 99 of 100 steps: 8 x 256^2 weights x 4 B / 8 from the cache and 5 x 256
    # numbers are 267264 B at 0.75 x 128 GB/s, 2.784 us, above 1048576 FLOP at 1.536 TFLOP/s; with
    # 1 us to start it 3.784 us. The first reads 2102272 B from memory. The picture is 602112 B
    # and ResNet-18 puts out 4000 B, at 12 GB/s and 10 us each.
    rnn = (99 * 267264 + 2102272) / 96e9 + 100 * 1e-6
    picture, classes = 10 * US + 602112 / 12e9, 10 * US + 4000 / 12e9
    assert rnn == pytest.approx(397.5 * US, rel=1e-4)
    assert result.metrics["path_d_on_gpu"] == 1
    assert [result.metrics[f"path_{p}_on_gpu"] for p in "abc"] == [0, 0, 0]
    assert result.terms["transfers"] == pytest.approx(picture + classes, rel=1e-12)
    # 20 convolutions, two poolings and the linear layer start in 5 us each; 3.6271 GFLOP of the
    # first take 0.5 x 14.9 TFLOP/s, above their traffic; folded work keeps its 0.008 GFLOP, the
    # poolings and the layer move 1029120 and 514512 numbers at 0.75 x 651.3 GB/s.
    work = (3627122688 + 4967424 + 2308096 + 752640) / 7.45e12
    cnn = work + 4 * (1029120 + 514512) / 488.475e9 + 23 * 5 * US
    assert result.terms["branches"] == pytest.approx(cnn, rel=1e-12)
    assert result.resources["gpu"] == pytest.approx(cnn, rel=1e-12)
    assert rnn < result.resources["cpu"] < cnn


def test_a_recurrent_step_costs_a_start_and_its_weights_on_the_gpu():
    result = placed(graph={"rnn_c": 1}, policy="gpu")
    # 100 steps of 5 us and (8 x 256^2 + 5 x 256) x 4 B at 0.75 x 651.3 GB/s.
    assert result.terms["branches"] == pytest.approx(100 * (5 * US + 2102272 / 488.475e9))
    assert result.flags["launch"]


def test_small_recurrent_layers_win_on_the_cpu_and_large_batches_on_the_gpu():
    alone = {"graph": {"rnn_c": 1}}
    for small in ({}, {"hidden": 128}, {"rnn_layers": 4}):
        assert placed(**alone, **small).metrics["path_c_on_gpu"] == 0
    for large in ({"batch": 64}, {"hidden": 2048}):
        assert placed(**alone, **large).metrics["path_c_on_gpu"] == 1


def test_convolutions_win_on_the_gpu_the_more_the_deeper():
    depths = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
    found = [placed(graph="chain", cnn=depth).metrics for depth in depths]
    assert all(metrics["path_d_on_gpu"] == 1 for metrics in found)
    assert all(np.diff([float(metrics["latency"]) for metrics in found]) > 0)


def test_weights_that_leave_the_cache_are_read_from_memory():
    held = {"graph": {"rnn_c": 1}, "policy": "cpu", "batch": 1}
    # 8 x H^2 x 4 B fit 27.5 MB up to H = 927.
    inside, outside = placed(**held, hidden=927), placed(**held, hidden=928)
    assert inside.flags["cache"]
    assert not outside.flags["cache"]
    assert outside.metrics["latency_cpu"] > 4 * inside.metrics["latency_cpu"]


def shares(result: Result, name: str) -> Array:
    low, high = (DATA.tables["bands"][name][end] for end in ("low", "high"))
    assert isinstance(low, Number)
    assert isinstance(high, Number)
    found = result.metrics[name]
    return np.broadcast_to((found >= low.value) & (found <= high.value), 324)


def gridded(graph: str) -> list[Result]:
    """The designs of the table `grid`, one batch a depth of the convolutional path."""
    levels = {knob: str(row["levels"]).split() for knob, row in DATA.tables["grid"].items()}
    depths = levels.pop("cnn")
    axes = np.meshgrid(*(np.array(found, dtype=float) for found in levels.values()))
    columns = {knob: axis.ravel() for knob, axis in zip(levels, axes, strict=True)}
    return [over(columns, graph=graph, cnn=depth) for depth in depths]


def test_the_note_on_the_bands_says_what_the_page_predicts_without_tuning():
    note = DATA.notes["bands"]
    inside = {"speedup_over_gpu": 0, "speedup_over_cpu": 0}
    for graph in PAPERS:
        metrics = placed(graph=graph).metrics
        gpu, cpu = (float(metrics[name]) for name in inside)
        assert f"{graph} {gpu:.2f} and {cpu:.2f}" in note
        inside["speedup_over_gpu"] += int(1.5 <= gpu <= 2.3)
        inside["speedup_over_cpu"] += int(1.3 <= cpu <= 6.4)
    assert "{speedup_over_gpu} of 3 lie in the band over the GPU".format(**inside) in note
    assert "{speedup_over_cpu} of 3 in that over the CPU".format(**inside) in note


def test_the_note_on_the_bands_says_the_share_of_the_grid_inside():
    found = [result for graph in PAPERS for result in gridded(graph)]
    gpu, cpu = (
        np.concatenate([shares(result, name) for result in found])
        for name in ("speedup_over_gpu", "speedup_over_cpu")
    )
    assert gpu.size == 3 * 972
    note = DATA.notes["bands"]
    assert f"{gpu.mean():.1%}".replace("%", " %") + " lie in 1.5 to 2.3 over the GPU" in note
    assert f"{cpu.mean():.1%}".replace("%", " %") + " in 1.3 to 6.4 over the CPU" in note
    assert f"{(gpu & cpu).mean():.1%}".replace("%", " %") + " in both" in note


def test_no_band_is_a_point_that_could_pass():
    assert not DATA.points
    assert MODEL.data.tables["bands"].keys() <= MODEL.metrics.keys()


def test_the_note_on_the_correction_says_how_often_it_finds_the_best_placement():
    columns, note = drawn(2**15, seed=0), DATA.notes["correction"]
    worst, before = 0.0, []
    for graph in GRAPHS:
        result = over(columns, graph=graph)
        regret = result.metrics["regret"]
        assert f"{(regret < 1e-9).mean():.1%} of {graph}".replace("%", " %") in note
        assert not result.flags["unfinished"].any()
        worst = max(worst, float(regret.max()))
        greedy = over(columns, graph=graph, policy="greedy").metrics["regret"]
        before.append(100 * (greedy < 1e-9).mean())
    assert f"at most {100 * worst:.1f} % above it" in " ".join(note.split())
    assert "greedy alone on {:.1f}, {:.1f}, {:.1f}, {:.1f} and {:.1f} %".format(*before) in note


@pytest.mark.parametrize("graph", GRAPHS)
def test_exhaustive_beats_correction_beats_greedy_and_one_device(graph: str):
    columns = drawn(2000, seed=1)
    found = {p: over(columns, graph=graph, policy=p).metrics["latency"] for p in POLICIES}
    assert np.all(found["exhaustive"] <= found["greedy_correction"])
    assert np.all(found["greedy_correction"] <= found["greedy"])
    for one in ("cpu", "gpu"):
        assert np.all(found["greedy_correction"] <= found[one])
    result = over(columns, graph=graph, policy="exhaustive")
    assert np.array_equal(result.metrics["optimum"], found["exhaustive"])
    assert np.array_equal(result.metrics["latency_cpu"], found["cpu"])
    assert np.array_equal(result.metrics["latency_gpu"], found["gpu"])


def test_a_network_without_branches_runs_on_the_better_single_device():
    result = over(drawn(2000, seed=2), graph="chain")
    single = np.minimum(result.metrics["latency_cpu"], result.metrics["latency_gpu"])
    assert np.array_equal(result.metrics["latency"], single)
    assert result.flags["single"].all()


@pytest.mark.parametrize("graph", GRAPHS)
def test_policies_of_one_device_leave_the_other_and_the_cpu_the_link_idle(graph: str):
    cpu, gpu = placed(graph=graph, policy="cpu"), placed(graph=graph, policy="gpu")
    assert cpu.resources["gpu"] == cpu.resources["link"] == cpu.metrics["gpu_footprint"] == 0
    assert gpu.resources["cpu"] == gpu.metrics["cpu_share"] == 0
    assert gpu.resources["link"] > 0
    assert cpu.metrics["speedup_over_cpu"] == gpu.metrics["speedup_over_gpu"] == 1


@pytest.mark.parametrize("policy", ["cpu", "gpu", "greedy"])
def test_a_policy_that_does_not_look_at_the_link_never_loses_by_a_faster_one(policy: str):
    columns = drawn(500, seed=3)
    faster = columns | {"link_bandwidth": 2 * columns["link_bandwidth"]}
    for graph in GRAPHS:
        before, after = (over(c, graph=graph, policy=policy) for c in (columns, faster))
        assert np.all(after.metrics["latency"] <= before.metrics["latency"] * ROUNDING)


@properties
@given(
    knob=st.sampled_from([promise for promise in MODEL.monotone if promise.metric == "optimum"]),
    graph=st.sampled_from(GRAPHS),
    seed=st.integers(0, 999),
)
def test_the_optimum_obeys_its_laws_on_every_graph(knob, graph: str, seed: int):
    columns, second = drawn(50, seed=seed), drawn(50, seed=seed + 1000)[knob.knob]
    first = columns[knob.knob]
    low, high = np.minimum(first, second), np.maximum(first, second)
    before, after = (
        over(columns | {knob.knob: value}, graph=graph).metrics["optimum"] for value in (low, high)
    )
    assert np.all(knob.sign * (after - before) >= -1e-12 * before)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("path", [k.path for k in knobs(Placement).values() if k.catalog is None])
def test_each_knob_alone_can_be_the_array(graph: str, path: str):
    base = design(graph=graph)
    value = float(getattr(base, path))
    batch = MODEL.evaluate(Placement.batched({path: np.array([value, value])}, base))
    alone = MODEL.evaluate(base)
    for name, metric in alone.metrics.items():
        assert np.broadcast_to(batch.metrics[name], 2) == pytest.approx(float(metric), rel=1e-12)


@pytest.mark.parametrize("path", [k.path for k in knobs(Placement).values() if k.catalog])
def test_each_category_alone_can_be_the_array(path: str):
    rows = {"graph": PAPERS, "policy": POLICIES, "cpu": ("xeon-6148", "epyc-7502")}
    rows |= {"gpu": ("titan-v", "t4"), "cnn": ("resnet18", "resnet50")}
    rows |= {"encoder": ("bert-base", "bert-large")}
    each = [design(graph="mt_dnn") if path == "encoder" else design() for _ in rows[path]]
    each = [
        design(**base.echo() | {path: slug}) for base, slug in zip(each, rows[path], strict=True)
    ]
    records: list[Record] = [getattr(config, path) for config in each]
    column = type(records[0]).take(records, np.arange(len(records)))
    batch = MODEL.evaluate(Placement.batched({path: column}, each[0]))
    expected = [float(MODEL.evaluate(config).metrics["latency"]) for config in each]
    assert np.broadcast_to(batch.metrics["latency"], len(each)) == pytest.approx(
        expected, rel=1e-12
    )


def test_a_gpu_without_room_for_its_parameters_is_infeasible_and_still_priced():
    gpu = design().gpu.model_dump() | {"memory_capacity": 1e7}
    result = placed(gpu=gpu, policy="gpu")
    assert not result.metrics["feasible"]
    assert np.isfinite(result.metrics["latency"])
    # ResNet-18, an LSTM, the deep path, 39 weights of the wide one and 2281 of the join, 4 B each.
    weights = 11689512 + 524288 + 4011008 + 39 + (1 + 1024 + 256 + 1000)
    assert result.metrics["gpu_footprint"] == 4 * weights


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"graph": {"encoder": 1}}, "graph has a path.*set graph to a row"),
        ({"graph": "mt_dnn", "sequence": 513}, "sequence <= context of the encoder"),
        ({"encoder": "mt-dnn-base"}, "encoder has no task heads"),
        ({"cnn": "bert-base"}, "has no known image"),
        ({"encoder": "resnet18"}, "has no known width"),
        ({"cpu": "i7-6700k"}, "has no known llc_capacity"),
        ({"graph": "wide"}, "wide_and_deep"),
        ({"batch": 1.5}, "batch"),
        ({"fusion": 2}, "fusion"),
    ],
)
def test_what_is_not_covered_is_refused(given: dict[str, object], words: str):
    with pytest.raises(InputError, match=words):
        design(**given)


def test_long_sentences_are_refused_for_an_encoder_only():
    assert placed(graph="siamese", sequence=1024).metrics["latency"] > 0


def test_steps_of_the_correction_are_whole_and_the_last_certifies():
    assert GIVEN("steps") == 6
    assert set(placed().flags) == {*MODEL.flags, *MODEL.remarks}
