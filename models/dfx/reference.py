"""DFX executed: the instructions of a token, run by a scoreboard cycle by cycle of their start.

`program` emits what a board executes for a token, `schedule` gives each instruction its time,
`tiles` says how a matrix is walked. `gpt2` and `ring` execute the numbers themselves: the same
step whole and split over p boards. All follow the mechanism with the clock, widths and latencies
of the paper and of data sheets. No constant was fitted to a latency, so the times are those of a
machine that loses nothing but what the mechanism makes it lose: a lower estimate.
"""

from collections.abc import Mapping
from functools import partial

from dse import registry
from dse.errors import InputError
from dse.mechanism import Reference
from dse.spec import Metric

from .config import GIVEN
from .execution import Execution
from .program import Task
from .sample import Settings, cases, published
from .schedule import UNITS, Machine, by_layer, request


def machine(config: Execution) -> Machine:
    """The core, its memories and its ring, in cycles of the clock."""
    clock, board = float(config.clock), config.fpga
    port = min(float(config.channels * config.channel_width), float(board.hbm_bandwidth) / clock)
    return Machine(
        depth=int(config.depth),
        lanes=int(config.lanes),
        multiply=float(config.multiply_latency),
        add=float(config.add_latency),
        exp=float(config.exp_latency),
        bypass=float(config.bypass_latency),
        reciprocal=float(config.reciprocal_latency),
        root=float(config.root_latency),
        gelu=float(config.gelu_latency),
        compare=float(config.compare_latency),
        port=port,
        hbm_latency=float(config.hbm_latency) * clock,
        channels=float(config.channels),
        ddr=float(config.ddr_bandwidth) / clock,
        ddr_latency=float(config.ddr_latency) * clock,
        link=float(board.link_bandwidth * GIVEN("link_encoding")) / clock,
        hop=float(config.hop_latency) * clock,
    )


def task(config: Execution) -> Task:
    """The network of a request, and its last token's context.

    Raises:
        InputError: a network that is no decoder, or boards that do not divide its heads.
    """
    net, boards = config.workload, int(config.fpgas)
    if not net.decoder:
        raise InputError("`workload is a decoder` must hold; set workload to one, as gpt2-1.5b")
    if net.heads % boards:
        raise InputError(
            f"`heads % fpgas == 0` must hold, got {net.heads:g} heads and fpgas={boards}; "
            "set fpgas to a divisor of the heads"
        )
    if boards > 1 and not config.fpga.link_bandwidth > 0:
        raise InputError("fpga must have a known link where fpgas > 1; set fpga to u280")
    return Task(
        layers=int(net.layers),
        width=int(net.width),
        heads=int(net.heads),
        head_dim=int(net.head_dim),
        vocab=int(net.vocab),
        boards=boards,
        context=int(config.input_tokens + config.output_tokens),
        heads_ahead=int(config.heads_ahead),
    )


def run(config: Execution) -> Mapping[str, float]:
    """Serve a request token by token; its times, and how busy every unit of a board was."""
    core, work, clock = machine(config), task(config), float(config.clock)
    passes, net = work.context, config.workload
    total, (_, layer) = request(core, work, passes), by_layer(core, work)
    latency = total["cycles"] / clock
    weights = float(net.matrix_weights + net.head_weights)
    exposed = total["cycles"] - total["weights"]
    return {
        "latency": latency,
        "token_time": latency / passes,
        "tokens_per_second": float(config.output_tokens) / latency,
        "achieved_flops": 2 * weights * passes / (work.boards * latency),
        "cycles": total["cycles"] / passes,
        "layer_cycles": layer["cycles"],
        "layer_overhead": exposed / (passes * work.layers * clock),
        "sync_time": layer["router"] / clock,
        "weight_tiles": layer["weight_tiles"],
        "instructions": layer["instructions"],
        **{f"{unit}_share": total[unit] / total["cycles"] for unit in UNITS},
    }


def answered(settings: Settings) -> Mapping[str, float]:
    """What the mechanism says of some settings, the others as they are given."""
    return run(registry.resolve(Execution, settings, ""))


REFERENCE = Reference(
    slug="dfx",
    text="a request served token by token: every instruction of a board scheduled on its units",
    config=Execution,
    run=run,
    quantities={
        "latency": Metric("s", "min", "time of one request"),
        "token_time": Metric("s", "min", "mean time of one pass"),
        "tokens_per_second": Metric("token/s", "max", "output tokens over the whole request"),
        "achieved_flops": Metric("FLOP/s", "max", "matrix operations per second of one board"),
        "cycles": Metric("1", "min", "cycles of one pass, mean over the request"),
        "layer_cycles": Metric("1", "min", "cycles of one layer in the last pass"),
        "layer_overhead": Metric("s", "min", "time per layer and pass beside streaming weights"),
        "sync_time": Metric("s", "min", "time per layer in which the ring gathers"),
        "weight_tiles": Metric("1", "min", "tiles of weights per layer and board"),
        "instructions": Metric("1", "min", "instructions per layer and board"),
        "matrix_share": Metric("1", "", "share of time that the matrix unit takes tiles"),
        "vector_share": Metric("1", "", "share of time that the vector unit takes chunks"),
        "hbm_share": Metric("1", "", "share of time that HBM streams"),
        "router_share": Metric("1", "", "share of time that the ring gathers"),
    },
    compared={"token_time": "token_time"},
    cases=partial(cases, answered),
    published=published,
)
