"""Closed laws of candidate selection against counts of the executed mechanism."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from models.a3 import draws, selection
from models.a3.draws import Counts
from models.a3.model import MODEL
from tests.models.a3.sheet import SHEET

DRAWS = ((20, 64, 2000), (64, 64, 1000), (320, 64, 500), (64, 16, 500), (64, 128, 500))
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
SPREADS = (2.0, 4.0, 6.0)
CANDIDATES = ("crowding", "crowding_power", "crowding_width_power")
INCLUSION = ("picks", "picks_power", "tilt", "tilt_width_power")


@pytest.fixture(scope="module")
def counted() -> np.ndarray:
    """Columns rows, width, iterations, spread, candidates, recall, candidate_mass, in draws."""
    found = []
    for rows, width, trials in DRAWS:
        for share in SHARES:
            shape = {"rows": rows, "width": width, "iterations": int(share * rows)}
            cuts = [(spread, 0.05) for spread in SPREADS]
            counts = draws.sample(**shape, cuts=cuts, trials=trials, seed=rows + width)
            found += [
                (*shape.values(), s, c.candidates, c.recall, c.candidate_mass)
                for s, c in zip(SPREADS, counts, strict=True)
            ]
    return np.array(found).T


def using(constants: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    given = selection.GIVEN
    monkeypatch.setattr(selection, "GIVEN", lambda name: constants.get(name, given(name)))


def refitted(names: tuple[str, ...], residuals, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The constants over the stored ones, from the least squares of some residuals."""
    stored = np.array([MODEL.data.parameters[name].value for name in names])

    def scaled(scale: np.ndarray) -> np.ndarray:
        with monkeypatch.context() as patch:
            using(dict(zip(names, scale * stored, strict=True)), patch)
            return residuals()

    return least_squares(scaled, np.full(len(names), 1.1), xtol=1e-10, ftol=1e-10).x


