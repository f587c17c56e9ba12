"""Configs of public networks become workload files whose parameters are those of the network."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import cli, documents, registry, verbs
from dse.errors import InputError
from workloads import huggingface
from workloads.huggingface_types import TYPES
from workloads.transformer import networks

PUBLIC: Mapping[str, Any] = documents.read(Path(__file__).with_name("huggingface.yaml"))
LISTED = {name: entry for name, entry in PUBLIC.items() if "catalog" in entry}
GPT2 = PUBLIC["gpt2"]["config"]
LLAMA = PUBLIC["llama-2-7b"]["config"]
T5 = PUBLIC["t5-small"]["config"]


def network(config: Mapping[str, object]) -> Any:
    return registry.described(huggingface.convert(config).document, place="test")


def refusal(config: Mapping[str, object], **options: str) -> str:
    with pytest.raises(InputError) as caught:
        huggingface.convert(config, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without(config: Mapping[str, object], *fields: str) -> dict[str, object]:
    return {field: value for field, value in config.items() if field not in fields}


# Parameter counts


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_equal_those_of_the_public_network(name: str):
    assert network(PUBLIC[name]["config"]).parameters == PUBLIC[name]["parameters"]


def test_every_covered_type_has_a_public_network_or_shares_the_rules_of_one_that_has():
    checked = [TYPES[entry["config"]["model_type"]] for entry in PUBLIC.values()]
    assert [name for name, rules in TYPES.items() if rules not in checked] == []


@pytest.mark.parametrize("name", LISTED)
def test_an_imported_network_is_the_one_of_the_catalog(name: str):
    ours = networks()[LISTED[name]["catalog"]].model_dump(exclude={"slug", "title"})
    made = network(LISTED[name]["config"]).model_dump(exclude={"slug", "title"})
    assert made == ours


@pytest.mark.parametrize("name", PUBLIC)
def test_only_what_the_file_cannot_say_is_warned_of(name: str):
    warnings = huggingface.convert(PUBLIC[name]["config"]).warnings
    expected = PUBLIC[name].get("warns")
    assert len(warnings) == (expected is not None)
    assert expected is None or warnings[0].startswith(expected)


# Names and defaults


@pytest.mark.parametrize(
    ("config", "field", "alias"),
    [
        (GPT2, "n_embd", "hidden_size"),
        (GPT2, "n_embd", "d_model"),
        (GPT2, "n_layer", "num_hidden_layers"),
        (GPT2, "n_layer", "num_layers"),
        (GPT2, "n_head", "num_attention_heads"),
        (GPT2, "n_head", "num_heads"),
        (LLAMA, "intermediate_size", "ffn_dim"),
        (LLAMA, "max_position_embeddings", "n_positions"),
    ],
)
def test_a_size_may_go_by_any_of_its_names(config: Any, field: str, alias: str):
    renamed = without(config, field) | {alias: config[field]}
    assert network(renamed) == network(config)


@pytest.mark.parametrize(("given", "inner"), [({}, 3072), ({"n_inner": 100}, 100)])
def test_gpt2_is_four_times_as_wide_inside_unless_it_says_otherwise(given: Any, inner: int):
    assert network({**GPT2, **given}).ffn == inner


def test_a_null_is_as_good_as_nothing():
    empty = {"n_inner": None, "sliding_window": None, "tie_word_embeddings": None}
    assert huggingface.convert({**GPT2, **empty}) == huggingface.convert(GPT2)


@pytest.mark.parametrize(("config", "tied"), [(GPT2, True), (LLAMA, False), (T5, True)])
def test_whether_the_head_is_the_embedding_follows_the_type_unless_said(config: Any, tied: bool):
    bare = without(config, "tie_word_embeddings")
    assert huggingface.convert(bare).document["tied"] is tied
    other = huggingface.convert(bare | {"tie_word_embeddings": not tied})
    assert other.document["tied"] is not tied


def test_t5_has_as_many_layers_on_both_sides_unless_it_says_otherwise():
    assert huggingface.convert(T5).document["layers"] == 6
    assert huggingface.convert({**T5, "num_decoder_layers": 2}).document["layers"] == 2


def test_stablelm_with_query_biases_has_those_and_no_others():
    config = PUBLIC["stablelm-3b-4e1t"]["config"]
    more = network({**config, "use_qkv_bias": True}).parameters - network(config).parameters
    assert more == 32 * 3 * 2560


def test_roberta_counts_two_rows_of_its_table_that_no_token_takes():
    assert network(PUBLIC["roberta-base"]["config"]).context == 512


@pytest.mark.parametrize(
    ("given", "slug"),
    [
        ({"_name_or_path": "openai-community/GPT2 XL"}, "gpt2-xl"),
        ({"_name_or_path": "./out/checkpoint_7/"}, "checkpoint-7"),
        ({"_name_or_path": ""}, "gpt2"),
        ({"_name_or_path": None}, "gpt2"),
        ({}, "gpt2"),
    ],
)
def test_a_network_is_named_as_its_config_says_or_by_its_type(given: Any, slug: str):
    assert huggingface.convert({**GPT2, **given}).document["slug"] == slug
    assert huggingface.convert({**GPT2, **given}, name="mine").document["slug"] == "mine"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quantization_config": {"bits": 4}}, "quantization_config is left out"),
        ({"num_adapters": 3, "lora_rank": 8}, "not read: lora_rank, num_adapters"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "its head is another"),
    ],
)
def test_what_is_left_out_is_named(given: Any, words: str):
    (warning,) = huggingface.convert({**LLAMA, **given}).warnings
    assert words in warning


@pytest.mark.parametrize("window", [4096, 9000])
def test_a_window_that_spans_the_context_is_no_window(window: int):
    config = PUBLIC["mistral-7b-v0.1"]["config"]
    wide = {**config, "max_position_embeddings": 4096, "sliding_window": window}
    assert huggingface.convert(wide).warnings == ()


# Refusals

MIXTRAL = {**PUBLIC["mistral-7b-v0.1"]["config"], "model_type": "mixtral", "num_local_experts": 8}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (MIXTRAL, "'num_local_experts' says that it is a mixture of experts"),
        ({"model_type": "qwen2_moe", "num_experts": 60}, "mixture of experts"),
        ({"model_type": "deepseek_v3", "n_routed_experts": 256}, "mixture of experts"),
        ({**GPT2, "model_type": "gpt3"}, "unknown model_type 'gpt3'; did you mean gpt2"),
        ({**GPT2, "model_type": ["gpt2"]}, "unknown model_type"),
        (without(GPT2, "model_type"), "'model_type' must be given"),
        ({}, "'model_type' must be given"),
        (without(GPT2, "n_embd"), "'hidden_size' (or n_embd, d_model) must be given"),
        (without(LLAMA, "vocab_size"), "'vocab_size' must be given"),
        (without(PUBLIC["mistral-7b-v0.1"]["config"], "num_key_value_heads"), "key_value_heads"),
        ({**GPT2, "pruned_heads": {"0": [1]}}, "`pruned_heads` must be empty"),
        ({**GPT2, "n_layer": -1}, "whole number from 1 to 1,000,000,000, got -1"),
        ({**GPT2, "n_layer": 0}, "got 0"),
        ({**GPT2, "n_layer": True}, "got true"),
        ({**GPT2, "n_layer": 12.0}, "got 12.0"),
        ({**GPT2, "n_layer": float("nan")}, "got NaN"),
        ({**GPT2, "n_layer": float("inf")}, "got Infinity"),
        ({**GPT2, "n_layer": "12"}, 'got "12"'),
        ({**GPT2, "n_layer": [12]}, "got [12]"),
        ({**GPT2, "n_layer": 10**300}, "1,000,000,000, got 1000"),
        ({**GPT2, "d_model": 700}, "n_embd=768 and d_model=700 must be equal"),
        ({**GPT2, "add_cross_attention": True}, "`add_cross_attention = false` must hold"),
        ({**GPT2, "activation_function": "mish"}, "unknown activation 'mish'"),
        ({**GPT2, "tie_word_embeddings": "yes"}, "must be true or false"),
        ({**LLAMA, "attention_bias": True}, "`attention_bias = false` must hold, got true"),
        ({**LLAMA, "attention_bias": 0}, "must hold, got 0"),
        (
            {**PUBLIC["bert-base-uncased"]["config"], "position_embedding_type": "relative_key"},
            '`position_embedding_type = "absolute"` must hold, got "relative_key"',
        ),
        (
            {**PUBLIC["bart-base"]["config"], "decoder_ffn_dim": 7},
            "encoder_ffn_dim=3072 and decoder_ffn_dim=7 must be equal",
        ),
        (without(PUBLIC["vit-base-patch16-224"]["config"], "num_labels"), "'id2label'"),
    ],
)
def test_what_is_not_covered_is_refused_in_one_line(config: Any, words: str):
    message = refusal(config, place="some.json")
    assert message.startswith("some.json: ")
    assert words in message


@pytest.mark.parametrize("name", ["Upper", "a b", "../x", "-", "x" * 99])
def test_a_name_that_is_no_slug_is_refused(name: str):
    assert "--name" in refusal(GPT2, name=name)


def test_sizes_that_do_not_fit_one_another_are_refused_by_the_family():
    with pytest.raises(InputError, match=r"gpt2\.head_dim"):
        network({**GPT2, "n_head": 7})


NUMBERS = st.integers() | st.floats() | st.none() | st.text() | st.booleans()


@given(st.dictionaries(st.sampled_from(sorted(GPT2)), NUMBERS | st.lists(NUMBERS, max_size=2)))
def test_any_change_of_a_config_gives_a_network_or_one_line(changes: Mapping[str, object]):
    try:
        made = network({**GPT2, **changes})
    except InputError:
        return
    assert made.parameters > 0


# Files and the command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with the config of GPT-2."""
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps(GPT2))
    return tmp_path


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    printed = capsys.readouterr()
    return int(end.value.code or 0), printed.out, printed.err


