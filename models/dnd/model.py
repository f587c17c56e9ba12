r"""DnD (Wu et al., USENIX Security 2022): recovering a network from its compiled binary.

Question: how many hours does it take to recover a deployed model from its binary, and how much of
it comes back? A risk to whoever ships it, a cost to whoever audits it: the senses of the metrics
are those of the one who ships.
The tool finds the functions of operators, identifies their induction variables by symbolic
execution, extracts and lifts what they compute, then reads the parameters one by one.

| symbol   | name                    | unit | where                                          |
|----------|-------------------------|------|------------------------------------------------|
| I, L     | instructions, loops     | 1    | of one function                                |
| kappa, x | coefficient, exponent   | s, 1 | by class of operators; 1.2                     |
| p        | failure                 | 1    | attempts that start again                      |
| n        | count, types            | 1    | functions of a class; distinct operators       |
| N, c     | parameters, solve_time  | 1, s | of the network or function; solver evaluation  |
| t_cfg    | load_time               | s    | per instruction                                |
| q        | support                 | 1    | chance that a type in use is supported         |

Arguments carry these units and broadcast. The paper's text could not be read and its times are
quoted nowhere: laws are [derived] from the released code and from runs of it on its own samples.

Assumptions: one thread; functions one after another; a linear layer costs what a convolution of
its size costs; all that is no product of matrices costs what a pooling costs; a network's
functions are those of LeNet under Glow, longer by the compiler's expansion; supported types are
independent. A single function is priced as measured: given as compiled, in a loaded binary.
Range: CPU code of Glow and TVM in Thumb, AArch64 and x86-64; functions of 338 to 2658 in I L.
Times are orders of magnitude, as one function a class was timed; linear layers within 10 times.

Where we differ from the paper: the released matcher knows seven operators and never names a
depthwise convolution or a norm, the paper says 59; support is the paper's. `extraction=bulk` is a
what-if that the tool lacks. Topology recovery is negligible and has no term.

Known weak regimes (sign of the bias of the time): timed on a busy machine +; functions larger
than LeNet's ?, solvers may give up; TVM's MobileNet +, its instructions are a third; recurrent
networks and stacks of equal layers +, a function that is called often is counted often.
Executed (reference.py) on LeNet and a small ResNet by two compilers of our own: functions and
types are counted alike; binary_instructions + by 10 to 32 %, as activations, additions and 1 x 1
convolutions are shorter than what stands for them; recovery + for skips in code without fusion.
Kernel-library binaries (XLA, NNFusion), interpreters, GPU and accelerator code, AVX-512: out of
the tool's scope, which does not mean safe.
"""

from functools import reduce
from typing import cast

import numpy as np

from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Result

from .config import DATA, GIVEN, Binary, Class, Compiler, Deployed, Extraction, Isa
from .functions import Functions, functions, named, operator_types, unseen
from .recovery import (
    attempts,
    correctness_bound,
    operator_time,
    parameter_time,
    recovery_probability,
)

__all__ = [
    "MODEL",
    "Binary",
    "Class",
    "Compiler",
    "Deployed",
    "Extraction",
    "Isa",
    "attempts",
    "correctness_bound",
    "evaluate",
    "operator_time",
    "parameter_time",
    "recovery_probability",
]


SMALLEST = GIVEN("fc_instructions") * GIVEN("fc_loops")
LARGEST = GIVEN("instructions") * GIVEN("loops")
ADDITIONS = ("add", "elementwise", "residual")
"""Names of what joins a skip connection."""
STEPS = ("locate_time", "identify_time", "extract_time", "lift_time", "parameter_time")
SLOWER = (
    *("instructions", "loops", "parameters", "failure"),
    *("conv_coefficient", "pool_coefficient", "solve_time"),
)


def _class_times(config: Binary, found: dict[str, Functions]) -> dict[str, Array]:
    """Symbolic execution by class of operators, retries included."""
    scale = {"other": config.pool_coefficient}
    repeated = attempts(failure=config.failure)
    return {
        name: repeated
        * group.count
        * operator_time(
            coefficient=scale.get(name, config.conv_coefficient),
            instructions=group.instructions,
            loops=group.loops,
        )
        for name, group in found.items()
    }


def _terms(
    config: Binary, found: dict[str, Functions], times: dict[str, Array]
) -> dict[str, Array]:
    """Times of the steps, one after another."""
    product = times["conv"] + times["fc"]
    identify = GIVEN("product_identify") * product + GIVEN("other_identify") * times["other"]
    weighted = found["conv"].count + found["fc"].count
    whole = np.greater(config.operator.whole, 0)
    return {
        "locate": np.where(whole, GIVEN("load_time") * _instructions(found), 0.0),
        "identify": identify,
        "extract": product + times["other"] - identify,
        "lift": GIVEN("product_lift") * weighted + GIVEN("other_lift") * found["other"].count,
        "parameters": parameter_time(
            parameters=np.where(whole, config.workload.parameters, config.parameters),
            solve_time=config.solve_time,
            functions=weighted,
            bulk=config.extraction.bulk,
        ),
    }


def _instructions(found: dict[str, Functions]) -> Array:
    return reduce(np.add, [group.count * group.instructions for group in found.values()])


