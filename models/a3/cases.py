"""Inputs on which page and reference answer the same question.

`gaussian`: a scrambled Sobol sample of 16 inside the range that the laws claim: rows 20 to 320 and
M/n 0.05 to 1 (both log), T 0.01 to 0.3 (log), spread 2 to 6, width 64, 2 to 6 fraction bits.
`beyond`: another of 8 with spread 1 to 8 and width 16 or 32. `settings`: the paper's two settings
at its three sizes. `latest` and `home`: the same settings on trained attention over stories of 20,
50, 186 and 320 sentences; the page is told the spread of the network's scores and nothing else of
them. No constant of the page is fitted on any of these draws, and each case has its own seed.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import qmc

from dse.mechanism import Case

from . import draws, stories
from .config import DATA, GIVEN

SIZES = (20, 186, 320)
LENGTHS = (20, 50, 186, 320)
THRESHOLDS = (0.01, 0.3)
SPREADS = (1.0, 8.0)
WIDTHS = (16, 32)
FRACTION_BITS = (2, 6)
SEED = 2020
KEYS_DRAWN = 50_000
"""Rows drawn for a case altogether, but 150 to 1000 attentions."""


class Input(NamedTuple):
    """What a case asks: its group, a name in it, knobs of both sides, and where keys come from."""

    group: str
    name: str
    knobs: Mapping[str, float]
    attention: str = "gaussian"


def cases() -> Iterator[Case]:
    """The designed sample."""
    for place, asked in enumerate(_inputs()):
        rows = int(asked.knobs["rows"])
        drawn = {"attention": asked.attention, "drawn": _drawn(rows), "seed": SEED + place}
        yield Case(
            id=f"{asked.group}-{rows}-{asked.name}",
            settings=asked.knobs,
            inputs={**asked.knobs, **drawn},
            group=asked.group,
        )


def published() -> Iterator[Case]:
    """The points of the page; what they ask of keys they ask of Gaussian ones."""
    for point in DATA.points:
        drawn = {"drawn": _drawn(int(str(point.settings["rows"])))}
        yield Case(id=point.id, settings={}, inputs={**point.settings, **drawn})


def score_spread(rows: int, question: str) -> float:
    """How far the trained network's scores spread on stories that no case is drawn from."""
    rng = np.random.default_rng(SEED)
    found = draws.trained(rng, count=200, rows=rows, question=question)
    return round(math.fsum(float(np.std(keys @ query)) for keys, _, query in found) / 200, 2)


def _drawn(rows: int) -> int:
    return min(max(KEYS_DRAWN // rows, 150), 1000)


def _inputs() -> Iterator[Input]:
    known = (float(GIVEN("least_spread")), float(GIVEN("most_spread")))
    yield from _sobol("gaussian", 4, known, (int(GIVEN("calibrated_width")),))
    yield from _sobol("beyond", 3, SPREADS, WIDTHS)
    for rows in SIZES:
        for setting in DATA.tables["settings"]:
            yield Input("settings", setting, _set(setting, rows))
    for question in stories.QUESTIONS:
        for rows in LENGTHS:
            spread = {"spread": score_spread(rows, question)}
            for setting in DATA.tables["settings"]:
                yield Input(question, setting, _set(setting, rows) | spread, question)


def _set(setting: str, rows: int) -> dict[str, float]:
    """The paper's setting at a size."""
    row = DATA.tables["settings"][setting]
    share, threshold = row["share"], row["threshold"]
    if isinstance(share, str) or isinstance(threshold, str):
        raise TypeError(f"{setting}: a setting is two numbers")
    iterations = math.floor(share.value * rows)
    return {"rows": rows, "iterations": iterations, "threshold": threshold.value}


def _sobol(
    group: str, power: int, spreads: tuple[float, float], widths: tuple[int, ...]
) -> Iterator[Input]:
    """Points of six coordinates: rows, M/n, T, spread, width, fraction bits."""
    least, most = float(GIVEN("least_rows")), float(GIVEN("most_rows"))
    lowest, highest = float(GIVEN("least_share")), float(GIVEN("most_share"))
    sample = qmc.Sobol(6, rng=np.random.default_rng(SEED)).random_base2(power)
    for place, (u_rows, u_share, u_cut, u_spread, u_width, u_bits) in enumerate(sample.tolist()):
        rows = round(_between(u_rows, least, most))
        knobs = {
            "rows": rows,
            "iterations": max(round(_between(u_share, lowest, highest) * rows), 1),
            "threshold": round(_between(u_cut, *THRESHOLDS), 4),
            "spread": round(spreads[0] + u_spread * (spreads[1] - spreads[0]), 2),
            "width": widths[int(u_width * len(widths))],
            "fraction_bits": FRACTION_BITS[0] + int(u_bits * (FRACTION_BITS[1] - 1)),
        }
        yield Input(group, f"{place:02d}", knobs)


def _between(place: float, low: float, high: float) -> float:
    """The number at a place of a logarithmic range."""
    return low * math.exp(place * math.log(high / low))