@pytest.mark.usefixtures("folder")
def test_a_file_comes_back_as_the_network_it_was_made_of():
    made = verbs.import_workload(Path("config.json"), name="mine")
    assert made == {
        "file": "mine.yaml",
        "slug": "mine",
        "title": "mine",
        "parameters": 124439808,
        "warnings": [],
    }
    document = documents.read(Path("mine.yaml"))
    assert document == huggingface.convert(GPT2, name="mine").document
    assert registry.network("./mine.yaml") == registry.described(document, place="mine.yaml")


@pytest.mark.parametrize("model", ["dfx", "roofline", "codesign"])
@pytest.mark.usefixtures("folder")
def test_an_imported_network_is_priced_as_the_listed_one(
    capsys: pytest.CaptureFixture[str], model: str
):
    assert ended(capsys, "import", "config.json", "-o", "mine.yaml")[0] == 0
    code, out, err = ended(capsys, "eval", model, "--set", "workload=./mine.yaml", "--json")
    assert (code, err) == (0, "")
    listed = ended(capsys, "eval", model, "--set", "workload=gpt2", "--json")[1]
    assert json.loads(out) == json.loads(listed)


@pytest.mark.usefixtures("folder")
def test_a_sweep_takes_files_beside_slugs():
    verbs.import_workload(Path("config.json"), output=Path("mine.yaml"))
    frame = verbs.sweep("dfx", {"workload": "mine.yaml,gpt2,gpt2-345m"})
    assert list(frame["workload"]) == ["mine.yaml", "gpt2", "gpt2-345m"]
    latency = list(frame["latency"])
    assert latency[0] == latency[1] < latency[2]