def test_the_constants_are_the_least_squares_of_the_draws_that_the_notes_name(
    counted: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    rows, width, iterations, spread, candidates, recall, mass = counted
    shape = {"rows": rows, "width": width, "iterations": iterations}

    def of_candidates() -> np.ndarray:
        return selection.candidates(**shape) / candidates - 1

    def of_inclusion() -> np.ndarray:
        best = selection.top_score(rows=rows)
        middle = selection.weighted_score(rows=rows, spread=spread)
        return np.concatenate(
            [
                selection.inclusion(score=best, **shape) - recall,
                selection.inclusion(score=middle, **shape) - mass,
            ]
        )

    # Stored to five digits, and solved from another start.
    assert refitted(CANDIDATES, of_candidates, monkeypatch) == pytest.approx(1, abs=1e-3)
    assert refitted(INCLUSION, of_inclusion, monkeypatch) == pytest.approx(1, abs=1e-3)
    assert np.max(np.abs(of_candidates())) <= 0.015
    assert np.max(np.abs(of_inclusion())) <= 0.05


def test_the_notes_name_the_draws_of_the_fit():
    words = MODEL.data.notes["draws"]
    assert all(f"{rows} x {width} ({trials})" in words for rows, width, trials in DRAWS)
    fitted = {name for name, n in MODEL.data.parameters.items() if "notes.draws" in n.source.where}
    assert fitted == {*CANDIDATES, *INCLUSION}


def laws(rows: int, width: int, iterations: int, spread: float, threshold: float) -> list[float]:
    """The laws in the order of the counts."""
    shape = {"rows": rows, "width": width, "iterations": iterations}
    c = selection.candidates(**shape)
    cut = {"candidates": c, "threshold": threshold, "spread": spread}
    best = selection.top_score(rows=rows)
    middle = selection.weighted_score(rows=rows, spread=spread)
    mass = selection.inclusion(score=middle, **shape)
    recall = selection.inclusion(score=best, **shape)
    kept = selection.kept_rows(**cut), mass * selection.kept_weight(**cut)
    return [float(x) for x in (c, kept[0], recall, mass, kept[1])]


def means(counts: Counts) -> np.ndarray:
    return np.array([counts.candidates, counts.kept_rows, counts.recall,
                     counts.candidate_mass, counts.kept_mass])  # fmt: skip


CHECKED = ((40, 64, 400), (186, 64, 200), (186, 32, 200), (1024, 64, 60))


@pytest.mark.parametrize(("rows", "width", "trials"), CHECKED)
@pytest.mark.parametrize("share", [1 / 8, 1 / 2])
def test_the_laws_hold_on_rows_widths_spreads_and_seeds_that_no_constant_saw(
    rows: int, width: int, trials: int, share: float
):
    cuts = [(spread, cut) for spread in (1.0, 3.0, 8.0) for cut in (0.01, 0.1, 0.3)]
    iterations = int(share * rows)
    found = draws.sample(
        rows=rows, width=width, iterations=iterations, cuts=cuts, trials=trials, seed=4711
    )
    for (spread, threshold), counts in zip(cuts, found, strict=True):
        law = np.array(laws(rows, width, iterations, spread, threshold))
        noise = 3 * counts.error
        # Bars of the laws beside three standard errors of the draw: 3 % of C, 12 % of K, 5 points
        # of recall and of the shares of weight.
        bars = np.array([0.03 * law[0], 0.12 * law[1], 0.05, 0.05, 0.05])
        assert np.all(np.abs(law - means(counts)) <= bars + noise), (spread, threshold)


@pytest.mark.parametrize("row", SHEET, ids=lambda row: f"{row.rows}-{row.iterations}")
def test_the_laws_agree_with_the_counts_of_the_sheet(row):
    for spread, kept in zip(SPREADS, row.kept_share, strict=True):
        law = laws(row.rows, 64, row.iterations, spread, row.threshold)
        assert law[0] / row.rows == pytest.approx(row.candidate_share, abs=0.006)
        # Half a printed digit, and three standard errors of 60 draws with a spread of about K.
        assert law[1] / row.rows == pytest.approx(kept, abs=0.005 + 3 * 0.8 * kept / np.sqrt(60))
        # The range of recall over spreads is noise of 60 draws, 0.06, as C does not hang on s.
        assert row.recall[0] - 0.06 <= law[2] <= row.recall[1] + 0.06


@pytest.mark.parametrize(("share", "joint"), [(1 / 8, 0.1125), (1 / 2, 0.33)])
def test_candidates_agree_with_the_line_that_the_joint_page_s_sheet_uses(
    share: float, joint: float
):
    line = share * (0.90 - 0.12 * np.log2(8 * share))
    assert line == pytest.approx(joint, rel=1e-12)
    for rows in (320, 1024, 16384):
        law = selection.candidates(rows=rows, width=64, iterations=share * rows) / rows
        assert law == pytest.approx(joint, rel=0.02)


def test_selection_without_crowding_is_two_queues_that_land_at_random():
    # 1 - (1 - 1/n)^2M of the rows are touched, by symmetry half of them end above zero; the law
    # stands 0 to 7 % above it.
    for iterations in (20, 40, 80, 160):
        random = 160 * (1 - (1 - 1 / 320) ** (2 * iterations))
        law = selection.candidates(rows=320, width=64, iterations=iterations)
        assert 1 < law / random < 1.07


def test_a_threshold_of_one_keeps_one_row_and_none_keeps_every_candidate():
    for found in (1.0, 1.9, 36.3, 300.0):
        cut = {"candidates": found, "spread": 4.0}
        assert selection.kept_rows(threshold=1.0, **cut) == pytest.approx(1, rel=1e-12)
        assert selection.kept_rows(threshold=1e-300, **cut) == pytest.approx(found, rel=1e-9)
        assert selection.kept_weight(threshold=1e-300, **cut) == pytest.approx(1, rel=1e-9)


def test_flat_scores_keep_everything_and_steep_ones_only_the_best():
    flat = {"candidates": 36.0, "threshold": 0.1, "spread": 1e-3}
    assert selection.kept_rows(**flat) == pytest.approx(36, rel=1e-9)
    steep = flat | {"spread": 1e3}
    assert selection.kept_rows(**steep) == pytest.approx(1, abs=0.02)
    assert selection.kept_weight(**steep) == pytest.approx(1, abs=0.02)


def rounding(bits: set[int]) -> np.ndarray:
    """Relative errors of the law on the rows of the table with these fraction bits."""
    table = MODEL.data.tables["rounded"].values()
    rows, f, error = np.array([[n.value for n in row.values()] for row in table]).T
    law = selection.quantisation_error(rows=rows, width=64, spread=4, fraction_bits=f)
    return (law / error - 1)[np.isin(f, list(bits))]


def test_the_law_of_rounding_is_fitted_on_even_bits_and_holds_within_18_percent_on_odd(
    monkeypatch: pytest.MonkeyPatch,
):
    names = ("rounding", "rounding_power")
    assert refitted(names, lambda: rounding({2, 4, 6}), monkeypatch) == pytest.approx(1, abs=1e-4)
    assert np.max(np.abs(rounding({2, 4, 6}))) <= 0.10
    assert np.max(np.abs(rounding({3, 5}))) <= 0.18
