"""Tables with a known optimum that need no measurement."""

from itertools import combinations

import numpy as np

from dse.spec import Array

from .tables import Table


def made_up(*, knobs: int, levels: int, spread: float, rugged: float, seed: int) -> Table:
    """All combinations of knobs whose log times add up: one part a knob, one a pair, and noise.

    Args:
        knobs: how many there are.
        levels: values of each, powers of two from 1.
        spread: standard deviation of the log times.
        rugged: share of their variance that no knob and no pair explains.
        seed: of the parts.
    """
    rng = np.random.default_rng(seed)
    places = np.indices((levels,) * knobs).reshape(knobs, -1)
    smooth = np.zeros(places.shape[1])
    for knob in range(knobs):
        smooth += rng.standard_normal(levels)[places[knob]]
    for one, other in combinations(range(knobs), 2):
        smooth += rng.standard_normal((levels, levels))[places[one], places[other]] / knobs
    rough = rng.standard_normal(len(smooth))
    logs = np.sqrt(1 - rugged) * smooth / smooth.std() + np.sqrt(rugged) * rough
    seconds = np.exp(spread * (logs - logs.min()))
    names = tuple(f"knob_{knob}" for knob in range(knobs))
    values: Array = np.exp2(places.T).astype(np.float64)
    return Table(names, values, seconds)
