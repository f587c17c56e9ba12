"""Errors of the calibrated form: on the rows it was fitted on, and on what a fit never saw.

`python -m tests.models.roofline.judged DATA` prints them as the tables of the page's data.yaml.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from dse.spec import Array, Mask
from models.roofline import fused, products, streams
from models.roofline.config import DATA

from . import attention_measured, end_to_end, refit, streams_measured
from .attention_measured import Attention
from .kernels import Products, compass_products, measured_products
from .refit import Constants
from .streams_measured import Streams

COUNT = 600
"""Rows of each set that a fit with something left out sees."""
LAUNCH = {
    name: DATA.tables["launch"][name]["time"].value  # type: ignore[union-attr] # never a word
    for name in DATA.tables["launch"]
}
PROTOCOLS = ("graph", "profiler", "events")
Row = dict[str, float]
NETWORKS = ("llama-2-70b", "llama-2-7b", "phi-2")
"""vidur's networks in the order of its files."""


def judged(predicted: Array, time: Array, regimes: Mapping[str, Mask] | None = None) -> Row:
    """Mean error, bias of the log ratio and its spread, and the first two by regime."""
    ratio = predicted / time
    row = {"rows": float(len(ratio)), **_errors(ratio), "spread": float(np.std(np.log(ratio)))}
    for name, mask in (regimes or {}).items():
        if np.any(mask):
            prefix = name.split()[0].replace("under", "brief")
            row |= {f"{prefix}_{key}": v for key, v in _errors(ratio[mask]).items()}
    return row


def _errors(ratio: Array) -> Row:
    bias = np.exp(np.mean(np.log(ratio))) - 1
    return {"error": float(np.mean(np.abs(ratio - 1))), "bias": float(bias)}


def _of(one: Products, constants: Constants) -> Row:
    time = one.predicted(refit.laws_of(constants), refit.starts_of(constants))
    return judged(time, one.time, one.regimes())


def page() -> dict[str, float]:
    """The page's constants of products, as a fit names them."""
    return refit.page_constants({name: LAUNCH[name] for name in PROTOCOLS})


def fitted(data: Path) -> Iterator[tuple[str, Row]]:
    """Every set by the page's own constants."""
    for name, one in measured_products(data).items():
        yield f"products {name}", _of(one, page())
    for kind, sets in streams_measured.single(data).items():
        for stream in sets:
            time = stream.predicted(streams.LAW, LAUNCH["stream_events"])
            yield f"{kind} {stream.board}", judged(time, stream.time)
    yield from _serving(streams_measured.serving(data))
    compass = streams_measured.compass(data, "softmax")
    start = LAUNCH["stream_events"]
    yield (
        "softmax in half precision a100",
        judged(compass.predicted(streams.LAW, start), compass.time),
    )
    for phase, rows in (
        ("prefill", attention_measured.measured(data, "context")),
        ("decode", attention_measured.decoded(data)),
    ):
        yield f"attention {phase}", judged(rows.predicted(fused.LAW), rows.time)


def _serving(sets: tuple[Streams, ...]) -> Iterator[tuple[str, Row]]:
    for board in ("a100-sxm-80gb", "a40"):
        for kind in ("elementwise", "norm"):
            chosen = [one for one in sets if one.board == board and one.kind == kind]
            start = LAUNCH["stream_profiler"]
            time = np.concatenate([one.predicted(streams.LAW, start) for one in chosen])
            measured = np.concatenate([one.time for one in chosen])
            yield f"serving {kind} {board}", judged(time, measured)


def left_out(data: Path) -> Iterator[tuple[str, Row]]:
    """Every set by constants of a fit that did not see it."""
    yield from _products_left_out(data)
    one = compass_products(data)
    yield "products llmcompass a100", _of(one, page())
    compass = streams_measured.compass(data, "norm")
    start = LAUNCH["stream_events"]
    yield "norm llmcompass a100", judged(compass.predicted(streams.LAW, start), compass.time)
    yield from _networks_left_out(data)
    yield from _streams_left_out(data)
    yield from _attention_left_out(data)
    yield "end to end", end_to_end_left_out(data)


def _fit(sets: list[Products]) -> Constants:
    return refit.fitted_products(sets, {name: LAUNCH[name] for name in PROTOCOLS}, count=COUNT)


def _products_left_out(data: Path) -> Iterator[tuple[str, Row]]:
    every = measured_products(data)
    yield "aic h100 from aic a100", _of(every["aic h100"], _fit([every["aic a100"]]))
    both = _fit([one for name, one in every.items() if "a100 " not in f"{name} "])
    for name in ("vidur a100", "aic a100"):
        yield f"{name} without either", _of(every[name], both)
    alone = [name for name in every if not name.startswith("aic")]
    for name in alone:
        found = _fit([one for other, one in every.items() if other != name])
        yield f"products {name}", _of(every[name], found)


