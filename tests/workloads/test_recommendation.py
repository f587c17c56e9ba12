"""Recommendation networks: the catalog's counts to the last digit, and what holds for any."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import documents, registry
from dse.errors import InputError
from workloads import rows
from workloads.recommendation import FAMILY, Structure, network, networks, structures, view

SLUGS = sorted(networks())

GOLDENS: Mapping[str, Mapping[str, float]] = {
    "dlrm-kaggle": {
        "mlp_parameters": 475985,
        "macs": 474368,
        "table_rows": 33762577,
        "table_parameters": 540201232,
    },
    "dlrm-terabyte": {"mlp_parameters": 762177, "macs": 760064},
    "dlrm-mlperf": {
        "mlp_parameters": 2368897,
        "macs": 2365184,
        "table_rows": 204184588,
        "table_parameters": 26135627264,
    },
}
"""The catalog's section dlrm: it has no rows for Terabyte, and its Wide & Deep has no counts."""


@pytest.mark.parametrize("slug", GOLDENS)
def test_counts_equal_the_catalog(slug: str):
    found = networks()[slug].model_dump()
    assert {name: found[name] for name in GOLDENS[slug]} == GOLDENS[slug]


def test_what_has_no_golden_is_named():
    assert set(SLUGS) - set(GOLDENS) == {"wide-deep-criteo"}
    assert [slug for slug, row in GOLDENS.items() if "table_rows" not in row] == ["dlrm-terabyte"]


@pytest.mark.parametrize(("slug", "met"), [("kaggle", 367), ("terabyte", 415), ("mlperf", 479)])
def test_the_top_network_of_dlrm_takes_all_pairs_and_the_dense_vector(slug: str, met: int):
    assert structures()[f"dlrm-{slug}"].met == met


def test_the_tables_of_mlperf_are_97_gib_in_fp32():
    assert networks()["dlrm-mlperf"].table_parameters * 4 / 2**30 == pytest.approx(97.36, abs=5e-3)


def test_the_wide_part_is_one_weight_a_row_and_dense_number_and_a_bias():
    found = structures()["wide-deep-criteo"]
    narrow = network(found.model_copy(update={"wide": False}))
    assert network(found).parameters - narrow.parameters == 33762577 + 13 + 1


WIDTHS = st.lists(st.integers(1, 600), min_size=1, max_size=4)
SHAPES = st.builds(
    lambda dot, bottom, top, rows, dense, width: {
        "slug": "any",
        "title": "any",
        "interaction": "dot" if dot else "concatenate",
        "bottom": [*bottom, width] if dot else bottom[1:],
        "top": top,
        "rows": rows,
        "dense": dense,
        "embedding_width": width,
        "wide": not dot,
    },
    st.booleans(),
    WIDTHS,
    WIDTHS,
    st.lists(st.integers(1, 10**6), min_size=1, max_size=30),
    st.integers(1, 50),
    st.integers(1, 128),
)


@given(SHAPES)
def test_operators_of_any_network_add_up_to_its_counts(shape: Any):
    net = network(rows.read(Structure, shape, "test"))
    layers = [op for op in net.operators if op.slug in ("bottom", "top")]
    assert sum(op.flops_token for op in layers) == 2 * net.macs
    assert sum(op.weights for op in net.operators) == net.mlp_parameters
    tables = net.table_parameters + Structure.model_validate(shape).wide_parameters
    assert net.parameters == net.mlp_parameters + tables


@given(SHAPES)
def test_the_training_view_of_any_network_keeps_what_its_operators_save(shape: Any):
    found = Structure.model_validate(shape)
    kept = view(found)
    saved = sum(op.saved_token for op in network(found).operators)
    assert kept.activation_bytes == 4 * saved == 4 * network(found).activation_token
    assert kept.parameters == network(found).parameters
    assert all(
        0 <= one.birth < kept.steps <= one.last_use < 2 * kept.steps for one in kept.tensors
    )


@given(SHAPES, st.integers(0, 29))
def test_a_longer_table_costs_room_and_no_work(shape: Any, place: int):
    longer = [*shape["rows"]]
    longer[place % len(longer)] += 1
    small, large = (
        network(Structure.model_validate({**shape, "rows": table}))
        for table in (shape["rows"], longer)
    )
    assert large.parameters > small.parameters
    assert large.operators == small.operators


def test_inputs_behind_a_layer_are_outputs_of_a_relu_and_compress():
    kept = {one.name: one for one in FAMILY.training("dlrm-kaggle", 1).tensors}  # type: ignore[misc]
    assert [name for name, one in kept.items() if not one.relu] == [
        "words",
        "input 1",
        "input 6",
        "vectors",
        "score",
    ]
    assert [name for name, one in kept.items() if not one.fp16] == ["words"]


def test_all_networks_have_the_same_operators_so_that_they_can_be_one_knob():
    assert len({tuple((op.slug, op.kind) for op in networks()[s].operators) for s in SLUGS}) == 1


def test_the_family_is_discovered_with_all_its_networks():
    assert FAMILY.networks().items() <= registry.networks().items()


def test_a_network_of_a_file_is_the_one_of_the_catalog():
    row = structures()["dlrm-kaggle"].model_dump()
    assert (
        registry.described({"family": "recommendation", **row}, place="f")
        == networks()["dlrm-kaggle"]
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bottom": [512, 17]}, "the last of `bottom` must be `embedding_width`"),
        ({"top": []}, "'dlrm-kaggle.top'"),
        ({"rows": []}, "'dlrm-kaggle.rows'"),
        ({"rows": [3, 0]}, "'dlrm-kaggle.rows.1'"),
        ({"rows": [10**13]}, "'dlrm-kaggle.rows.0'"),
        ({"interaction": "sum"}, "'dlrm-kaggle.interaction'"),
        ({"depth": 1}, "'dlrm-kaggle.depth'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_place_and_rule(changes: Any, words: str):
    row = structures()["dlrm-kaggle"].model_dump() | changes
    with pytest.raises(InputError) as refusal:
        rows.read(Structure, row, "file.yaml")
    assert str(refusal.value).startswith("file.yaml: 'dlrm-kaggle")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("slug", "tokens", "words"),
    [("dlrm-kagle", 1, "did you mean dlrm-kaggle"), ("dlrm-kaggle", 2, "`tokens == 1` must hold")],
)
def test_training_refuses_what_it_does_not_know(slug: str, tokens: int, words: str):
    with pytest.raises(InputError, match=words):
        FAMILY.training(slug, tokens)  # type: ignore[misc]


def test_a_row_without_a_known_source_is_refused():
    document = documents.read(Path(rows.__file__).with_name("recommendation.yaml"))
    document["sources"] = {}
    with pytest.raises(InputError, match=r"'dlrm-kaggle\.source': unknown source"):
        rows.listed(Structure, document, "recommendation.yaml")
