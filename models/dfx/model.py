r"""DFX (Hong et al., MICRO 2022): latency, energy and cost of a decoder on p FPGAs.

Question: what is the latency per token on p FPGAs, and against GPUs, at what energy and cost?
Each board holds 1/p of every matrix and streams all of it for every token, prompt tokens too.

| symbol       | name                              | unit          | where                        |
|--------------|-----------------------------------|---------------|------------------------------|
| p, n         | fpgas, passes                     | 1             | n: input and output tokens   |
| d, l, f      | depth, lanes, clock               | 1, 1, Hz      | 64, 16, 200 MHz in the paper |
| B, b, r      | bandwidth, link, rate             | B/s, B/s, 1/s | HBM; one port; weights       |
| eta, t_layer | stream_efficiency, layer_overhead | 1, s          | fitted here                  |
| W, V e       | matrix_weights, head_weights      | 1             | all layers; output head      |
| L, e, h, c   | layers, width, head_dim, context  | 1             | of the network; attended     |

Arguments carry these units and broadcast. The paper's text could not be read: [walkthrough] is a
second-hand account of its Sec. I-V without equation numbers, [derived] was worked out from that.

Assumptions: FP16; no batching, no reuse of weights over tokens; p divides the heads; LayerNorm and
residual on every board; matrices padded to whole tiles.
Range: GPT-2 345M to 1.5B, p <= 4, up to 384 tokens, 64 x 16 tiles at 200 MHz, U280.

Where we differ from the paper: n_in + n_out passes, not one less, as its latencies say. t_layer
holds the ring, and attention up to 384 tokens: they show no slope (at [64:64] it would add 1 %).

Known weak regimes (sign of the bias of latency, its size against the executed mechanism; both are
asked without losses): contexts over 384 - (16 % at 1024), softmax there is free; p > 4 - (20 % at
8), hops grow; under 200 MHz - (34 %), over it + (25 %), t_layer is cycles; tiles over the memory's
port - (13 %), less deep than 64 - (16 %), fewer than 11 to a board's columns - (43 %), where sums
wait for the adder. Energy is unsure by 45 %. See `notes.energy`, `notes.mechanism`, `notes.cross`.
"""

import math
from typing import cast

import numpy as np

from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Result, Rule

from .config import DATA, GIVEN, Appliance, Board, Decoder

__all__ = ["MODEL", "Appliance", "Board", "Decoder", "evaluate"]

HALF = GIVEN("element_size")
FITTED_TILE = {"depth": GIVEN("depth"), "lanes": GIVEN("lanes")}
FITTED_BOARD = {"clock": GIVEN("clock"), "bandwidth": GIVEN("calibrated_bandwidth")}


def padding(*, width: Array, fpgas: Array, depth: Array, lanes: Array) -> Array:
    r"""Weights streamed over weights held: matrices fill whole tiles [derived].

    $\frac{1}{e^2} \lceil e/d \rceil d \lceil e/(p l) \rceil p l$, columns being split over boards.

    >>> float(padding(width=1600, fpgas=1, depth=128, lanes=16))
    1.04
    """
    share = fpgas * lanes
    rows: Array = np.ceil(width / depth) * depth
    return rows * np.ceil(width / share) * share / (width * width)


def stream_rate(
    *, depth: Array, lanes: Array, clock: Array, bandwidth: Array, stream_efficiency: Array
) -> Array:
    r"""Weights per second of one board, $r = \eta \min(d l f, B / 2\,\mathrm{B})$ [walkthrough].

    >>> float(stream_rate(depth=64, lanes=16, clock=2e8, bandwidth=460e9, stream_efficiency=0.5))
    102400000000.0
    """
    return stream_efficiency * np.minimum(depth * lanes * clock, bandwidth / HALF)


