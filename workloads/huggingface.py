"""A Hugging Face `config.json` as a workload file: sizes are read, the rest follows the type.

A config names sizes, often under one of several names, and a `model_type`. What the type means
beyond them (norms, positions, biases, whether the head is the embedding) stands in
`huggingface_types.py`. What would change a count and is not covered is refused; what only changes
the work, such as a sliding window, is named in a warning. No size is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import cast

from dse.errors import InputError, shorten, unknown

from .huggingface_types import TYPES, Architecture, Row

LARGEST = 2**20
"""Bytes of the largest config that is read; those with 21,000 class names stay below."""

MOST = 10**9
"""The largest size of any kind: a layer, a width or a vocabulary beyond it is a slip."""

WAY_OUT = "give the config.json of a model"

_ACTIVATIONS = {
    **dict.fromkeys(("gelu", "gelu_new", "gelu_fast", "gelu_python", "quick_gelu"), "gelu"),
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
    **dict.fromkeys(("silu", "swish"), "silu"),
}
_ACTIVATION_FIELDS = (
    *("hidden_activation", "hidden_act", "activation_function", "feed_forward_proj"),
    "activation",
)
_EXPERT_FIELDS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
_DROPOUT_FIELDS = (
    *("attn_pdrop", "resid_pdrop", "dropout", "dropout_rate", "attention_dropout"),
    *("hidden_dropout", "residual_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob"),
)
_COUNTED = {
    "decoder": ("ForCausalLM", "LMHeadModel"),
    "encoder": ("Model",),
    "encoder-decoder": ("ForConditionalGeneration", "WithLMHeadModel"),
    "vision": ("ForImageClassification",),
}
"""Endings of the classes whose parameters are counted."""
_TELLING = re.compile(r"^n_|num_|_size$|_dim$|_layers$|_heads$|norm|bias|rank|adapter|expert")
"""Names of fields that may change a count."""
_SILENT = re.compile(
    r"num_labels|num_(return_seq|beam).*|.*ngram_size|.*norm_eps(ilon)?|layer_norm_.*|"
    r"add_(bias_logits|final_layer_norm)|normalize_.*|num_hidden_layers|max_window_layers|"
    r"pooler_.*|head_dim"
)
"""Fields of such a name that change none in the covered types."""


@dataclass(frozen=True)
class Imported:
    """What became of a config."""

    document: Mapping[str, object]
    """The workload file: its family, and a row as in the family's data file."""
    warnings: tuple[str, ...]
    """What the config says and the workload file cannot."""


def read(path: Path) -> Mapping[str, object]:
    """The JSON object of a config file.

    Raises:
        InputError: no such file, too large, not JSON, or not an object.
    """
    text = _text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON: {error.msg}; {WAY_OUT}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: nested or numbered beyond any config; {WAY_OUT}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: holds a {type(document).__name__}, no object; {WAY_OUT}")
    return document


def _text(path: Path) -> str:
    try:
        status = path.stat()
        fits = S_ISREG(status.st_mode) and status.st_size <= LARGEST
        text = path.read_text(encoding="utf-8-sig") if fits else None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; {WAY_OUT}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; {WAY_OUT}") from None
    if text is None:
        raise InputError(f"{path}: must be a file of at most {LARGEST:,} bytes; {WAY_OUT}")
    return text


def convert(
    config: Mapping[str, object], *, name: str = "", place: str = "config.json"
) -> Imported:
    """A config as a workload file.

    Args:
        config: what the JSON holds.
        name: slug of the network; without it the name that the config gives, or its type.
        place: where the config stands, for messages.

    Raises:
        InputError: a type that is not covered, a size that is missing or of no sense, or a switch
            that changes a count in a way the family cannot say.
    """
    try:
        kind = _architecture(config)
        row = _row(config, kind)
        slug = _slug(config, name)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    title = _plain(_last(config.get("_name_or_path"))) or slug
    document = {"family": "transformer", "slug": slug, "title": title, "kind": kind.kind, **row}
    return Imported(document, tuple(_warnings(config, kind, row)))


def _architecture(config: Mapping[str, object]) -> Architecture:
    _refuse_experts(config)
    if config.get("pruned_heads"):
        raise InputError(
            "`pruned_heads` must be empty: layers differ then; import another network"
        )
    named = config.get("model_type")
    if named is None:
        raise InputError(
            "'model_type' must be given, because norms, positions and biases follow from it; "
            'old files lack it: add "model_type": "bert" or what it is'
        )
    if str(named) not in TYPES:
        raise unknown("model_type", str(named), TYPES)
    return TYPES[str(named)]


def _refuse_experts(config: Mapping[str, object]) -> None:
    for field in _EXPERT_FIELDS:
        if config.get(field) not in (None, 0, 1):
            raise InputError(
                f"'{field}' says that it is a mixture of experts, which reads a part of its "
                "weights for each token; no law here says that: import a dense network"
            )


def _row(config: Mapping[str, object], kind: Architecture) -> dict[str, object]:
    """The hyper-parameters that the config and its type give."""
    row: dict[str, object] = {**kind.fixed}
    for field, covered in kind.switches.items():
        row |= _switch(config, field, covered)
    row |= _sizes(config, kind)
    row |= _activation(config, kind)
    row["dropout"] = _drops(config, kind)
    if kind.kind in ("decoder", "encoder-decoder"):
        row["tied"] = _truth(config, "tie_word_embeddings", default=kind.tied)
    return row | (_picture(config, row) if kind.kind == "vision" else {})


