"""Operators of convolutional networks: equal layers added up, nothing lost."""

import math
from dataclasses import replace

import pytest

from workloads.cnn import layers, networks
from workloads.cnn_operators import KINDS, operators
from workloads.cnn_training import kept

SLUGS = sorted(networks())


def test_all_networks_have_the_same_operators_so_that_they_can_be_one_knob():
    tables = {tuple((op.slug, op.kind) for op in networks()[slug].operators) for slug in SLUGS}
    assert len(tables) == 1
    assert [slug for slug, _ in tables.pop()] == list(KINDS)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_layer_but_dropout_and_the_auxiliary_head_is_one_call(slug):
    running = [
        layer for layer in layers(slug)[1:] if layer.kind != "dropout" and not layer.auxiliary
    ]
    assert sum(op.calls for op in networks()[slug].operators) == len(running)


@pytest.mark.parametrize("slug", SLUGS)
def test_flops_of_convolutions_and_linear_layers_are_two_a_mac(slug):
    net = networks()[slug]
    products = {"convolution", "depthwise", "linear"}
    assert sum(op.flops_token for op in net.operators if op.slug in products) == 2 * net.macs


@pytest.mark.parametrize("slug", SLUGS)
def test_weights_of_the_operators_are_the_parameters_without_the_auxiliary_head(slug):
    net = networks()[slug]
    head = sum(layer.parameters for layer in layers(slug) if layer.auxiliary)
    assert sum(op.weights for op in net.operators) == net.parameters - head


@pytest.mark.parametrize("slug", SLUGS)
def test_an_image_has_no_context_so_nothing_counts_pairs(slug):
    for op in networks()[slug].operators:
        assert (op.flops_pair, op.moved_pair, op.moved_context) == (0, 0, 0)
        assert (op.output_pair, op.saved_pair) == (0, 0)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_number_is_finite_and_what_is_written_is_part_of_what_is_moved(slug):
    for op in networks()[slug].operators:
        numbers = [value for _, value in op if isinstance(value, float)]
        assert all(math.isfinite(number) and number >= 0 for number in numbers)
        assert op.output_token <= op.moved_token


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != "inception-v3-aux"])
def test_saved_elements_of_the_network_are_those_of_its_operators(slug):
    net = networks()[slug]
    assert sum(op.saved_token for op in net.operators) == net.activation_token


def test_the_auxiliary_head_saves_what_no_operator_counts():
    net, graph = networks()["inception-v3-aux"], layers("inception-v3-aux")
    head = sum(
        one.elements * one.element_size / 4
        for one in kept(graph)
        if graph[one.last_reader].auxiliary
    )
    assert head > 0
    assert sum(op.saved_token for op in net.operators) == net.activation_token - head


def test_vgg_moves_the_inputs_and_outputs_counted_by_hand():
    ops = {op.slug: op for op in networks()["vgg16"].operators}
    assert ops["linear"].moved_token == 25088 + 4096 + 4096 + 4096 + 4096 + 1000
    assert ops["linear"].flops_token == 2 * (25088 * 4096 + 4096**2 + 4096 * 1000)
    sides = {1: (64, 224), 2: (128, 112), 3: (256, 56), 4: (512, 28), 5: (512, 14)}
    pooled = sum(width * side**2 for width, side in sides.values())
    assert ops["pooling"].flops_token == pooled
    assert ops["pooling"].moved_token == pooled * 5 / 4
    assert ops["depthwise"].calls == ops["norm"].calls == ops["elementwise"].calls == 0


def test_mobilenets_work_mostly_in_pointwise_and_densenet_moves_what_it_concatenates():
    ops = {op.slug: op for op in networks()["mobilenet-v1"].operators}
    assert ops["depthwise"].flops_token < 0.05 * ops["convolution"].flops_token
    dense = {op.slug: op for op in networks()["densenet121"].operators}
    assert dense["elementwise"].moved_token == 2 * dense["elementwise"].output_token > 0
    assert dense["elementwise"].flops_token == 0


def roofs(slug: str, images: int) -> tuple[float, float]:
    """Seconds at plain FP16 peaks of a V100: operators by kind, and layers one by one."""
    graph = layers(slug)
    lone = [
        operators(_only(graph, number))
        for number, layer in enumerate(graph)
        if number and layer.kind != "dropout" and not layer.auxiliary
    ]
    return _seconds([networks()[slug].operators], images), _seconds(lone, images)


def _only(graph, number):
    """One layer behind stand-ins for what it reads."""
    sources = [
        replace(graph[n], kind="image", inputs=(), in_place=False) for n in graph[number].inputs
    ]
    return (*sources, replace(graph[number], inputs=tuple(range(len(sources)))))


def _seconds(tables, images: int) -> float:
    return sum(
        max(
            images * op.flops_token / 112e12,
            2 * (images * op.moved_token + op.weights) / 900e9,
        )
        for table in tables
        for op in table
    )


@pytest.mark.parametrize("slug", ["resnet34", "resnet50", "mobilenet-v2"])
@pytest.mark.parametrize("images", [1, 32])
def test_adding_up_shortens_the_time_and_by_no_more_than_is_said(slug, images):
    summed, layer_by_layer = roofs(slug, images)
    # A sum of thousands of floats: a few ulp either way.
    assert 0.84 * layer_by_layer <= summed <= layer_by_layer * (1 + 1e-12)