def context_tiles(*, passes: Array, limit: Array, tile: Array) -> Array:
    r"""Tiles of a context that grows with every pass up to a limit N [token], summed [derived].

    $\sum_{c=1}^{n} \lceil \min(c, N) / t \rceil = k n - t k (k - 1) / 2$ with
    $k = \lceil \min(n, N) / t \rceil$; here $1 \cdot 16 + 2 \cdot 16 + 3 \cdot 8$:

    >>> float(context_tiles(passes=40, limit=384, tile=16))
    72.0
    """
    last: Array = np.ceil(np.minimum(passes, limit) / tile)
    return last * (passes - tile * (last - 1) / 2)


def attention_weights(
    *, head_dim: Array, passes: Array, limit: Array, depth: Array, lanes: Array
) -> Array:
    r"""Keys and values one head streams over all passes, padding included [derived].

    $d l \sum_c \lceil h/d \rceil \lceil c/l \rceil + \lceil c/d \rceil \lceil h/l \rceil$, h the
    width of a head: depth or lanes beyond it are wasted, as the paper says of 64.

    >>> float(attention_weights(head_dim=64, passes=1, limit=384, depth=64, lanes=16)) / (64 * 16)
    5.0
    """
    keys = np.ceil(head_dim / depth) * context_tiles(passes=passes, limit=limit, tile=lanes)
    values = np.ceil(head_dim / lanes) * context_tiles(passes=passes, limit=limit, tile=depth)
    return depth * lanes * (keys + values)


def sync_time(*, width: Array, fpgas: Array, link: Array) -> Array:
    r"""Least time of a layer's four all-gathers on the ring; inside `layer_overhead`.

    $(p - 1) \left( \frac{(3 + 4) e \cdot 2\,\mathrm{B}}{p\, b \cdot 64/66} + 4 t_{hop} \right)$
    [derived]: three vectors of e, one of 4 e. In us for 1.5B on 4 boards:

    >>> round(1e6 * float(sync_time(width=1536, fpgas=4, link=12.5e9)), 3)
    7.331
    """
    wire = (3 + 4) * HALF * width / (link * GIVEN("link_encoding"))
    return np.where(fpgas > 1, (fpgas - 1) * (wire / fpgas + 4 * GIVEN("hop_latency")), 0.0)


def dsp_blocks(*, depth: Array, lanes: Array) -> Array:
    r"""DSP blocks of one core, $3 d l + 5 d + 150$; the first [walkthrough], two estimates.

    >>> float(dsp_blocks(depth=64, lanes=16))
    3542.0
    """
    vector = GIVEN("dsp_per_vector_lane") * depth
    return GIVEN("dsp_per_product") * depth * lanes + vector + GIVEN("dsp_control")


def memory_footprint(*, weights: Array, kv_elements: Array, tokens: Array, fpgas: Array) -> Array:
    r"""HBM one board fills [B], $2\,\mathrm{B} (W + V e + n \cdot kv) / p$ [derived].

    >>> float(memory_footprint(weights=1e9, kv_elements=1e5, tokens=100, fpgas=2))
    1010000000.0
    """
    return HALF * (weights + kv_elements * tokens) / fpgas


def gpu_latency(*, input_tokens: Array, output_tokens: Array) -> Array:
    """Four V100 on GPT-2 1.5B, a line in both lengths [walkthrough].

    >>> round(float(gpu_latency(input_tokens=64, output_tokens=64)), 5)
    4.83008
    """
    return GIVEN("gpu_input_time") * input_tokens + GIVEN("gpu_output_time") * output_tokens


def _attention(config: Appliance, **tile: Array) -> Array:
    """Keys and values that one board streams for a request, at some tile and limit of context."""
    net, passes = config.workload, config.input_tokens + config.output_tokens
    per_head = attention_weights(head_dim=net.head_dim, passes=passes, **tile)
    return net.layers * net.heads / config.fpgas * per_head