@pytest.mark.usefixtures("folder")
def test_a_study_searches_networks_of_files():
    verbs.import_workload(Path("config.json"), output=Path("mine.yaml"))
    Path("study.yaml").write_text(
        "question: which network?\nmodel: dfx\nobjectives: [latency]\n"
        "space: {workload: [mine.yaml, gpt2-345m], fpgas: [1, 2]}\n"
    )
    outcome = verbs.search("study.yaml", output=Path("run"))
    assert "mine.yaml" in Path("run/best.csv").read_text()
    assert outcome.run.study().space.by_path["workload"].labels[0] == "mine.yaml"


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_words_a_config_holds_its_file_reads_back(name: str, extra: str, head: str):
    config = {**GPT2, "_name_or_path": name, "num_" + extra: 3, "architectures": [head]}
    with TemporaryDirectory() as folder:
        source, output = Path(folder, "config.json"), Path(folder, "mine.yaml")
        source.write_text(json.dumps(config))
        verbs.import_workload(source, output=output)
        assert registry.network(str(output)).parameters == 124439808


@pytest.mark.parametrize("sign", ["\n", "\x00", "\x07", "\ud800", "\u2028", "# :"])
def test_no_sign_breaks_out_of_the_file(tmp_path: Path, sign: str):
    config = {**GPT2, "_name_or_path": f"a{sign}b", f"num_{sign}": 3, "architectures": [sign]}
    source, output = tmp_path / "config.json", tmp_path / "mine.yaml"
    source.write_text(json.dumps(config))
    verbs.import_workload(source, output=output)
    assert registry.network(str(output)).parameters == 124439808