def _networks_left_out(data: Path) -> Iterator[tuple[str, Row]]:
    every = measured_products(data)
    for number, network in enumerate(NETWORKS):
        kept = [
            one.rows(one.network != number) if name.startswith("vidur") else one
            for name, one in every.items()
        ]
        found = _fit(kept)
        for name in ("vidur a100", "vidur a40"):
            one = every[name].rows(every[name].network == number)
            yield f"{name} {network}", _of(one, found)


def _streams_left_out(data: Path) -> Iterator[tuple[str, Row]]:
    every = streams_measured.single(data)
    for number, left in enumerate(every["norm"]):
        others = {
            kind: [one for other, one in enumerate(sets) if other != number]
            for kind, sets in every.items()
        }
        found = dict(refit.fitted_streams(others, LAUNCH["stream_events"]))
        start = found.pop("start")
        for kind, sets in every.items():
            time = sets[number].predicted(streams_measured.law_of(found), start)
            yield f"{kind} {left.board}", judged(time, sets[number].time)


def _attention_left_out(data: Path) -> Iterator[tuple[str, Row]]:
    prompts = attention_measured.measured(data, "context")
    one = attention_measured.decoded(data)
    splits: tuple[tuple[str, Attention, tuple[str, ...], Mask], ...] = (
        ("prefill context over 2048", prompts, refit.PREFILL, prompts.context > 2048),
        ("prefill over 24 heads", prompts, refit.PREFILL, prompts.heads > 24),
        ("prefill ungrouped", prompts, refit.PREFILL, prompts.group == 1),
        ("decode context over 4096", one, refit.DECODE, one.context > 4096),
        ("decode over 24 heads", one, refit.DECODE, one.heads > 24),
        ("decode groups of 4", one, refit.DECODE, one.group == 4),
        ("decode groups of 8", one, refit.DECODE, one.group == 8),
    )
    for name, rows, constants, left in splits:
        law = attention_measured.law_of(refit.fitted_attention(rows.rows(~left), constants))
        chosen = rows.rows(left)
        yield f"attention {name}", judged(chosen.predicted(law), chosen.time)


def end_to_end_left_out(data: Path) -> Row:
    """All runs, each by constants fitted without kernels of its network's shapes."""
    found = end_to_end.runs(data)
    time = np.array([_whole(data, run) for run in found])
    return judged(time, np.array([run.measured for run in found]))


def _whole(data: Path, run: end_to_end.Run) -> float:
    tape = end_to_end.kernels(run, end_to_end.network(data, run.network))
    law = _law_without(data, frozenset(end_to_end.shapes(tape)))
    return end_to_end.predicted(tape, end_to_end.on(run), law, LAUNCH["profiler"])


@cache
def _law_without(data: Path, shapes: frozenset[tuple[float, float]]) -> products.Law:
    """Vector lanes fitted without linear layers of these N and K."""
    kept = []
    for name, one in measured_products(data).items():
        if name.startswith("neusight"):
            _, n, k, _ = one.shape
            known = [(n == a) & (k == b) & ~one.batched for a, b in shapes]
            kept.append(one.rows(~np.logical_or.reduce(known)))
    free = [f"vector.{name}" for name in refit.OWN] + ["launch.events"]
    launch = {name: LAUNCH[name] for name in PROTOCOLS}
    return refit.laws_of(refit.fitted_products(kept, launch, count=COUNT, free=free))["vector"]


def table(rows: Callable[[Path], Iterator[tuple[str, Row]]], data: Path) -> dict[str, Row]:
    """Rows of errors under names that data.yaml can hold."""
    return {name.replace(" ", "-"): row for name, row in rows(data)}


def as_yaml(name: str, found: Mapping[str, Row]) -> str:
    """A table of the page's data.yaml; three digits."""
    lines = [f"  {name}:"]
    for slug, row in found.items():
        cells = [
            f'{key}: {{value: {value:.0f}, unit: "1", source: {name}}}'
            if key == "rows"
            else f'{key}: {{value: {value:.4f}, unit: "1", source: {name}}}'
            for key, value in row.items()
        ]
        lines.append(f"    {slug}: {{{', '.join(cells)}}}")
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(as_yaml("fitted_rows", table(fitted, folder)))
    print()
    print(as_yaml("left_out_rows", table(left_out, folder)))
