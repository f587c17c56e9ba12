"""What the joint page covers: rules that a design must keep to be priced at all."""

from __future__ import annotations

from functools import reduce

import numpy as np

from dse.spec import Array, Mask, Rule

from ..dfx import model as dfx
from ..roofline import coverage
from ..roofline import model as roofline
from . import kernels
from .platform import Platform


def _appliance(config: Platform) -> dfx.Appliance:
    """The ring as the `dfx` page knows it."""
    ring = config.dfx
    return dfx.Appliance.batched(
        {
            "workload": config.workload,
            "fpga": ring.fpga,
            "fpgas": ring.fpgas,
            "depth": ring.depth,
            "lanes": ring.lanes,
            "clock": ring.clock,
            "input_tokens": config.input_tokens,
            "output_tokens": config.output_tokens,
        }
    )


def _on_dfx(rule: Rule[dfx.Appliance]) -> Rule[Platform]:
    """A rule of the `dfx` page, asked only where FPGAs serve."""
    return Rule(
        f"{rule.text}, where serve.target is dfx",
        lambda c: np.equal(c.serve.target.on_dfx, 0) | rule.holds(_appliance(c)),
        rule.way_out,
    )


def _on_gpu(rule: Rule[roofline.Pass], role: str, half: str, use: kernels.Use) -> Rule[Platform]:
    """A rule of the `roofline` page, asked only where measured kernels price that GPU.

    `role` is the group of its knobs, `half` the only 16-bit format there.
    """

    def holds(config: Platform) -> Mask:
        unasked = np.logical_not(use.measured(config))
        return unasked if np.all(unasked) else np.logical_or(unasked, rule.holds(use.one(config)))

    words = {
        "device to": f"{role}.gpu to",
        "precision to": f"{role}.precision to",
        "kernels to": f"roofline.{role}_kernels to",
        "form to": "roofline.form to",
        ", tf32, fp16 or bf16": f" or {half}",
        "fp16 or bf16": half,
    }
    way_out = reduce(lambda text, pair: text.replace(*pair), words.items(), rule.way_out)
    return Rule(f"{rule.text}, of {role}.gpu", holds, way_out)


def _serves(config: Platform) -> Array:
    target = config.serve.target
    return target.on_gpu + target.on_cpu + target.on_dfx


def _answers(config: Platform) -> Mask:
    branched = np.greater(len(config.workload.branches), 0)
    answers: Mask = branched | np.equal(config.workload.decoder, 1)
    return answers


def _all_heads_have_keys(config: Platform) -> Mask:
    net = config.workload
    own: Mask = np.equal(net.kv_elements, 2 * net.layers * net.heads * net.head_dim)
    return own & np.equal(net.decoder, 1)


def _letters(config: Platform) -> Mask:
    """Whether a given split has a letter for every part."""
    parts = len(config.workload.branches) or 2
    given = config.duet.assignment.parts
    unasked = np.equal(config.serve.target.on_gpu * config.serve.target.on_cpu, 0)
    return unasked | np.equal(given, 0) | np.equal(given, parts)


def _one_die(config: Platform) -> Mask:
    """Whether the SLC cells are the TLC ones with fewer bits."""
    slc, tlc = config.drive.slc, config.drive.tlc
    fewer = np.less(slc.bits_per_cell, tlc.bits_per_cell)
    same: Mask = fewer & np.equal(slc.page_size, tlc.page_size)
    return same


RULES: tuple[Rule[Platform], ...] = (
    Rule(
        "something is trained or served",
        lambda c: np.greater(c.train.mode.on + _serves(c), 0),
        "set train.mode to train, or serve.target to a device",
    ),
    Rule(
        "duet.assignment has a letter for every part, where CPU and GPU serve",
        _letters,
        "set duet.assignment to auto, two letters for a decoder, or one for every branch and head",
    ),
    Rule(
        "drive.slc is drive.tlc with fewer bits a cell",
        _one_die,
        "set drive.slc to slc-mode and drive.tlc to tlc-3d",
    ),
    Rule(
        "workload is a decoder or a network of branches, where something is served",
        lambda c: np.equal(_serves(c), 0) | _answers(c),
        "set workload to gpt2-1.5b or wide-deep-edge, or serve.target to none",
    ),
    Rule(
        "workload is a transformer, where something is trained",
        lambda c: np.equal(c.train.mode.on, 0) | np.greater(c.workload.layers, 0),
        "set workload to a transformer such as bert-large, or train.mode to none",
    ),
    Rule(
        "the GPU's peak at this precision is known",
        lambda c: (
            np.equal(c.serve.target.on_gpu, 0)
            | np.logical_not(np.isnan(roofline.peak(c.serve.gpu, c.serve.precision)))
        ),
        "set serve.precision to fp16, or serve.gpu to one that lists the peak",
    ),
    Rule(
        "the training GPU's peak at this precision is known",
        lambda c: (
            np.equal(c.train.mode.on, 0)
            | np.logical_not(np.isnan(roofline.peak(c.train.gpu, c.train.precision)))
        ),
        "set train.precision to fp32, or train.gpu to one that lists the peak",
    ),
    Rule(
        "serve.batch == 1 on dfx",
        lambda c: np.equal(c.serve.target.on_dfx, 0) | np.equal(c.serve.batch, 1),
        "set serve.batch to 1: DFX answers one request at a time",
    ),
    Rule(
        "workload is a decoder with keys for every head, where a3.on is on",
        lambda c: np.equal(c.a3.on.on * _serves(c), 0) | _all_heads_have_keys(c),
        "set a3.on to off: shared keys, branches and encoders are not covered here",
    ),
    *map(_on_dfx, dfx.MODEL.rules),
    *(_on_gpu(rule, "train", "amp", kernels.TRAINING) for rule in coverage.RULES),
    *(_on_gpu(rule, "serve", "fp16", kernels.SERVING) for rule in coverage.RULES),
)
