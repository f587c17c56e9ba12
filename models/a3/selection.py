r"""What candidate selection finds: closed laws of Gaussian keys, and what they leave to fit.

Scores are counted in their own standard deviation, so that the best of n rows stands near
$\Phi^{-1}(1 - 1/n)$. A pick is a step of a queue that lands in a row. All laws are [derived];
the fitted constants are in `data.yaml`, with the draws they were fitted on.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from dse.spec import Array

from .config import GIVEN


def candidates(*, rows: Array, width: Array, iterations: Array) -> Array:
    r"""Rows of positive greedy score C [1].

    The two queues land in rows at random, so a row stays without a pick with the probability
    $(1 - 1/n)^{2M}$, and by symmetry half of the others end above zero:
    $C = \frac{n}{2} (1 - (1 - 1/n)^{2M} e^{-\kappa (M/n)^\epsilon (64/d)^\gamma})$. The last
    factor is fitted: picks crowd in few columns, and a column gives a row one product only.

    >>> round(float(candidates(rows=320, width=64, iterations=40)), 2)
    36.26
    """
    share = iterations / rows
    crowding = GIVEN("crowding") * share ** GIVEN("crowding_power")
    crowding = crowding * (GIVEN("calibrated_width") / width) ** GIVEN("crowding_width_power")
    untouched = (1 - 1 / rows) ** (2 * iterations) * np.exp(-crowding)
    # No more rows than the first queue has picks; at least the one taken when none is positive.
    return np.clip(rows / 2 * (1 - untouched), 1.0, np.minimum(iterations, rows))


def top_score(*, rows: Array) -> Array:
    r"""Where the best of n rows stands [1], $z_1 = \Phi^{-1}(1 - e^{-\gamma} / n)$.

    >>> round(float(top_score(rows=320)), 3)
    2.919
    """
    score: Array = ndtri(1 - np.exp(-np.euler_gamma) / rows)
    return score


def weighted_score(*, rows: Array, spread: Array) -> Array:
    r"""Where the softmax weight lies [1]: at s, until the best row takes it all at $z_1$.

    $z_w = (s^{-3} + z_1^{-3})^{-1/3}$; the power is a choice of form.

    >>> round(float(weighted_score(rows=320, spread=4)), 3)
    2.617
    """
    return (spread**-3.0 + top_score(rows=rows) ** -3.0) ** (-1 / 3)


def inclusion(*, score: Array, rows: Array, width: Array, iterations: Array) -> Array:
    r"""Probability that a row at a score is a candidate [1].

    $1 - e^{-\theta}$ with $\theta = a (M/n)^p e^{b z (64/d)^g}$: picks of the largest products
    fall on a good row $e^{bz}$ times as often as on one of mean score. Fitted: a, p, b, g.

    >>> round(float(inclusion(score=2.919, rows=320, width=64, iterations=40)), 3)
    0.508
    """
    tilt = score * (GIVEN("calibrated_width") / width) ** GIVEN("tilt_width_power")
    picks = GIVEN("picks") * (iterations / rows) ** GIVEN("picks_power")
    return 1 - np.exp(-picks * np.exp(GIVEN("tilt") * tilt))


def gap(*, threshold: Array, spread: Array) -> Array:
    r"""How far below the best a row is kept, in standard deviations, $\ln(1/T) / s$ [1].

    >>> round(float(gap(threshold=0.1, spread=4)), 4)
    0.5756
    """
    return -np.log(threshold) / spread


def best_candidate(*, candidates: Array) -> Array:
    r"""Where the best of C candidates stands among their like, $u = \Phi^{-1}(C / (C + 1))$ [1].

    >>> round(float(best_candidate(candidates=36)), 3)
    1.926
    """
    score: Array = ndtri(candidates / (candidates + 1))
    return score


def kept_rows(*, candidates: Array, threshold: Array, spread: Array) -> Array:
    r"""Rows within the gap of the best candidate, K [1]; nothing here is fitted.

    $K = 1 + (C - 1) (1 - \Phi(u - h) / \Phi(u))$: the candidates' scores spread as those of
    C rows drawn from one Gaussian.

    >>> round(float(kept_rows(candidates=36.29, threshold=0.1, spread=4)), 2)
    3.21
    """
    u, h = best_candidate(candidates=candidates), gap(threshold=threshold, spread=spread)
    near: Array = 1 - ndtr(u - h) / ndtr(u)
    return 1 + (candidates - 1) * near


def kept_weight(*, candidates: Array, threshold: Array, spread: Array) -> Array:
    r"""Share of the candidates' weight that post-scoring keeps [1]; nothing here is fitted.

    $1 - \frac{W(h)}{1 + W(0)}$ with $W(h) = \frac{C - 1}{\Phi(u)} e^{s^2/2 - s u} \Phi(u - s - h)$
    the weight below the gap, that of the best candidate being one.

    >>> round(float(kept_weight(candidates=36.29, threshold=0.1, spread=4)), 3)
    0.898
    """
    u, h = best_candidate(candidates=candidates), gap(threshold=threshold, spread=spread)
    scale = np.log(np.maximum(candidates - 1, np.finfo(float).tiny) / ndtr(u))
    scale = scale + spread * spread / 2 - spread * u
    dropped: Array = np.exp(scale + log_ndtr(u - spread - h))
    others: Array = np.exp(scale + log_ndtr(u - spread))
    return 1 - dropped / (1 + others)


def quantisation_error(*, rows: Array, width: Array, spread: Array, fraction_bits: Array) -> Array:
    r"""Median relative error of the output that rounding the inputs costs [1].

    $a\, n^p\, 2^{-f} \sqrt{(s^2 + d) / 12} / s$: the root is the error of a score when key and
    query are rounded to $2^{-f}$, counted in the spread of the scores. The rest is fitted. The
    exponential's table is wide enough.

    >>> round(float(quantisation_error(rows=320, width=64, spread=4, fraction_bits=4)), 3)
    0.097
    """
    score_error = np.sqrt((spread * spread + width) / 12)
    size = GIVEN("rounding") * rows ** GIVEN("rounding_power")
    return size * 2.0**-fraction_bits * score_error / spread
