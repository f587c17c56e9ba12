"""What a wrong ranking costs: against Monte Carlo and real predictors on real tables."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import spearmanr

from dse import registry
from models.oneshot import selection
from models.oneshot.config import Kernel
from models.oneshot.model import MODEL
from models.oneshot.tables import times

FILES = {
    "gemm": "tuning/gemm_clblast_rtx2080ti.csv.gz",
    "convolution": "tuning/conv_rtx2080ti.csv.gz",
}
RUNS = 400


def kernel(slug: str) -> Kernel:
    found = registry.record(Kernel, "oneshot.kernel", slug)
    assert isinstance(found, Kernel)
    return found


def table(data: Path, slug: str) -> np.ndarray:
    ratios = np.sort(times(data / FILES[slug]))
    return ratios / ratios[0]


def law(slug: str, *, error: float, top: float = 0.0, m: float, n: float) -> float:
    grid = selection.cells(kernel(slug))
    seen = selection.scores(grid, error=np.array(error), top=np.array(top))
    return float(
        selection.expected_regret(grid, seen, measured=np.array(m), candidates=np.array(n))
    )


def simulated(
    ratios: np.ndarray, *, error: float, kept: float = 1.0, m: int, n: int
) -> tuple[float, float]:
    """Mean and standard error of the best of the predicted top m of n variants."""
    rng = np.random.default_rng(2022)
    truth, top = -np.log(ratios), np.arange(len(ratios)) < len(ratios) / 10
    centre, spread = truth[top].mean(), truth[top].std()
    seen = np.where(top, centre + kept * (truth - centre), truth)
    noise = np.sqrt(error**2 + np.where(top, (1 - kept**2) * spread**2, 0.0))
    found = []
    for _ in range(RUNS):
        drawn = rng.choice(len(ratios), n, replace=False)
        score = seen[drawn] + noise[drawn] * rng.standard_normal(n)
        found.append(ratios[drawn[np.argsort(-score)[:m]].min()])
    return float(np.mean(found)), float(np.std(found) / np.sqrt(RUNS))


@pytest.mark.parametrize("slug", FILES)
@pytest.mark.parametrize(
    ("m", "n"), [(1, 64), (8, 64), (64, 64), (1, 4096), (8, 4096), (64, 4096)]
)
@pytest.mark.parametrize("error", [0.03, 0.12, 0.5])
def test_the_closed_form_is_the_mean_of_simulated_selections(
    data: Path, slug: str, m: int, n: int, error: float
):
    mean, deviation = simulated(table(data, slug), error=error, m=m, n=n)
    # Four standard errors of 400 runs; 1 % for 24 cells that stand for thousands of variants.
    assert law(slug, error=error, m=m, n=n) == pytest.approx(mean, abs=4 * deviation + 0.01 * mean)


@pytest.mark.parametrize("slug", FILES)
@pytest.mark.parametrize("m", [1, 8])
def test_so_is_the_one_with_a_worse_order_in_the_best_tenth(data: Path, slug: str, m: int):
    grid, error = selection.cells(kernel(slug)), 0.06
    inside = grid.share * (grid.edge <= 0.1)
    spread = selection.moments(score=grid.score, share=inside)[1]
    kept = float(
        selection.kept(top_correlation=np.array(0.3), error=np.array(error), spread=spread)
    )
    assert 0.3 < kept < 0.9
    mean, deviation = simulated(table(data, slug), error=error, kept=kept, m=m, n=4096)
    found = law(slug, error=error, top=0.3, m=m, n=4096)
    assert found > law(slug, error=error, m=m, n=4096)
    assert found == pytest.approx(mean, abs=4 * deviation + 0.01 * mean)


def knobs(data: Path, slug: str) -> tuple[np.ndarray, np.ndarray]:
    """Features of a table's valid variants, logs of knobs with their products, and times."""
    with gzip.open(data / FILES[slug], "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["valid"] == "1"]
    names = [name for name in rows[0] if name not in ("time_ms", "compile_s_or_ms", "valid")]
    logs = np.log2([[1 + float(row[name]) for name in names] for row in rows])
    logs = logs[:, np.ptp(logs, axis=0) > 0]
    logs = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    first, second = np.triu_indices(logs.shape[1])
    features = np.column_stack([np.ones(len(rows)), logs, logs[:, first] * logs[:, second]])
    return features, np.array([float(row["time_ms"]) for row in rows])


@pytest.mark.parametrize("slug", FILES)
def test_real_predictors_cost_what_the_page_says_within_11_percent(data: Path, slug: str):
    features, measured = knobs(data, slug)
    logs, tops = np.log(measured), measured <= np.quantile(measured, 0.1)
    for size in (100, 300, 1000):
        runs = []
        for seed in range(12):
            known = np.random.default_rng(seed).permutation(len(logs))[:size]
            rows = features[known]
            gram = rows.T @ rows + np.eye(rows.shape[1])
            guess = features @ np.linalg.solve(gram, rows.T @ logs[known])
            order = np.setdiff1d(np.argsort(guess), known, assume_unique=True)
            kept = [measured[order[:m]].min() / measured.min() for m in (1, 8, 64)]
            ranks = [spearmanr(guess, logs)[0], spearmanr(guess[tops], logs[tops])[0]]
            runs.append([*ranks, *kept])
        overall, top, *regrets = np.mean(runs, axis=0)
        for m, regret in zip((1, 8, 64), regrets, strict=True):
            given = {"kernel": slug, "trials": m, "overall_correlation": float(overall)}
            metrics = MODEL.evaluate(registry.configure(MODEL, given)).metrics
            # Like variants share their errors, which the page takes to be independent: it is low
            # for 8 trials, worst -8 % here. The means of 12 seeds are sure to 3 % at one trial.
            assert metrics["regret"] == pytest.approx(regret, rel=0.11)
            # The order within the best tenth follows from the overall one, to about 0.05.
            assert metrics["top_rank_correlation"] == pytest.approx(top, abs=0.08)


def test_random_trials_follow_the_order_statistics_of_the_table(data: Path):
    for slug in FILES:
        ratios, grid = table(data, slug), selection.cells(kernel(slug))
        size = len(ratios)
        for m in (1, 8, 64, 1000):
            # P(rank k is the best of m drawn without putting back), by its ratio to the next.
            steps = np.arange(size - m + 1)
            weights = np.cumprod(
                np.concatenate([[m / size], 1 - (m - 1) / (size - 1 - steps[:-1])])
            )
            exact = float(weights @ ratios[steps])
            # The straight lines between 23 quantiles of steep tails: 2 % at one trial, then 0.6 %.
            found = selection.random_regret(grid, measured=np.array(m))
            assert found == pytest.approx(exact, rel=0.02 if m == 1 else 0.006)


def test_measuring_everything_finds_the_best():
    for slug in FILES:
        space = float(kernel(slug).space)
        for error in (0.01, 0.1, 10.0):
            assert law(slug, error=error, m=space, n=space) == pytest.approx(1.0, abs=1e-9)


def test_measuring_all_of_few_candidates_is_random_search():
    grid = selection.cells(kernel("gemm"))
    for n in (1, 2, 64, 5000):
        honest = float(selection.random_regret(grid, measured=np.array(n)))
        for error in (0.01, 0.2, 500.0):
            assert law("gemm", error=error, m=n, n=n) == pytest.approx(honest, rel=1e-9)


def test_no_selection_beats_measuring_all_candidates():
    for n in (2, 9, 100, 10_000):
        whole = law("gemm", error=0.01, m=n, n=n)
        assert all(law("gemm", error=0.01, m=m, n=n) >= whole for m in (1, n // 2, n - 1) if m)


def test_a_predictor_that_knows_nothing_is_random_search():
    grid = selection.cells(kernel("convolution"))
    for m in (1, 8, 64):
        random = selection.random_regret(grid, measured=np.array(m))
        # Half a trial is added to the share of the candidates above the threshold.
        assert law("convolution", error=1e4, m=m, n=5256) == pytest.approx(float(random), rel=1e-3)


def both(trials: int, correlation: float) -> tuple[float, float]:
    given = {"trials": trials, "overall_correlation": correlation}
    normal, real = (
        MODEL.evaluate(registry.configure(MODEL, given | {"law": law})).metrics["regret"]
        for law in ("normal", "measured")
    )
    return float(normal), float(real)


def test_the_gaussian_form_is_an_upper_bound_for_weak_predictors_only():
    for correlation in (0.02, 0.1, 0.3, 0.5):
        for trials in (1, 8, 64, 512):
            normal, real = both(trials, correlation)
            assert normal > real
    # A normal law's few best stand apart, so a good predictor finds them more easily.
    normal, real = both(64, 0.9)
    assert normal < real


def test_the_threshold_is_exceeded_by_the_share_that_is_asked_for():
    grid = selection.cells(kernel("gemm"))
    for error in (0.01, 0.1, 1.0):
        seen = selection.scores(grid, error=np.array(error), top=np.array(0.4))
        for picked in (1e-4, 0.01, 0.3, 0.9):
            limit = selection.threshold(grid, seen, picked=np.array(picked))
            above = ndtr((seen.mean - limit) / seen.deviation) @ grid.share
            assert above == pytest.approx(picked, rel=1e-6)