def _switch(config: Mapping[str, object], field: str, covered: Mapping[object, Row]) -> Row:
    given = config.get(field)
    if given is None:
        return next(iter(covered.values()))
    for value, row in covered.items():
        if type(given) is type(value) and given == value:
            return row
    known = " or ".join(json.dumps(value) for value in covered)
    raise InputError(
        f"`{field} = {known}` must hold, got {shorten(json.dumps(given))}: "
        "its parameters are not counted here; import another network"
    )


def _sizes(config: Mapping[str, object], kind: Architecture) -> dict[str, int]:
    given = {size: _size(config, names) for size, names in kind.sizes.items()}
    found = {size: value for size, value in given.items() if value is not None}
    for size in given.keys() - found.keys():
        if size not in kind.open:
            raise _missing(kind.sizes[size])
    for size, rule in kind.open.items():
        if size not in found and rule is not None:
            found[size] = rule(found)
    if kind.offset:
        found["context"] -= kind.offset
    return {size: found[size] for size in kind.sizes if size in found}


def _size(config: Mapping[str, object], names: Sequence[str]) -> int | None:
    given = {name: _whole(name, config[name]) for name in names if config.get(name) is not None}
    if len(set(given.values())) > 1:
        shown = " and ".join(f"{name}={value}" for name, value in given.items())
        raise InputError(f"{shown} must be equal: they are one size here")
    return next(iter(given.values()), None)


def _missing(names: Sequence[str]) -> InputError:
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    return InputError(f"'{names[0]}'{others} must be given: no default is taken for a size")


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        shown = shorten(json.dumps(value))
        raise InputError(f"'{name}' must be a whole number from 1 to {MOST:,}, got {shown}")
    return value


def _truth(config: Mapping[str, object], field: str, *, default: bool) -> bool:
    given = config.get(field)
    if given is not None and not isinstance(given, bool):
        raise InputError(f"'{field}' must be true or false, got {shorten(json.dumps(given))}")
    return default if given is None else given


def _activation(config: Mapping[str, object], kind: Architecture) -> dict[str, object]:
    """T5 names the gate with the activation: gated-gelu."""
    fields = [field for field in _ACTIVATION_FIELDS if config.get(field) is not None]
    named = str(config[fields[0]]) if fields else kind.activation
    plain = named.removeprefix("gated-")
    if plain not in _ACTIVATIONS:
        raise unknown("activation", named, _ACTIVATIONS)
    gate = {"gated": True} if plain != named else {}
    return {"activation": _ACTIVATIONS[plain], **gate}


def _drops(config: Mapping[str, object], kind: Architecture) -> bool:
    rates = [config[field] for field in _DROPOUT_FIELDS if config.get(field) is not None]
    if not rates:
        return kind.dropout
    return any(isinstance(rate, int | float) and rate > 0 for rate in rates)


def _picture(config: Mapping[str, object], row: Row) -> dict[str, object]:
    """The patches and the class token are the context; classes are those with a label."""
    labels = config.get("id2label")
    classes = len(labels) if isinstance(labels, Mapping) else _size(config, ["num_labels"])
    if not classes:
        raise InputError("'id2label' (or num_labels) must be given: the class head is counted")
    image, patch = cast("int", row["image"]), cast("int", row["patch"])
    return {"classes": classes, "context": (image // patch) ** 2 + 1}


def _slug(config: Mapping[str, object], name: str) -> str:
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", name):
        raise InputError(
            f"--name '{shorten(name)}' must be lower-case letters, digits, dots and hyphens"
        )
    own = re.sub(r"[^a-z0-9.]+", "-", _last(config.get("_name_or_path")).lower()).strip("-.")
    return name or own[:80] or str(config["model_type"])


def _last(path: object) -> str:
    """The name that a path ends in; empty where there is none."""
    return path.rstrip("/").rpartition("/")[2].strip() if isinstance(path, str) else ""


def _warnings(config: Mapping[str, object], kind: Architecture, row: Row) -> Iterator[str]:
    yield from _other_heads(config, kind)
    window = config.get("sliding_window")
    slides = bool(config.get("use_sliding_window", kind.window))
    if slides and isinstance(window, int) and window < cast("int", row["context"]):
        yield f"sliding_window = {window}: attention is priced over the full context"
    if config.get("quantization_config") is not None:
        yield "quantization_config is left out: set the precision of the page instead"
    if unread := sorted(_unread(config, kind)):
        yield f"not read: {', '.join(unread)}; if one of them adds parameters, they are missing"


def _other_heads(config: Mapping[str, object], kind: Architecture) -> Iterator[str]:
    named = config.get("architectures")
    for architecture in named if isinstance(named, list) else []:
        if not str(architecture).endswith(_COUNTED[kind.kind]):
            counted = " or ".join(_COUNTED[kind.kind])
            yield f"{_plain(architecture)} is counted as a ...{counted}: its head is another"


def _unread(config: Mapping[str, object], kind: Architecture) -> Iterator[str]:
    read = {name for names in kind.sizes.values() for name in names} | kind.switches.keys()
    for field, value in config.items():
        telling = _TELLING.search(field) and not _SILENT.fullmatch(field)
        if telling and value and field not in read and field not in _EXPERT_FIELDS:
            yield _plain(field)


def _plain(given: object) -> str:
    """Text of a config as one line of a file can hold it."""
    return shorten("".join(sign if sign.isprintable() else "?" for sign in str(given)))
