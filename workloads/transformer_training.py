"""What training a transformer keeps for its backward pass, tensor by tensor.

The tensors are those that `transformer_operators` adds up, so their bytes equal the law
4 (t activation_token + t^2 activation_pair) to the last digit: what stands outside the blocks
saves nothing, and a mask takes half an element, two bytes where an element has four.

Steps are eager kernels, in the order of a network that norms before each half of a block. Where
it norms afterwards, sizes are the same and births differ by a step or two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dse.errors import InputError
from dse.training import SavedTensor, TrainingView

from .transformer_hyper import Hyperparameters, parameters

ELEMENT, MASK = 4.0, 2.0
"""Bytes of a number in FP32, and of an element of a mask as the law counts it."""


@dataclass(frozen=True)
class _Saved:
    name: str
    elements: int
    element_size: float
    birth: int
    reader: int
    relu: bool


@dataclass
class _Tape:
    """Records the forward pass: steps, and what each of them saves."""

    hyper: Hyperparameters
    tokens: int
    steps: int = 0
    saved: list[_Saved] = field(default_factory=list)

    def step(self) -> int:
        """The number of the next step."""
        self.steps += 1
        return self.steps - 1

    def save(
        self, name: str, birth: int, width: int, *, relu: bool = False, size: float = ELEMENT
    ) -> None:
        """The latest step saves a tensor of `width` elements a token, born at some step."""
        elements = self.tokens * width
        self.saved.append(_Saved(name, elements, size, birth, self.steps - 1, relu))

    def drop(self, name: str, born: int, width: int) -> int:
        """The step of a dropout, which saves its mask; without dropout there is none."""
        if not self.hyper.dropout:
            return born
        born = self.step()
        self.save(f"{name}.mask", born, width, size=MASK)
        return born


def view(hyper: Hyperparameters, tokens: int) -> TrainingView:
    """The training view of one sequence.

    Raises:
        InputError: more tokens than the network's context, or part of a picture.
    """
    _check(hyper, tokens)
    tape = _Tape(hyper, tokens)
    out = source = tape.step()
    for layer in range(hyper.encoder_layers):
        out = _feed_forward(tape, f"encoder.{layer}", _attention(tape, f"encoder.{layer}", out))
    encoded, out = out, source
    for layer in range(hyper.layers):
        name = f"decoder.{layer}" if hyper.encoder_layers else f"layer.{layer}"
        out = _attention(tape, name, out)
        if hyper.encoder_layers:
            out = _cross_attention(tape, name, out, encoded, first=layer == 0)
        out = _feed_forward(tape, name, out)
    tape.step()
    return TrainingView(
        network=hyper.slug,
        steps=tape.steps,
        tensors=tuple(_tensor(one, tape.steps) for one in sorted(tape.saved, key=_birth)),
        parameters=float(parameters(hyper)),
        workspace=float(workspace(hyper, tokens)),
    )


def _check(hyper: Hyperparameters, tokens: int) -> None:
    least = hyper.context if hyper.kind == "vision" else 1
    if not least <= tokens <= hyper.context:
        allowed = f"{least} <= tokens <= {hyper.context}"
        raise InputError(
            f"`{allowed}` must hold for '{hyper.slug}', got tokens={tokens}; set it in that range"
        )


def _birth(one: _Saved) -> int:
    return one.birth


def _tensor(one: _Saved, steps: int) -> SavedTensor:
    return SavedTensor(
        name=one.name,
        elements=float(one.elements),
        element_size=one.element_size,
        birth=one.birth,
        last_use=2 * steps - 1 - one.reader,
        relu=one.relu,
        fp16=one.element_size == ELEMENT,
    )


def _attention(tape: _Tape, name: str, source: int) -> int:
    """Norm, projection to queries, keys and values, attention; returns the step of the sum."""
    width = tape.hyper.width
    normed = tape.step()
    tape.save(f"{name}.norm1.input", source, width)
    projected = tape.step()
    tape.save(f"{name}.qkv.input", normed, width)
    return _attended(tape, name, projected, projected)


def _cross_attention(tape: _Tape, name: str, source: int, encoded: int, *, first: bool) -> int:
    """The decoder's look at the source; all layers read one encoding, the first needs it last."""
    width = tape.hyper.width
    normed = tape.step()
    tape.save(f"{name}.cross_norm.input", source, width)
    queries = tape.step()
    tape.save(f"{name}.cross_query.input", normed, width)
    keys = tape.step()
    if first:
        tape.save("encoding", encoded, width)
    return _attended(tape, f"{name}.cross", queries, keys)


def _attended(tape: _Tape, name: str, queries: int, keys: int) -> int:
    """Scores, softmax, weighted values, projection and sum of all heads."""
    hyper = tape.hyper
    scores = hyper.heads * tape.tokens
    tape.step()
    tape.save(f"{name}.queries", queries, hyper.query)
    tape.save(f"{name}.keys", keys, hyper.key)
    softmax = tape.step()
    tape.save(f"{name}.softmax", softmax, scores)
    dropped = tape.drop(f"{name}.softmax_dropout", softmax, scores)
    weighted = tape.step()
    tape.save(f"{name}.values", keys, hyper.key)
    if hyper.dropout:
        tape.save(f"{name}.softmax_dropout", dropped, scores)
    projection = tape.step()
    tape.save(f"{name}.projection.input", weighted, hyper.query)
    tape.drop(f"{name}.projection_dropout", projection, hyper.width)
    return tape.step()


def _feed_forward(tape: _Tape, name: str, source: int) -> int:
    """Norm, both linear layers and what stands between them; returns the step of the sum."""
    hyper = tape.hyper
    normed = tape.step()
    tape.save(f"{name}.norm2.input", source, hyper.width)
    up = tape.step()
    tape.save(f"{name}.ffn_up.input", normed, hyper.width)
    activated = tape.step()
    relu = hyper.activation == "relu" and not hyper.gated
    if relu:  # saves its output, which the next layer reads: needed until its own backward step
        tape.save(f"{name}.ffn_down.input", activated, hyper.ffn, relu=True)
    else:
        tape.save(f"{name}.activation.input", up, (2 if hyper.gated else 1) * hyper.ffn)
    down = tape.step()
    if not relu:
        tape.save(f"{name}.ffn_down.input", activated, hyper.ffn)
    tape.drop(f"{name}.ffn_dropout", down, hyper.width)
    return tape.step()


def workspace(hyper: Hyperparameters, tokens: int) -> int:
    """Elements of the largest step's inputs and outputs: logits, scores or a linear layer."""
    branches = 2 if hyper.gated else 1
    headed = hyper.kind in {"decoder", "encoder-decoder"}
    pixels = hyper.channels * hyper.patch**2
    per_token = (
        hyper.embedding_width + hyper.vocab if headed else 0,
        pixels + hyper.width,
        hyper.width + hyper.query + 2 * hyper.key,
        hyper.query + hyper.key + hyper.heads * tokens,
        2 * hyper.heads * tokens,
        hyper.width + branches * hyper.ffn,
        (branches + 1) * hyper.ffn,
        3 * hyper.width,
    )
    return tokens * max(per_token)
