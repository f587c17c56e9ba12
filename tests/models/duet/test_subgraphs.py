"""Parts of DUET's graphs do the work that the catalog's networks of the same sizes do."""

import numpy as np
import pytest

from dse import registry
from models.duet import subgraphs
from models.duet.assembly import part_times
from models.duet.config import GIVEN
from models.duet.subgraphs import CHAINED, FOLDED, Side
from tests.models.duet.test_model import design
from workloads import recommendation, recurrent

FREE = np.float64(np.inf)
COUNTS_FLOPS = Side(1.0, 1.0, FREE, 1.0, 0.0, 0.0, 1.0)
"""A device whose time is the number of operations."""
COUNTS_BYTES = Side(FREE, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0)
COUNTS_STARTS = Side(FREE, 1.0, FREE, 1.0, 1.0, 0.0, 1.0)


def operators(slug: str) -> dict:
    return {one.slug: one for one in registry.networks()[slug].operators}


@pytest.mark.parametrize("layers", [1, 3])
def test_lstm_layers_work_as_the_catalog_s_of_the_same_sizes(layers: int):
    sizes = {"slug": "x", "title": "x", "inputs": 256, "hidden": 256, "layers": layers}
    net = recurrent.network(recurrent.Structure(**sizes, length=100))
    laws = {one.slug: one for one in net.operators}
    sizes = {"batch": 2.0, "layers": layers, "hidden": 256.0, "sequence": 100.0}
    products = laws["input"].flops_token + laws["state"].flops_token
    assert subgraphs.lstm_time(**sizes, side=COUNTS_FLOPS) == 2 * 100 * products
    weights = laws["input"].weights + laws["state"].weights
    assert subgraphs.lstm_time(**sizes, side=COUNTS_BYTES) == 4 * 100 * (
        weights + layers * 2 * 5 * 256
    )
    assert subgraphs.lstm_time(**sizes, side=COUNTS_STARTS) == laws["cell"].calls


def test_wide_and_deep_parts_read_what_the_catalog_s_wide_and_deep_reads():
    laws = operators("wide-deep-criteo")
    dense = recommendation.structures()["wide-deep-criteo"].dense
    assert GIVEN("deep_inputs") == laws["interaction"].output_token
    assert GIVEN("wide_inputs") == laws["wide"].output_token + dense


def test_the_deep_path_works_as_the_catalog_s_top_layers_of_the_same_sizes():
    found = recommendation.structures()["wide-deep-criteo"]
    net = recommendation.network(found.model_copy(update={"top": (1024,) * 4}))
    top = next(one for one in net.operators if one.slug == "top")
    sizes = {"batch": 3.0, "inputs": GIVEN("deep_inputs"), "width": 1024.0, "layers": 4.0}
    assert subgraphs.layers_time(**sizes, side=COUNTS_FLOPS) == 3 * top.flops_token
    assert subgraphs.layers_time(**sizes, side=COUNTS_STARTS) == top.calls
    biases = 4 * 1024
    moved = top.weights - biases + 3 * top.moved_token
    assert subgraphs.layers_time(**sizes, side=COUNTS_BYTES) == 4 * moved


def test_an_answer_module_works_as_the_heads_of_the_catalog_s_mt_dnn():
    head = operators("mt-dnn-base")["task_heads"]
    sizes = {"batch": 1.0, "width": 768.0, "sequence": 512.0}
    flops = subgraphs.answer_time(**sizes, side=COUNTS_FLOPS)
    assert flops == pytest.approx(512 * head.flops_token, rel=1e-12)
    assert subgraphs.answer_time(**sizes, side=COUNTS_STARTS) == head.calls


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_a_convolutional_path_counts_the_operations_of_its_network(depth: int):
    config = design(graph="chain", cnn=f"resnet{depth}", fusion=1)
    laws = operators(f"resnet{depth}")
    assert part_times(config, COUNTS_FLOPS)["cnn"] == sum(x.flops_token for x in laws.values())
    starts = sum(laws[name].calls for name in ("convolution", "pooling", "linear"))
    assert part_times(config, COUNTS_STARTS)["cnn"] == starts
    loose = design(graph="chain", cnn=f"resnet{depth}", fusion=0)
    every = sum(law.calls for law in laws.values())
    assert part_times(loose, COUNTS_STARTS)["cnn"] == every


def test_an_encoder_counts_the_operations_of_bert():
    laws = operators("bert-base").values()
    config = design(graph="mt_dnn", sequence=128, batch=2)
    flops = sum(2 * 128 * (law.flops_token + 128 * law.flops_pair) for law in laws)
    assert part_times(config, COUNTS_FLOPS)["encoder"] == pytest.approx(flops, rel=1e-12)
    starts = sum(law.calls for law in laws if law.kind not in CHAINED)
    assert part_times(config, COUNTS_STARTS)["encoder"] == starts


def test_a_product_of_matrices_is_never_folded_away():
    assert not {"gemm", "convolution", "attention", "softmax"} & (FOLDED | CHAINED)