def _terms(config: Appliance) -> tuple[dict[str, Array], Array]:
    """Exposed times of a request by name, and all that one board streams for it."""
    net, passes = config.workload, config.input_tokens + config.output_tokens
    tile, eta = {"depth": config.depth, "lanes": config.lanes}, config.stream_efficiency
    held = passes * padding(width=net.width, fpgas=config.fpgas, **tile) / config.fpgas
    attention = _attention(config, limit=passes, **tile)
    absorbed = _attention(config, limit=GIVEN("calibrated_context"), **FITTED_TILE)
    bandwidth = config.fpga.hbm_bandwidth
    rate = stream_rate(clock=config.clock, bandwidth=bandwidth, stream_efficiency=eta, **tile)
    fitted_rate = stream_rate(stream_efficiency=eta, **FITTED_TILE, **FITTED_BOARD)
    terms = {
        "matrices": held * net.matrix_weights / rate,
        "head": held * net.head_weights / rate,
        "attention": np.maximum(attention / rate - absorbed / fitted_rate, 0.0),
        "layers": passes * net.layers * config.layer_overhead,
    }
    return terms, held * (net.matrix_weights + net.head_weights) + attention


def evaluate(config: Appliance) -> Result:
    """Compose the equations; terms and resources are seconds of one request."""
    net, board, p = config.workload, config.fpga, config.fpgas
    terms, streamed = _terms(config)
    latency = terms["matrices"] + terms["head"] + terms["attention"] + terms["layers"]
    passes = config.input_tokens + config.output_tokens
    weights = net.matrix_weights + net.head_weights
    ring = sync_time(width=net.width, fpgas=p, link=board.link_bandwidth)
    busy = streamed / config.stream_efficiency
    resources = {
        "compute": busy / (config.depth * config.lanes * config.clock),
        "memory": busy * HALF / board.hbm_bandwidth,
        "layers": terms["layers"],
        "ring": passes * net.layers * ring,
    }
    stored = {"weights": weights, "kv_elements": net.kv_elements, "tokens": passes}
    footprint = memory_footprint(fpgas=p, **stored)
    dsp = dsp_blocks(depth=config.depth, lanes=config.lanes)
    metrics = {
        "latency": latency,
        "token_time": latency / passes,
        **_worth(config, latency=latency),
        "achieved_flops": 2 * weights * passes / (p * latency),
        "sync_time": ring,
        "dsp": dsp,
        "memory_footprint": footprint,
        "feasible": cast("Array", (dsp <= board.dsp) & (footprint <= board.hbm_capacity)),
    }
    return Result(metrics=metrics, terms=terms, resources=resources, flags=_flags(config))


def _worth(config: Appliance, *, latency: Array) -> dict[str, Array]:
    """Rate, energy and cost, and their ratios to four V100 where those were measured."""
    net, gpus = config.workload, GIVEN("gpus")
    rate, cost = config.output_tokens / latency, config.fpgas * config.fpga.price
    power = config.fpgas * config.board_power
    energy = power * latency
    gpu = gpu_latency(input_tokens=config.input_tokens, output_tokens=config.output_tokens)
    same = (net.layers == GIVEN("gpu_layers")) & (net.width == GIVEN("gpu_width"))
    speedup = np.where(same, gpu, math.nan) / latency
    return {
        "tokens_per_second": rate,
        "energy": energy,
        "energy_per_token": energy / config.output_tokens,
        "cost": cost,
        "cost_effectiveness": rate / cost,
        "speedup": speedup,
        "energy_efficiency": speedup * gpus * GIVEN("gpu_power") / power,
        "cost_effectiveness_ratio": speedup * gpus * GIVEN("gpu_price") / cost,
    }


