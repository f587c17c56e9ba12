"""Convolutional networks: totals to the last digit, and what the family says of itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import documents, registry
from dse.errors import InputError
from dse.units import MiB
from workloads import cnn
from workloads.cnn import FAMILY, Cnn, layers, networks

GOLDENS = documents.read(Path(__file__).with_name("cnn_goldens.yaml"))
TOTALS, MEMORY = GOLDENS["totals"], GOLDENS["memory"]
SLUGS = sorted(networks())
CONVOLUTIONS = ("convolution", "depthwise")
DERIVED = {"resnet50-v1", "resnet101-v1", "resnet152-v1"}


# Goldens


@pytest.mark.parametrize("slug", TOTALS)
def test_totals_equal_the_golden(slug):
    net, golden = networks()[slug], TOTALS[slug]
    assert net.parameters == golden["parameters"]
    assert net.macs == golden["macs"]
    assert net.convolution_outputs == golden["convolution_outputs"]
    assert net.layer_outputs == golden["layer_outputs"]


@pytest.mark.parametrize("slug", TOTALS)
def test_there_are_as_many_convolutions_as_the_golden_says(slug):
    found = [layer for layer in layers(slug) if layer.kind in CONVOLUTIONS and not layer.auxiliary]
    assert len(found) == TOTALS[slug]["convolutions"]


@pytest.mark.parametrize("slug", DERIVED)
def test_v1_does_less_work_with_the_same_parameters(slug):
    net, later = networks()[slug], networks()[slug.removesuffix("-v1")]
    assert net.macs == GOLDENS["v1"][slug] < later.macs
    assert net.parameters == later.parameters


def test_every_network_but_senet_154_has_a_golden_and_every_golden_a_network():
    assert set(networks()) - set(TOTALS) - DERIVED == {"senet154"}
    assert set(TOTALS) | DERIVED <= set(networks())


def test_senet_154_says_that_it_has_no_golden_and_has_the_size_that_is_remembered():
    # 115,088,984 parameters is from memory: it agrees to the last digit, but nobody looked it up.
    net = networks()["senet154"]
    assert "no golden" in net.title
    assert net.parameters == 115_088_984


@pytest.mark.parametrize("slug", MEMORY)
def test_activation_memory_equals_the_published_one_to_its_printed_digits(slug):
    found, golden = networks()[slug].feature_elements * 4 / MiB, MEMORY[slug]
    # 57.55 and 196.25 are printed as 57.6 and 196.3: half a digit either way.
    assert abs(found - golden["computed"]) <= 0.05
    assert round(found) == golden["published"]


@pytest.mark.parametrize("slug", GOLDENS["memory_v1_5"])
def test_activation_memory_of_v1_5_equals_what_the_catalog_computed(slug):
    found = networks()[slug].feature_elements * 4 / MiB
    assert abs(found - GOLDENS["memory_v1_5"][slug]) <= 0.05


@pytest.mark.parametrize("slug", GOLDENS["printed_gmacs"])
def test_macs_round_to_what_torchvision_prints(slug):
    assert round(networks()[slug].macs / 1e9, 3) == GOLDENS["printed_gmacs"][slug]


@pytest.mark.parametrize("slug", GOLDENS["printed_outputs"])
def test_outputs_of_convolutions_and_linear_layers_round_to_what_timm_prints(slug):
    linear = sum(layer.elements for layer in layers(slug) if layer.kind == "linear")
    found = (networks()[slug].convolution_outputs + linear) / 1e6
    assert round(found, 2) == GOLDENS["printed_outputs"][slug]


@pytest.mark.parametrize("slug", GOLDENS["g10"])
def test_convolutions_and_their_outputs_equal_those_of_another_implementation(slug):
    found = [layer for layer in layers(slug) if layer.kind in CONVOLUTIONS]
    assert len(found) == GOLDENS["g10"][slug]["convolutions"]
    assert networks()[slug].convolution_outputs == GOLDENS["g10"][slug]["convolution_outputs"]


def test_the_auxiliary_head_of_inception_has_parameters_but_does_not_run():
    bare, helped = networks()["inception-v3"], networks()["inception-v3-aux"]
    assert helped.parameters - bare.parameters == 3_326_696
    assert [op.flops_token for op in helped.operators] == [op.flops_token for op in bare.operators]
    assert helped.activation_token > bare.activation_token


def test_cifar_networks_have_the_printed_sizes_once_norms_are_left_out():
    # He et al. 2016 print 1.7 and 10.2 million [memory].
    for slug, printed in (("resnet164-cifar", 1.7), ("resnet1001-cifar", 10.2)):
        norms = sum(layer.parameters for layer in layers(slug) if layer.kind == "norm")
        assert round((networks()[slug].parameters - norms) / 1e6, 1) == printed


# Knobs and discovery


@given(st.lists(st.sampled_from(SLUGS), min_size=1, max_size=6), st.data())
def test_a_batch_over_any_networks_equals_each_network_row_by_row(slugs, data):
    nets = [networks()[slug] for slug in slugs]
    code = data.draw(st.lists(st.integers(0, len(nets) - 1), min_size=1, max_size=9))
    batch = Cnn.take(nets, np.array(code, dtype=np.intp))
    for row, pick in enumerate(code):
        pairs = [(batch, nets[pick]), *zip(batch.operators, nets[pick].operators, strict=True)]
        for many, one in pairs:
            for name, value in one:
                if isinstance(value, float):
                    assert np.broadcast_to(getattr(many, name), len(code))[row] == value


def test_the_family_is_discovered_with_all_its_networks():
    found = registry.networks()
    assert FAMILY.slug == "cnn"
    assert all(found[slug] is net for slug, net in FAMILY.networks().items())


@pytest.mark.parametrize("slug", SLUGS)
def test_slugs_are_lower_case_and_titles_name_the_network(slug):
    net = networks()[slug]
    assert slug == slug.lower() == net.slug
    assert net.title
    assert net.family == "cnn"


def test_a_network_survives_json():
    net = networks()["densenet121"]
    assert Cnn.model_validate_json(net.model_dump_json()) == net


def test_importing_the_family_reads_no_data_and_loads_nothing_heavy():
    code = (
        "import sys, workloads.cnn as c; "
        "heavy = {'pandas', 'plotly', 'optuna', 'dash', 'matplotlib', 'scipy'}; "
        "sys.exit(bool(heavy & set(sys.modules)) or c.structures.cache_info().currsize)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_workload_file_describes_a_network_as_a_row_of_the_data_file_does():
    row = {"slug": "mine", "title": "My ResNet", "structure": "resnet", "blocks": [2, 2, 2, 2]}
    mine = registry.described({"family": "cnn", **row}, place="mine.yaml")
    assert mine.parameters == networks()["resnet18"].parameters
    assert mine.slug == "mine"


BAD_FILES = {
    "a picture smaller than the windows": (
        {"structure": "vgg", "stages": [[8, 1], [8, 1]], "hidden": 4, "image": 3},
        "mine.yaml: layer 'pool2'",
    ),
    "groups that do not divide the channels": (
        {"structure": "senet", "blocks": [1, 1, 1, 1], "groups": 7, "reduction": 16},
        "mine.yaml: layer 'layer1.0.conv2': 'groups' must divide 128 and 256 channels, got 7",
    ),
    "a gate without channels": (
        {"structure": "senet", "blocks": [1, 1, 1, 1], "groups": 64, "reduction": 999},
        "mine.yaml: layer 'layer1.0.fc1'",
    ),
    "a missing size": ({"structure": "resnet"}, "mine.yaml: 'mine.blocks': Field required"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_workload_file_that_describes_no_network_is_refused_by_its_place(case):
    row, words = BAD_FILES[case]
    with pytest.raises(InputError) as refusal:
        cnn.described({"slug": "mine", "title": "x", **row}, "mine.yaml")
    assert words in str(refusal.value)


# Refusals

SOURCES = {"paper": {"where": "Table 1", "kind": "table"}}
GOOD = {"title": "x", "structure": "resnet", "source": "paper", "blocks": [2, 2, 2, 2]}


def test_a_good_row_is_read():
    assert set(cnn.read({"sources": SOURCES, "networks": {"x": GOOD}})) == {"x"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "'networks' must hold 'key: value' lines"),
        ({"x": 1}, "'x' must hold 'key: value' lines"),
        ({"x": GOOD | {"source": "papr"}}, "did you mean paper?"),
        ({"x": GOOD | {"blocks": [2, 0, 2, 2]}}, "'x.blocks.1': Input should be greater than 0"),
        ({"x": GOOD | {"blokcs": 1}}, "'x.blokcs': Extra inputs are not permitted"),
        ({"x": GOOD | {"stride_on": "5x5"}}, "'x.stride_on'"),
        (
            {"x": GOOD | {"structure": "resnext"}},
            "'x.structure': unknown structure 'resnext'; did you mean resnet",
        ),
    ],
)
def test_a_row_that_describes_no_network_is_refused_by_its_path(rows, words):
    with pytest.raises(InputError) as refusal:
        cnn.read({"sources": SOURCES, "networks": rows})
    assert words in str(refusal.value)


def test_an_unknown_network_gets_the_closest_names():
    with pytest.raises(InputError, match="resnet50"):
        layers("resnet5O")