@pytest.mark.usefixtures("folder")
def test_the_command_says_what_it_made_and_what_it_left_out(capsys: pytest.CaptureFixture[str]):
    Path("mistral.json").write_text(json.dumps(PUBLIC["mistral-7b-v0.1"]["config"]))
    code, out, err = ended(capsys, "import", "mistral.json", "--name", "m")
    assert (code, out) == (0, "m.yaml: m, 7,241,732,096 parameters\n")
    assert err.startswith("warning: sliding_window = 4096")
    assert "# sliding_window = 4096" in Path("m.yaml").read_text()
    _, out, _ = ended(capsys, "import", "mistral.json", "--json", "-o", "n.yaml")
    assert json.loads(out)["file"] == "n.yaml"


BROKEN = {
    "nothing.json": None,
    "list.json": b"[1, 2]",
    "text.json": b'"gpt2"',
    "null.json": b"null",
    "broken.json": b'{"model_type":\n gpt2}',
    "empty.json": b"",
    "bytes.json": b"\xff\xfe\x00",
    "deep.json": b"[" * 200_000,
    "digits.json": b'{"n_layer": ' + b"1" * 5000 + b"}",
    "large.json": b" " * 10_000_000 + b"{}",
    "nan.json": b'{"model_type": "gpt2", "hidden_size": NaN}',
    "negative.json": b'{"model_type": "gpt2", "hidden_size": -4}',
    "half.json": b'{"model_type": "gpt2", "hidden_size": 64}',
    "moe.json": b'{"model_type": "mixtral", "num_local_experts": 8}',
    "type.json": b'{"model_type": "mamba"}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_config_is_one_line_and_exit_2_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
):
    content = BROKEN[name]
    if content is not None:
        Path(name).write_bytes(content)
    before = set(folder.iterdir())
    code, out, err = ended(capsys, "import", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {name}")
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "."], "must be a file"),
        (["import", "config.json", "-o", "no/mine.yaml"], "No such file or directory; choose"),
        (["import", "config.json", "-o", "mine.txt"], "must end in .yaml"),
        (["import", "config.json", "--name", "Mine"], "--name 'Mine'"),
        (["import", "config.json", "--name", "taken"], "taken.yaml exists"),
        (["eval", "dfx", "--set", "workload=config.json"], "'dse import config.json'"),
        (["eval", "dfx", "--set", "workload=none.yaml"], "none.yaml: No such file"),
        (["eval", "dfx", "--set", "workload=taken.yaml"], "unknown family 'cnm'; did you mean"),
        (["eval", "dfx", "--set", "workload=short.yaml"], "'short.title': Field required"),
        (["eval", "dfx", "--set", "workload=long.yaml"], "long.yaml: "),
        (["sweep", "dfx", "--over", "workload=gpt2,none.yaml"], "none.yaml"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_wrong_use_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
):
    row = {**huggingface.convert(GPT2).document, "layers": 10**400}
    Path("long.yaml").write_text(documents.dump(row))
    Path("taken.yaml").write_text("family: cnm\n")
    Path("short.yaml").write_text("family: transformer\nslug: short\nkind: decoder\n")
    code, out, err = ended(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
