"""The One-Shot Tuner run for real: a trained network ranks the rows of a measured table.

Some rows of a table in which every variant was measured train the paper's predictor. It ranks the
others, a search picks the best few, they are looked up as if measured, and the fastest is kept.
The table's optimum is known, so regret is exact. Random search and an iterative tuner are replayed
beside it. The predictor trains on the kernel that it ranks, as the page's learning curve does.

Assumed where the artifact is silent or too large: the features are the knobs alone, the network
is as wide as they are and has no dropout, rate and batch fit that size. The iterative tuner
learns by ridge regression with a Gaussian kernel, refitted after every batch, not by trees.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import cast

import numpy as np
from scipy.stats import spearmanr

from dse import registry
from dse.mechanism import Case, Reference
from dse.spec import Array, Metric

from .config import Kernel
from .predictor import Recipe
from .replay import (
    Outcome,
    Search,
    Task,
    annealed,
    at_random,
    bred,
    iterate,
    kernel_scores,
    network_scores,
    one_shot,
    outcome,
    ranked,
)
from .replay_config import BREEDING, CHAINS, LOOP, Replay, Replayed, Training
from .sampling import explored_rows, uniform_rows
from .sources import read_table, table_of, task
from .space import Ints
from .tables import kernel_of

RANDOM_RUNS = 1000
"""Random searches that are averaged: they cost nothing."""
DIGITS = 6
"""Digits kept of a rank correlation: two variants may swap with the rounding of a machine."""


def recipe(training: Training) -> Recipe:
    """How the network is trained."""
    return Recipe(
        hidden=int(training.hidden),
        layers=int(training.layers),
        epochs=int(training.epochs),
        batch=int(training.batch),
        rate=float(training.rate),
        decay=float(training.decay),
        bins=int(training.bins),
        held=float(training.held),
    )


def search_of(config: Replay) -> Search:
    """What looks for the best scores."""
    if config.search.annealing:
        return annealed(CHAINS)
    return bred(BREEDING) if config.search.genetic else ranked


@lru_cache(maxsize=256)
def learned(
    table: Replayed,
    failing: bool,
    size: int,
    explored: bool,
    training: Training | None,
    seed: int,
) -> tuple[Ints, Array]:
    """Rows that a predictor was trained on, and its scores of all rows."""
    found, rng = task(table, failing=failing), np.random.default_rng([seed, size])
    size = min(size, len(found.seconds) - 1)
    rows = (
        explored_rows(found, size, loop=LOOP, search=ranked, rng=rng)
        if explored
        else uniform_rows(found, size, rng)
    )
    if training is None:
        return rows, kernel_scores(found, rows, reach=LOOP.reach, noise=LOOP.noise)
    return rows, network_scores(found, rows, recipe(training), seed=seed)


def correlations(found: Task, rows: Ints, scores: Array) -> tuple[float, float]:
    """Rank correlation of scores and speeds off the training set: of all, of the best tenth."""
    rest = np.setdiff1d(np.flatnonzero(np.isfinite(found.seconds)), rows)
    tenth = np.quantile(found.seconds[np.isfinite(found.seconds)], 0.1)
    top = rest[found.seconds[rest] <= tenth]
    whole, best = (_ranks(scores[part], -found.seconds[part]) for part in (rest, top))
    return whole, best


def _ranks(scores: Array, speeds: Array) -> float:
    if len(scores) < 2 or np.ptp(scores) == 0 or np.ptp(speeds) == 0:
        return 0.0
    return round(float(spearmanr(scores, speeds).statistic), DIGITS)


def tuned(config: Replay, seed: int) -> tuple[Outcome, tuple[float, float]]:
    """One run, and the rank correlations of its predictor, 0 where it has none of its own."""
    found, trials = task(config.kernel, failing=bool(config.failing)), int(config.trials)
    rng = np.random.default_rng([seed, trials, 1])
    if config.tuner.one_shot:
        network = config.training if config.learner.network else None
        rows, scores = learned(
            config.kernel,
            bool(config.failing),
            int(config.train_size),
            bool(config.explored),
            network,
            seed,
        )
        run = one_shot(
            found, scores, trained=rows, trials=trials, search=search_of(config), rng=rng
        )
        return run, correlations(found, rows, scores)
    if config.tuner.iterative:
        return iterate(found, trials=trials, loop=LOOP, search=search_of(config), rng=rng), (0, 0)
    if config.tuner.exhaustive:
        return outcome(found, range(len(found.seconds)), 0), (0, 0)
    return at_random(found, trials=trials, rng=rng), (0, 0)


def run(config: Replay) -> Mapping[str, float]:
    """Replay every seed; the means, and the standard error of the regret."""
    found = task(config.kernel, failing=bool(config.failing))
    first = int(config.first_seed)
    runs = [tuned(config, seed) for seed in range(first, first + int(config.seeds))]
    regrets = np.array([run.regret for run, _ in runs])
    overall, top = np.mean([ranks for _, ranks in runs], axis=0)
    measured = len(runs[0][0].measured)
    chance = [
        at_random(found, trials=measured, rng=np.random.default_rng([seed, measured, 2])).regret
        for seed in range(RANDOM_RUNS)
    ]
    return {
        "regret": float(regrets.mean()),
        "regret_error": float(regrets.std() / np.sqrt(max(1, len(regrets) - 1))),
        "random_regret": float(np.mean(chance)),
        "found_best": float(np.mean(regrets <= 1)),
        "rank_correlation": float(overall),
        "rank_error": 1 - float(overall),
        "top_rank_correlation": float(top),
        "measured": float(measured),
        "scored": float(np.mean([run.scored for run, _ in runs])),
        "variants": float(len(found.seconds)),
        "best_time": found.best,
    }


SEEDS = {100: 24, 300: 12, 1000: 8, 3000: 8}
"""Training size -> runs averaged: a predictor of few samples may be far off."""
TRIALS = (1, 8, 64)
BUDGETS = (128, 256, 512)
FEW = 100


def kernels() -> Mapping[str, Mapping[str, float] | str]:
    """Table of the reference -> kernel of the page: the same variants as quantiles."""
    replayed = cast("Replayed", registry.record(Replayed, "oneshot.table", "made_up"))
    made_up = kernel_of(table_of(replayed).seconds.tolist())
    return {"made_up": made_up, "gemm": "gemm", "convolution": "convolution"}


def size_of(kernel: Mapping[str, float] | str) -> float:
    """Variants of a kernel of the page."""
    if isinstance(kernel, str):
        return float(cast("Kernel", registry.record(Kernel, "oneshot.kernel", kernel)).space)
    return kernel["space"]


def cases() -> Iterator[Case]:
    """Every table with every training size and every budget, then the other tuners.

    The closed form has the kernel's quantiles and the sizes, not the predictor's correlation: its
    learning curve says that. Tables of the bulk data are listed even where they are absent.
    """
    for size, trials, (table, kernel) in product(SEEDS, TRIALS, kernels().items()):
        asked: dict[str, object] = {"train_size": size, "trials": trials}
        yield Case(
            id=f"{table}-{size}-{trials}",
            settings={**asked, "kernel": kernel, "candidates": size_of(kernel) - size},
            inputs={**asked, "kernel": table, "seeds": SEEDS[size]},
            group=f"{FEW} samples" if size == FEW else f"trials {trials}",
        )
    budgets = {"iterative": (BUDGETS, SEEDS[1000]), "random": (TRIALS, RANDOM_RUNS)}
    for tuner, (table, kernel) in product(budgets, kernels().items()):
        for trials in budgets[tuner][0]:
            asked = {"tuner": tuner, "trials": trials}
            yield Case(
                id=f"{table}-{tuner}-{trials}",
                settings={**asked, "kernel": kernel},
                inputs={**asked, "kernel": table, "seeds": budgets[tuner][1]},
                group=tuner,
            )


REFERENCE = Reference(
    slug="oneshot",
    text="trains the paper's network on rows of a measured table and measures the top of the rest",
    config=Replay,
    run=run,
    quantities={
        "regret": Metric("1", "min", "time of the kernel kept over the best of its table, mean"),
        "regret_error": Metric("1", "", "standard error of that over the seeds"),
        "random_regret": Metric("1", "", "regret of as many trials at random"),
        "found_best": Metric("1", "max", "share of the runs that found the best of the table"),
        "rank_correlation": Metric(
            "1", "max", "of predicted and true speeds off the training set"
        ),
        "rank_error": Metric("1", "min", "1 less the rank correlation"),
        "top_rank_correlation": Metric("1", "max", "the same within the true best tenth"),
        "measured": Metric("1", "", "variants measured"),
        "scored": Metric("1", "", "scores that the search asked for, repeats counted"),
        "variants": Metric("1", "", "variants of the table"),
        "best_time": Metric("s", "", "time of the best variant: the known optimum"),
    },
    compared={"regret": "regret"},
    cases=cases,
    readers={"table": read_table},
)
