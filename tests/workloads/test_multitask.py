"""Multi-task networks: the encoder is BERT to the last digit, heads follow their definition.

The catalog names the encoders and no count of the heads, so those have no golden here.
"""

from typing import Any

import pytest

from dse import registry
from dse.errors import InputError
from workloads import rows, transformer
from workloads.multitask import FAMILY, Structure, head_parameters, network, networks, structures

SLUGS = {"mt-dnn-base": "bert-base", "mt-dnn-large": "bert-large"}
BASE = structures()["mt-dnn-base"]


def changed(**changes: object) -> Any:
    return network(Structure.model_validate(BASE.model_dump() | changes))


@pytest.mark.parametrize("slug", SLUGS)
def test_without_its_heads_it_is_the_encoder(slug: str):
    found, encoder = networks()[slug], transformer.networks()[SLUGS[slug]]
    assert found.parameters - found.head_parameters == encoder.parameters  # type: ignore[attr-defined]
    assert found.operators[:-1] == encoder.operators
    own = {"slug", "title", "family", "parameters", "operators", "head_parameters"}
    assert found.model_dump(exclude=own) == encoder.model_dump(exclude=own)


def test_encoders_have_the_golden_parameters_of_bert():
    shared = [float(n.parameters - n.head_parameters) for n in networks().values()]  # type: ignore[attr-defined]
    assert shared == [109482240, 335141888]


def test_a_head_for_a_sentence_is_one_linear_layer_and_for_a_score_one_neuron():
    assert head_parameters(BASE.model_copy(update={"sentences": (2, 2, 5)}), 768) - (
        head_parameters(BASE, 768)
    ) == 5 * (768 + 1)
    assert (
        head_parameters(BASE.model_copy(update={"scores": 3}), 768) - (head_parameters(BASE, 768))
        == 768 + 1
    )


def test_heads_of_pairs_dwarf_those_of_sentences_and_the_encoder_dwarfs_both():
    found = changed()
    assert 5 * 7 * 768**2 < found.head_parameters < 0.25 * found.parameters


def test_more_tasks_cost_parameters_and_no_work():
    few, many = changed(pairs=[3]), changed(pairs=[3, 2, 2, 2])
    assert many.parameters > few.parameters
    assert many.operators[-1].flops_token == few.operators[-1].flops_token


def test_each_step_of_an_answer_costs_as_much_as_the_last():
    work = [changed(steps=n).operators[-1].flops_token for n in (1, 2, 3)]
    assert work[2] - work[1] == pytest.approx(work[1] - work[0], rel=1e-12)  # rounding of shares


def test_training_keeps_what_the_encoder_keeps_and_all_parameters():
    found = FAMILY.training("mt-dnn-base", 128)  # type: ignore[misc]
    encoder = transformer.training("bert-base", 128)
    assert found.tensors == encoder.tensors
    assert found.parameters == networks()["mt-dnn-base"].parameters > encoder.parameters
    with pytest.raises(InputError, match="did you mean mt-dnn-base"):
        FAMILY.training("mt-dnn-bas", 128)  # type: ignore[misc]


def test_the_family_is_discovered_and_reads_files():
    assert FAMILY.networks().items() <= registry.networks().items()
    row = {"family": "multitask", **BASE.model_dump()}
    assert registry.described(row, place="f") == networks()["mt-dnn-base"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": "bert-bas"}, "did you mean bert-base"),
        ({"encoder": "gpt2"}, "unknown encoder 'gpt2'"),
        ({"pairs": []}, r"'mt-dnn-base\.pairs'"),
        ({"pairs": [0]}, r"'mt-dnn-base\.pairs\.0'"),
        ({"steps": 0}, r"'mt-dnn-base\.steps'"),
    ],
)
def test_what_makes_no_network_is_refused(changes: Any, words: str):
    with pytest.raises(InputError, match=words):
        network(rows.read(Structure, BASE.model_dump() | changes, "file.yaml"))