def _recovery(config: Binary) -> dict[str, Array]:
    """How much comes back; nothing does of what the tool cannot lift."""
    whole, lifted = np.greater(config.operator.whole, 0), config.isa.lifted
    types = np.where(whole, operator_types(config.workload.operators), 1.0)
    uniform = GIVEN("collected_support")
    return {
        "operator_types": types,
        "recovery_probability": lifted
        * recovery_probability(support=config.type_support, types=types),
        "uniform_recovery": lifted * recovery_probability(support=uniform, types=types),
        "recovered_share": lifted * config.type_support,
        "correctness_bound": correctness_bound(successes=GIVEN("right"), miss=GIVEN("miss")),
        "feasible": cast("Array", np.greater(lifted, 0)),
    }


def evaluate(config: Binary) -> Result:
    """Compose the equations; terms and resources are seconds of one binary."""
    found = functions(config)
    times = _class_times(config, found)
    terms = _terms(config, found, times)
    total = reduce(np.add, terms.values())
    metrics = {
        "recovery_time": total,
        **{f"{name.removesuffix('s')}_time": value for name, value in terms.items()},
        "conv_time": times["conv"],
        "fc_time": times["fc"],
        "other_time": times["other"],
        "functions": reduce(np.add, [group.count for group in found.values()]),
        "binary_instructions": _instructions(found),
        **_recovery(config),
    }
    resources = {
        "execution": terms["identify"] + terms["extract"],
        "solver": terms["parameters"],
        "loading": terms["locate"] + terms["lift"],
    }
    return Result(metrics=metrics, terms=terms, resources=resources, flags=_flags(config, found))


def _flags(config: Binary, found: dict[str, Functions]) -> dict[str, Mask]:
    whole, operators = np.greater(config.operator.whole, 0), config.workload.operators
    groups = found.values()
    small = [(g.count > 0) & (g.work() < SMALLEST) for g in groups]
    large = [(g.count > 0) & (g.work() > LARGEST) for g in groups]
    additions = reduce(np.add, [named(operators, name) for name in ADDITIONS])
    return {
        "large": reduce(np.logical_or, large),
        "small": reduce(np.logical_or, small),
        "network": whole & np.greater(unseen(operators), 0),
        "order": np.equal(config.conv_coefficient, GIVEN("conv_coefficient"))
        | np.equal(config.pool_coefficient, GIVEN("pool_coefficient")),
        "linear": np.greater(found["fc"].count, 0),
        "compiler": whole & np.greater(config.compiler.tvm, 0),
        "depthwise": whole & np.greater(named(operators, "depthwise"), 0),
        "bulk": np.greater(config.extraction.bulk, 0),
        "scope": np.equal(config.isa.lifted, 0),
        "own": whole & np.greater(config.parameters, 0),
        "skips": whole & np.equal(config.compiler.fuses, 0) & np.greater(additions, 0),
    }


MODEL = Model(
    slug="dnd",
    paper=Paper.of(
        DATA, "How many hours does it take to recover a deployed model, and how much comes back?"
    ),
    config=Binary,
    evaluate=evaluate,
    metrics={
        "recovery_time": Metric("s", "max", "time to recover it; an order of magnitude", STEPS),
        "locate_time": Metric("s", "", "loading the binary and finding the functions"),
        "identify_time": Metric("s", "", "finding induction variables, retries included"),
        "extract_time": Metric("s", "", "extracting what functions compute, retries included"),
        "lift_time": Metric("s", "", "matching templates"),
        "parameter_time": Metric("s", "", "reading the parameters"),
        "conv_time": Metric("s", "", "symbolic execution of convolutions"),
        "fc_time": Metric("s", "", "symbolic execution of linear layers; within 10 times"),
        "other_time": Metric("s", "", "symbolic execution of all other functions"),
        "functions": Metric("1", "", "functions that are taken apart"),
        "binary_instructions": Metric("1", "", "instructions of those functions"),
        "operator_types": Metric("1", "", "distinct types of operators in use"),
        "recovery_probability": Metric(
            "1", "min", "chance that every type is supported", most=1.0
        ),
        "uniform_recovery": Metric("1", "min", "the same if support ignored popularity", most=1.0),
        "recovered_share": Metric(
            "1", "min", "expected share of the operators that come back", most=1.0
        ),
        "correctness_bound": Metric(
            "1", "", "least chance that what is supported comes back right", most=1.0
        ),
        "feasible": Metric("1", "", "whether it is in the tool's scope; outside is not safe"),
    },
    total="recovery_time",
    data=DATA,
    flags={
        "large": "functions larger than the largest timed: solvers may take far longer or give up",
        "small": "functions smaller than LeNet's smallest: nothing of the kind was looked at",
        "network": "operators that no binary of the paper held (attention, embedding)",
    },
    remarks={
        "order": "an order of magnitude: one convolution and one pooling were timed, once each",
        "linear": "linear layers: none was timed, fc_time holds within 10 times either way",
        "compiler": "TVM's instructions rest on ResNet18 and hold within 3 times elsewhere",
        "depthwise": "the released matcher names no depthwise convolution; the paper recovers it",
        "bulk": "bulk extraction is a what-if: the released tool solves for each parameter",
        "scope": "out of the tool's scope, which does not mean safe: times are what lifting it"
        " would let the tool take",
        "own": "a network brings its own parameters: the knob `parameters` is not used",
        "skips": "the release looks back three functions: where nothing is fused, skip connections"
        " reach further and do not come back",
    },
    monotone=(
        *(Monotone(knob, "recovery_time", 1) for knob in SLOWER),
        Monotone("type_support", "recovery_probability", 1),
    ),
)
