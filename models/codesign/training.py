"""Equations of training, Sec. 3.2 and 3.3: memory, compute, and the split of the drives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.spec import Array, Mask

from ..copflash.wear import balanced_fraction
from ..flashneuron.transfer import largest_batch, must_leave, wire_share
from ..roofline import model as roofline
from . import kernels
from .compiling import Code
from .drive import Load, Traffic, balanced, traffic, wear, widest_zone
from .platform import Platform
from .rows import GIVEN

SLACK = 1e-9
"""Relative; a split clipped to the widest zone must not fail for its last digit."""


class Memory(NamedTuple):
    """Where the bytes of a step lie on one GPU."""

    saved: Array
    """Saved for the backward pass, A [B]."""
    state: Array
    """Weights, gradients and moments, W = 16 N [B]."""
    room: Array
    """Left for saved tensors beside the working set [B]."""
    leaving: Array
    """Must go to the drives, V [B]."""
    wire: Array
    """Bytes written per byte that goes."""
    alone: Array
    """Largest batch of the GPU alone, b_1."""
    fits: Mask


class Trained(NamedTuple):
    """One step of the node, settled with its drives."""

    memory: Memory
    load: Load
    traffic: Traffic
    fraction: Array
    """Share of the blocks in SLC mode."""
    slc_wear: Array
    """Share of its life that a step takes of the SLC zone."""
    tlc_wear: Array
    fits: Mask


def trained_weights(config: Platform) -> Array:
    """Parameters with a gradient, Sec. 3.2: linear layers and the word embedding, N.

    Positions, norms and biases are left out, 0.4 % of GPT-2 345M, and so is a head of its own.
    """
    net = config.workload
    return net.matrix_weights + net.vocab * net.width


def sequence_flops(config: Platform) -> Array:
    r"""Forward operations of a sequence [FLOP], $2 s (W + V e + L e s)$; all pairs in an encoder.

    Sec. 3.2 counts causal attention; an encoder such as BERT meets every pair, twice as many.
    """
    net, tokens = config.workload, config.train.tokens
    pairs = net.attention_macs * (1 - net.decoder / 2)
    return 2 * tokens * (trained_weights(config) + pairs * tokens)


def pass_time(*, flops: Array, batch: Array, rate: Array) -> Array:
    r"""Arithmetic of a pass [s], $F (b + b_h) / (\eta_c P)$: small batches fill no GPU.

    >>> float(pass_time(flops=1e12, batch=12, rate=8e12))
    2.0
    """
    return flops * (batch + GIVEN("half_batch")) / rate


def all_reduce_time(*, parameters: Array, gpus: Array, link: Array) -> Array:
    r"""Time to add up FP32 gradients on a ring [s], $\frac{2 (g - 1)}{g} \frac{4 N}{b}$ [derived].

    Nothing hides it here, which is the slow side: frameworks overlap part with the backward pass.

    >>> float(all_reduce_time(parameters=3e8, gpus=4, link=12e9))
    0.15
    """
    return 2 * (gpus - 1) / gpus * GIVEN("gradient_size") * parameters / link


def _fabric(config: Platform) -> Array:
    """Bandwidth between the GPUs of a node: NVLink where it is listed, else the host's slots."""
    train = config.train
    slots = np.minimum(train.gpu.host_bandwidth, train.host_link / train.gpus)
    nvlink = train.gpu.nvlink_bandwidth
    return np.where(np.isnan(nvlink), slots, nvlink)


def memory(config: Platform) -> Memory:
    """Bytes of a step on one GPU, and what must leave, Sec. 3.2."""
    net, train = config.workload, config.train
    tokens, width = train.tokens, train.precision.width
    each = width * tokens * (net.activation_token + tokens * net.activation_pair)
    saved = train.batch * each
    state = GIVEN("state_size") * trained_weights(config)
    left = train.gpu.memory_capacity - state
    room = left - GIVEN("workspace_share") * saved
    halved = train.fp16_store.on * train.precision.compressible
    sparse = train.csr.on * halved * net.relu_share
    residue = GIVEN("residue") * sparse
    leaving = train.offload.on * must_leave(saved=saved, room=room, residue=residue)
    wire = wire_share(
        halved=GIVEN("fp16_share") * halved, sparse=sparse, sparsity=GIVEN("sparsity")
    )
    held_each = (1 + GIVEN("workspace_share")) * np.where(each > 0, each, np.inf)
    alone = largest_batch(room=left, slope=held_each)
    held = np.where(train.offload.on > 0, leaving <= saved, saved <= room)
    return Memory(saved, state, room, leaving, wire, alone, np.greater(room, 0) & held)


def compute(config: Platform, code: Code, batch: Array) -> tuple[Array, Array, Array]:
    """Forward and backward pass at a batch and the update of the weights, Sec. 3.2 [s]."""
    train, trust = config.train, config.trust.training_time
    peak = roofline.peak(train.gpu, train.precision)
    rate = peak * config.compute_efficiency / code.time_ratio
    working = pass_time(flops=sequence_flops(config), batch=batch, rate=rate)
    forward = working + code.kernels * code.dispatch_time * config.workload.layers
    stream = config.memory_efficiency * train.gpu.memory_bandwidth
    update = GIVEN("update_traffic") * trained_weights(config) / stream
    measured = kernels.trains(config)
    # A batch that is all datasheet does not pay for the calibrated form.
    if np.any(measured):
        forward = np.where(measured, kernels.forward_time(config, code, batch), forward)
        streamed = kernels.update_time(config, trained_weights(config))
        update = np.where(measured, streamed, update)
    forward = trust * forward
    return forward, 2 * forward, trust * update


