"""Indices that are known in closed form, samples with holes, and the errors of a prediction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import norm, sobol_indices, uniform

from dse.errors import InputError
from dse.evaluate import BLOCK
from dse.sobol import FEWEST, Columns, Indices, Input, indices
from dse.spec import Array


def spread(name: str, low: float = 0.0, high: float = 1.0) -> Input:
    """An input that is uniform between two ends."""
    return Input(name, lambda u: low + (high - low) * u)


UNIT = [spread(name) for name in "xyz"]
ANGLES = [spread(name, -np.pi, np.pi) for name in "xyz"]


def ishigami(c: Columns) -> Columns:
    """sin x + 7 sin^2 y + 0.1 z^4 sin x, whose indices Ishigami and Homma (1990) derive."""
    x, y, z = c["x"], c["y"], c["z"]
    return {"f": np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)}


def known_of_ishigami() -> tuple[list[float], list[float]]:
    """First and total orders in closed form, for a = 7 and b = 0.1."""
    a, b = 7.0, 0.1
    alone_x = (1 + b * np.pi**4 / 5) ** 2 / 2
    alone_y = a**2 / 8
    x_and_z = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = alone_x + alone_y + x_and_z
    first = [alone_x / whole, alone_y / whole, 0.0]
    return first, [(alone_x + x_and_z) / whole, alone_y / whole, x_and_z / whole]


def of_one(inputs: list[Input], f: object, **options: object) -> Indices:
    """Indices of a function that answers one metric."""
    return indices(inputs, lambda c: {"f": f(c)}, **options)["f"]  # type: ignore[arg-type,operator]


def test_the_closed_form_of_ishigami_is_met() -> None:
    found = indices(ANGLES, ishigami, samples=2**14)["f"]
    first, total = known_of_ishigami()
    # 16,384 Sobol rows leave an error of about 1/sqrt(n) = 0.008 times order one
    assert found.first == pytest.approx(first, abs=0.01)
    assert found.total == pytest.approx(total, abs=0.01)
    assert np.all(found.total_ends[0] < total)
    assert np.all(total < found.total_ends[1])


def test_a_whole_sample_gives_what_scipy_gives() -> None:
    ours = indices(ANGLES, ishigami, samples=1024, seed=5)["f"]
    theirs = sobol_indices(
        func=lambda x: ishigami(dict(zip("xyz", x, strict=True)))["f"],
        n=1024,
        dists=[uniform(-np.pi, 2 * np.pi)] * 3,
        rng=np.random.default_rng(5),
    )
    assert ours.first == pytest.approx(theirs.first_order, abs=1e-12)  # the order of sums
    assert ours.total == pytest.approx(theirs.total_order, abs=1e-12)


def test_intervals_are_as_wide_as_the_scatter_over_seeds() -> None:
    seeds = [indices(ANGLES, ishigami, samples=256, seed=seed)["f"] for seed in range(30)]
    scatter = np.std([found.total for found in seeds], axis=0)
    wide = np.mean([found.total_ends[1] - found.total_ends[0] for found in seeds], axis=0)
    # 90 % of a normal is 3.3 deviations; Sobol points scatter less than rows drawn at random
    assert np.all(wide > 2.5 * scatter)
    known = np.array(known_of_ishigami()[1])
    held = [(found.total_ends[0] <= known) & (known <= found.total_ends[1]) for found in seeds]
    assert np.mean(held) > 0.85  # of 90 indices, and a nominal 0.90


@settings(max_examples=25)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=5), st.integers(0, 1000))
def test_total_orders_of_a_sum_add_up_to_one(weights: list[float], seed: int) -> None:
    inputs = [spread(f"x{i}") for i in range(len(weights))]
    found = of_one(
        inputs,
        lambda c: sum(w * c[f"x{i}"] for i, w in enumerate(weights)),
        samples=1024,
        seed=seed,
        scale="plain",
    )
    shares = np.square(weights) / np.sum(np.square(weights))
    # 5 standard errors 1/sqrt(n) of the estimator, with Sobol points well within
    assert found.total == pytest.approx(shares, abs=0.05)
    assert found.total.sum() == pytest.approx(1.0, abs=0.05)
    assert found.first == pytest.approx(found.total, abs=0.15)


def test_the_logarithm_of_a_product_does_not_interact_and_its_plain_value_does() -> None:
    wide = [Input(name, lambda u: 100.0**u) for name in "xy"]

    def product(c: Columns) -> Array:
        return c["x"] * c["y"]

    ln, plain = (of_one(wide, product, samples=4096, scale=scale) for scale in ("auto", "plain"))
    assert ln.ln
    assert not plain.ln
    assert ln.total == pytest.approx([0.5, 0.5], abs=0.02)
    assert ln.total.sum() == pytest.approx(1.0, abs=0.02)
    assert np.all(plain.total > plain.first + 0.1)
    # E[x^2] / E[x]^2 of 100^u by hand: variance of one factor over its squared mean
    mean, square = 99 / np.log(100), 9999 / (2 * np.log(100))
    v = square / mean**2 - 1
    assert plain.first == pytest.approx([v / (2 * v + v**2)] * 2, abs=0.05)
    assert plain.total == pytest.approx([(v + v**2) / (2 * v + v**2)] * 2, abs=0.05)


@pytest.mark.parametrize(
    ("metric", "ln"),
    [
        (lambda c: 1.0 + c["x"], False),  # positive, less than a decade
        (lambda c: 1.0 + 1e3 * c["x"], True),
        (lambda c: 1e3 * c["x"] - 1.0, False),  # some of it below zero
    ],
)
def test_a_logarithm_is_taken_of_what_is_positive_and_spans_a_decade(
    metric: object, ln: bool
) -> None:
    assert of_one(UNIT, metric).ln is ln


def test_the_logarithm_that_is_asked_for_is_of_positive_metrics_only() -> None:
    assert of_one(UNIT, lambda c: 1.0 + c["x"], scale="ln").ln
    assert not of_one(UNIT, lambda c: c["x"] - 0.5, scale="ln").ln


def test_an_input_that_does_nothing_has_no_total_order() -> None:
    found = of_one(UNIT, lambda c: c["x"] + 0 * c["y"])
    assert found.total[1:].tolist() == [0.0, 0.0]
    assert found.total_ends[:, 1].tolist() == [0.0, 0.0]
    assert found.ranked[0] == 0


def test_constants_are_refused_even_where_rounding_differs() -> None:
    found = of_one(UNIT, lambda c: 3.0 + 1e-15 * c["x"])
    assert found.refusal == "constant"
    assert np.isnan(found.total).all()
    assert of_one(UNIT, lambda _: np.array(0.0)).refusal == "constant"


def test_holes_are_left_out_and_counted_and_nothing_stands_in_for_them() -> None:
    def holed(c: Columns) -> Array:
        return np.where(c["z"] < 0.1, np.nan, c["x"] + c["y"])

    whole, found = of_one(UNIT, lambda c: c["x"] + c["y"]), of_one(UNIT, holed)
    assert found.approximate
    assert not whole.approximate
    assert found.left_out / found.designs == pytest.approx(0.1, abs=0.01)
    assert found.rows < 2048 * 0.9  # a row needs A, B and A with one input of B
    assert found.total == pytest.approx(whole.total, abs=0.05)  # z decides only about existence
    assert found.total[2] == 0.0


def test_infinities_are_holes_as_well() -> None:
    found = of_one(UNIT, lambda c: np.where(c["z"] < 0.25, np.inf, c["x"]))
    assert found.left_out / found.designs == pytest.approx(0.25, abs=0.01)
    assert found.total[0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_too_few_rows_are_refused_with_their_number(share: float) -> None:
    found = of_one(UNIT, lambda c: np.where(c["x"] < share, c["y"], np.nan), samples=512)
    more = "; take more samples" if share else ""
    assert found.refusal == (
        f"only {found.rows:,} of 512 rows hold values to compare, {FEWEST} are needed{more}"
    )
    assert np.isnan(found.total).all()


def test_a_rare_event_has_an_order_without_an_interval_at_worst() -> None:
    found = of_one(UNIT, lambda c: np.where(c["x"] > 0.9995, 1.0, 0.0), samples=1024, seed=1)
    assert found.refusal == ""
    assert found.total[0] > 0.5
    assert np.isnan(found.total_ends[:, 0]).all()  # some resample holds no event at all


def test_the_same_seed_gives_the_same_indices_and_intervals() -> None:
    one, same, other = (indices(ANGLES, ishigami, seed=seed)["f"] for seed in (1, 1, 2))
    assert one.total_ends.tolist() == same.total_ends.tolist()
    assert one.total.tolist() != other.total.tolist()


def test_a_large_sample_is_priced_in_blocks_that_fit_the_cache() -> None:
    sizes, told = [], []

    def f(c: Columns) -> Columns:
        sizes.append(len(c["x"]))
        return {"f": c["x"]}

    indices(UNIT, f, samples=2**14, progress=lambda done, total: told.append((done, total)))
    assert sum(sizes) == 2**14 * 5
    assert max(sizes) == BLOCK
    assert told[-1] == (2**14 * 5, 2**14 * 5)


@pytest.mark.parametrize("samples", [0, 1, 128, 1000, 2**21])
def test_a_sample_that_is_no_power_of_two_is_refused(samples: int) -> None:
    with pytest.raises(InputError, match="`samples` must be a power of two from 256"):
        indices(UNIT, ishigami, samples=samples)


def test_no_input_is_refused() -> None:
    with pytest.raises(InputError, match="nothing varies"):
        indices([], ishigami)


def test_the_uncertain_input_that_drives_the_interval_is_named() -> None:
    """Two lognormal errors of 5 % and 20 %, one of Student's t: measure the second first."""
    errors = [
        Input("near", lambda u: np.exp(0.05 * norm.ppf(u))),
        Input("far", lambda u: np.exp(0.20 * norm.ppf(u))),
        Input("few", lambda u: np.exp(0.05 * stdtrit(5, u))),
    ]
    found = of_one(errors, lambda c: c["near"] * c["far"] * c["few"], samples=4096, scale="ln")
    squares = np.array([0.05**2, 0.20**2, 0.05**2 * 5 / 3])  # a t of 5 groups has variance 5/3
    assert found.inputs[found.ranked[0]] == "far"
    assert found.total == pytest.approx(squares / squares.sum(), abs=0.03)
