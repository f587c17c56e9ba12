"""The layer graph: shapes and counts of single layers, made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.cnn import layers, structures
from workloads.cnn_layers import Graph, Layer

SLUGS = sorted(structures())

# Slug, layer -> channels, height, width, parameters, MACs.
BY_HAND = {
    ("resnet50", "conv1"): (64, 112, 112, 64 * 3 * 49, 64 * 3 * 49 * 112**2),
    ("resnet50", "maxpool"): (64, 56, 56, 0, 0),
    ("resnet50", "layer2.0.conv1"): (128, 56, 56, 256 * 128, 256 * 128 * 56**2),
    ("resnet50", "layer2.0.conv2"): (128, 28, 28, 128**2 * 9, 128**2 * 9 * 28**2),
    ("resnet50-v1", "layer2.0.conv1"): (128, 28, 28, 256 * 128, 256 * 128 * 28**2),
    ("resnet50-v1", "layer2.0.conv2"): (128, 28, 28, 128**2 * 9, 128**2 * 9 * 28**2),
    ("resnet50", "layer4.2.conv3.bn"): (2048, 7, 7, 4096, 0),
    ("resnet50", "fc"): (1000, 1, 1, 2049 * 1000, 2048 * 1000),
    ("vgg16", "conv1.1"): (64, 224, 224, 64 * 28, 64 * 27 * 224**2),
    ("vgg16", "fc1"): (4096, 1, 1, (512 * 49 + 1) * 4096, 512 * 49 * 4096),
    ("densenet121", "b4.15.concat"): (1024, 7, 7, 0, 0),
    ("densenet121", "t1.conv"): (128, 56, 56, 256 * 128, 256 * 128 * 56**2),
    ("densenet121", "t1.pool"): (128, 28, 28, 0, 0),
    ("mobilenet-v1", "dw1"): (64, 56, 56, 64 * 9, 64 * 9 * 56**2),
    ("mobilenet-v2", "b16.proj"): (320, 7, 7, 960 * 320, 960 * 320 * 49),
    ("squeezenet-1.0", "pool4"): (256, 27, 27, 0, 0),
    ("squeezenet-1.0", "fire9.expand3"): (256, 13, 13, (64 * 9 + 1) * 256, 64 * 9 * 256 * 169),
    ("inception-v3", "4a"): (192, 71, 71, 80 * 192 * 9, 80 * 192 * 9 * 71**2),
    ("inception-v3", "6b.b1.1"): (128, 17, 17, 128**2 * 7, 128**2 * 7 * 17**2),
    ("inception-v3", "6a.b1.2"): (96, 17, 17, 96**2 * 9, 96**2 * 9 * 17**2),
    ("inception-v3", "7c.concat"): (2048, 8, 8, 0, 0),
    ("inception-v3-aux", "aux.c1"): (768, 1, 1, 128 * 768 * 25, 128 * 768 * 25),
    ("senet154", "layer2.0.conv2"): (512, 28, 28, 256 * 512 * 9 // 64, 256 * 512 * 9 // 64 * 784),
    ("senet154", "layer1.0.fc1"): (16, 1, 1, 257 * 16, 256 * 16),
    ("senet154", "layer2.0.down"): (512, 28, 28, 256 * 512 * 9, 256 * 512 * 9 * 784),
    ("resnet164-cifar", "s2.0.c1"): (32, 16, 16, 64 * 32, 64 * 32 * 256),
}


def named(slug: str, name: str) -> Layer:
    return next(layer for layer in layers(slug) if layer.name == name)


@pytest.mark.parametrize(("slug", "name"), BY_HAND)
def test_a_layer_has_the_shape_and_work_counted_by_hand(slug, name):
    layer = named(slug, name)
    found = (layer.channels, layer.height, layer.width, layer.parameters, layer.macs)
    assert found == BY_HAND[slug, name]


@pytest.mark.parametrize("slug", SLUGS)
def test_layers_stand_in_forward_order_under_names_that_differ(slug):
    graph = layers(slug)
    assert graph[0].kind == "image"
    assert len({layer.name for layer in graph}) == len(graph)
    for number, layer in enumerate(graph[1:], 1):
        assert layer.inputs
        assert all(0 <= source < number for source in layer.inputs)
        assert layer.elements > 0


@pytest.mark.parametrize("slug", SLUGS)
def test_only_the_classifiers_output_is_read_by_nobody(slug):
    graph = layers(slug)
    read = {source for layer in graph for source in layer.inputs}
    ends = [layer for number, layer in enumerate(graph) if number not in read]
    assert {layer.elements for layer in ends} == {structures()[slug].classes}
    assert len(ends) == (2 if slug == "inception-v3-aux" else 1)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_overwritten_in_place_is_read_by_nobody_else(slug):
    graph = layers(slug)
    readers = [source for layer in graph for source in layer.inputs]
    for layer in graph:
        if layer.in_place:
            assert readers.count(layer.inputs[0]) == 1


@pytest.mark.parametrize("slug", SLUGS)
def test_sums_add_equal_shapes_and_gates_one_number_a_channel(slug):
    graph = layers(slug)
    for layer in graph:
        shapes = [(graph[n].channels, graph[n].height, graph[n].width) for n in layer.inputs]
        if layer.kind == "add":
            assert len(set(shapes)) == 1
        if layer.kind == "scale":
            assert shapes[1] == (layer.channels, 1, 1)
        if layer.kind == "concat":
            assert len({shape[1:] for shape in shapes}) == 1
            assert layer.channels == sum(shape[0] for shape in shapes)


@given(st.integers(7, 300), st.sampled_from([1, 3, 5, 7]), st.integers(1, 3))
def test_a_padded_convolution_covers_the_map_and_its_macs_are_weights_times_places(
    side, kernel, stride
):
    graph = Graph(side)
    layer = graph[graph.convolution("c", Graph.IMAGE, 8, kernel, stride=stride)]
    assert layer.height == layer.width == -(-side // stride)
    assert layer.macs == layer.parameters * layer.height * layer.width


@given(st.integers(7, 300), st.sampled_from([2, 3]), st.booleans())
def test_a_pooling_that_rounds_up_has_at_most_one_window_more(side, kernel, ceil):
    graph = Graph(side)
    layer = graph[graph.pooling("p", Graph.IMAGE, "max", kernel, stride=2, ceil=ceil)]
    covered = (layer.height - 1) * 2 + kernel
    assert (covered - side in {0, 1}) if ceil else (side - covered in {0, 1})


@given(st.integers(1, 8).map(lambda power: 2**power))
def test_a_convolution_of_one_channel_a_group_is_depthwise(channels):
    graph = Graph(8)
    first = graph.convolution("a", Graph.IMAGE, channels, 1)
    one = graph[graph.convolution("b", first, channels, 3, groups=channels)]
    half = graph[graph.convolution("c", first, channels, 3, groups=channels // 2)]
    assert one.kind == "depthwise"
    assert half.kind == "convolution"
    assert half.parameters == 2 * one.parameters