def accumulated_throughput(config: Platform, code: Code, one: Trained) -> Array:
    """The same batch in parts that fit, without any drive: gradients are accumulated [sequence/s].

    Passes at the largest batch of the GPU alone, one update and one all-reduce for all of them.
    [derived]; not in any of the papers. 0 where not even one sequence fits.
    """
    train = config.train
    part = np.minimum(one.memory.alone, train.batch)
    forward, backward, update = compute(config, code, np.maximum(part, 1.0))
    time = (forward + backward) * train.batch / np.maximum(part, 1.0) + update + one.load.wait
    return np.where(part >= 1, train.gpus * train.batch / time, 0.0)


def _load(config: Platform, code: Code, held: Memory, wait: Array) -> Load:
    """What the step asks of the drives of the node, Sec. 3.3."""
    train, drive = config.train, config.drive
    forward, backward, update = compute(config, code, train.batch)
    dies = drive.count * drive.dies
    # Truth over the time that drives and links take is a slower drive behind a slower link.
    trust = config.trust.offload
    page = dies * drive.tlc.planes_per_die * drive.tlc.page_size / trust
    slots = train.gpus * train.gpu.host_bandwidth
    links = np.minimum(drive.count * drive.link.bandwidth, train.host_link)
    return Load(
        forward=forward,
        backward=backward + update,
        wait=wait,
        short=train.gpus * held.leaving * held.wire,
        refresh=train.refresh * train.batch * train.gpus / train.sequences,
        state=held.state,
        interval=train.checkpoint_interval,
        live=train.dataset + GIVEN("checkpoints_held") * held.state,
        capacity=drive.tlc.die_capacity * dies,
        slc_share=drive.slc.bits_per_cell / drive.tlc.bits_per_cell,
        link=np.minimum(links, slots) / trust,
        slc_write=drive.slc.program_time / page,
        slc_read=drive.slc.read_time / page,
        tlc_write=drive.tlc.program_time / page,
        tlc_read=drive.tlc.read_time / page,
        endurance_slc=drive.slc.endurance,
        endurance_tlc=drive.tlc.endurance,
        cache=drive.zones.cache,
        zoned=drive.zones.cache + drive.zones.dual,
        # Sorting by lifetime is Cop-Flash's; its baselines, TLC alone and a cache, have none.
        lii=drive.lii.on * drive.zones.dual,
    )


def split_bounds(load: Load) -> tuple[Array, Array]:
    """Least and most blocks in SLC mode under EADM: a step's short data, and the live data."""
    widest = np.maximum(widest_zone(live=load.live, capacity=load.capacity), 0.0)
    return np.minimum(load.short / (load.slc_share * load.capacity), widest), widest


def settle(config: Platform, load: Load) -> tuple[Array, Traffic]:
    """Share of the blocks in SLC mode and the traffic it makes, Sec. 3.3.

    Given, unless EADM sizes two zones: then the split wears both alike. With LII the step does
    not depend on it, so it is a closed form; without, the root of `drive.balanced`.
    """
    drive = config.drive
    low, high = split_bounds(load)
    adaptive = np.greater(drive.zones.dual * drive.eadm.on, 0)
    first = np.where(adaptive, high, load.zoned * drive.slc_fraction)
    found = traffic(first, load)
    # The law of `copflash` has a third of the pages in SLC mode; other cells hold another share.
    closed = balanced_fraction(
        slc_writes=found.slc_bytes,
        tlc_writes=found.tlc_bytes,
        endurance_ratio=load.endurance_tlc / load.endurance_slc / (3 * load.slc_share),
    )
    fraction = np.where(adaptive, np.clip(closed, low, high), first)
    rows = adaptive & np.equal(load.lii, 0) & np.greater_equal(fraction, 0)
    if not np.any(rows):
        return fraction, found
    few = Load(*(_those(rows, field) for field in load))
    root = balanced(_those(rows, low), _those(rows, high), few)
    solved = traffic(root, few)
    pairs = zip(solved, found, strict=True)
    return _laid(rows, root, fraction), Traffic(*(_laid(rows, new, old) for new, old in pairs))


def _those(rows: Mask, values: Array) -> Array:
    """Values of the designs of a mask, one after the other."""
    return np.extract(rows, np.where(rows, values, 0.0))


def _laid(rows: Mask, solved: Array, others: Array) -> Array:
    """Values of the designs of a mask back in their places, the others as they were."""
    whole = np.where(rows, 0.0, others)
    np.place(whole, rows, solved)
    return whole


def step(config: Platform, code: Code) -> Trained:
    """A step of the node, settled with its drives, Sec. 3.2 and 3.3."""
    held = memory(config)
    parameters, gpus = trained_weights(config), config.train.gpus
    wait = all_reduce_time(parameters=parameters, gpus=gpus, link=_fabric(config))
    load = _load(config, code, held, wait)
    fraction, found = settle(config, load)
    slc, tlc = wear(fraction, found, load)
    _, widest = split_bounds(load)
    room = (1 - fraction) * load.capacity * (1 + SLACK)
    stored = (fraction <= widest * (1 + SLACK)) & (widest > 0)
    stored = stored & np.less_equal(load.live + found.spilled, room)
    fits = held.fits & stored & np.less(found.clock_share, GIVEN("busiest_drive"))
    return Trained(held, load, found, fraction, slc, tlc, fits)