def _flags(config: Appliance) -> dict[str, Mask]:
    net, board = config.workload, config.fpga
    tile = (config.depth != GIVEN("depth")) | (config.lanes != GIVEN("lanes"))
    other = board.hbm_bandwidth != GIVEN("calibrated_bandwidth")
    return {
        "network": (net.matrix_weights < GIVEN("least")) | (net.matrix_weights > GIVEN("most")),
        "ring": config.fpgas > GIVEN("calibrated_fpgas"),
        "tile": tile | (config.clock != GIVEN("clock")),
        "board": other | (board.hbm_capacity != GIVEN("calibrated_capacity")),
        "context": config.input_tokens + config.output_tokens > GIVEN("calibrated_context"),
        "power": config.board_power == GIVEN("board_power"),
    }


RATE, POWER = "1/token_time", "1/energy_efficiency"  # whose check rows speak for them

MODEL = Model(
    slug="dfx",
    paper=Paper.of(DATA, "What is the latency per token on p FPGAs, and at what energy and cost?"),
    config=Appliance,
    evaluate=evaluate,
    metrics={
        "latency": Metric("s", "min", "time of one request", error="token_time"),
        "token_time": Metric("s", "min", "time of one pass, prompt or output token alike"),
        "tokens_per_second": Metric("token/s", "max", "output tokens over a request", error=RATE),
        "energy": Metric("J", "min", "of one request, boards only", error=POWER),
        "energy_per_token": Metric("J/token", "min", "of an output token, boards", error=POWER),
        "cost": Metric("USD", "min", "price of the boards"),
        "cost_effectiveness": Metric("token/s/USD", "max", "rate per price", error=RATE),
        "speedup": Metric("1", "max", "against four V100; of GPT-2 1.5B only", error=RATE),
        "energy_efficiency": Metric("1", "max", "tokens per joule against four V100"),
        "cost_effectiveness_ratio": Metric("1", "max", "rate per price to theirs", error=RATE),
        "achieved_flops": Metric("FLOP/s", "max", "matrix work of one board", error=RATE),
        "sync_time": Metric("s", "min", "least ring time per layer; part of the layer time"),
        "dsp": Metric("1", "min", "DSP blocks of one core"),
        "memory_footprint": Metric("B", "min", "HBM filled on one board"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=DATA,
    flags={
        "network": "network outside GPT-2 345M to 1.5B: the constants were fitted on 345M",
        "ring": "more than 4 boards: latency is a lower estimate, hops cost more",
        "tile": "tile or clock other than 64 x 16 at 200 MHz: latency may be off by up to 43 %",
        "board": "board other than the U280: both constants may differ",
        "context": "context beyond 384 tokens: latency is a lower estimate, softmax is free",
    },
    remarks={"power": "energy rests on a remembered 45 W a board; the headline implies 66 W"},
    rules=(
        Rule(
            "heads % fpgas == 0",
            lambda c: np.mod(c.workload.heads, c.fpgas) == 0,
            "set fpgas to a divisor of the heads: 1, 2, 4, 8 of 16 or 24 heads, 1, 5 of 25",
        ),
        Rule(
            "workload is a decoder",
            lambda c: c.workload.decoder == 1,
            "set workload to a network that writes text, such as gpt2-1.5b",
        ),
        Rule(
            "fpgas == 1 where the board's link is unknown",
            lambda c: (c.fpgas == 1) | ~np.isnan(c.fpga.link_bandwidth),
            "set fpgas to 1 or fpga to a board with a known link, such as u280",
        ),
        Rule(
            "fpgas <= 2 where a board has one port",
            lambda c: (c.fpgas <= 2) | np.greater_equal(c.fpga.qsfp_ports, 2),
            "set fpgas to 1 or 2, or fpga to a board with two ports, such as u280",
        ),
        Rule(
            "board_power <= power of the board",
            lambda c: c.board_power <= c.fpga.power,
            "set board_power to at most what the board may draw",
        ),
    ),
    monotone=(
        *(Monotone(knob, "latency", -1) for knob in ("fpgas", "clock", "stream_efficiency")),
        *(Monotone(k, "latency", 1) for k in ("input_tokens", "output_tokens", "layer_overhead")),
        Monotone("board_power", "energy", 1),
    ),
)
