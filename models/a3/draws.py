"""Attentions to run the mechanism on, Gaussian or trained, and counts over many Gaussian ones.

The constants of the page's laws are fitted on counts of `sample`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dse.spec import Array

from . import attention_matrices, queues, stories


class Attention(NamedTuple):
    """One query of one key and value matrix."""

    keys: Array
    values: Array
    query: Array


def gaussian(
    rng: np.random.Generator, *, count: int, rows: int, width: int, spread: float
) -> Iterator[Attention]:
    """Independent keys, values and queries; queries of length s give scores that spread."""
    for _ in range(count):
        keys, values = rng.standard_normal((2, rows, width))
        query = rng.standard_normal(width)
        yield Attention(keys, values, query * (spread / np.linalg.norm(query)))


def trained(
    rng: np.random.Generator, *, count: int, rows: int, question: str
) -> Iterator[Attention]:
    """What the memory network makes of new stories, one question each."""
    matrices, left = attention_matrices.memory(), count
    while left:
        asked = stories.draw(rng, count=1, length=rows, question=question)
        for sentences, words in zip(asked.sentences, asked.questions, strict=True):
            left -= 1
            yield Attention(
                keys=sentences @ matrices["key"],
                values=sentences @ matrices["value"],
                query=words @ matrices["query"],
            )


@dataclass(frozen=True)
class Counts:
    """Means over drawn attentions, and the standard error of each."""

    candidates: float
    kept_rows: float
    recall: float
    candidate_mass: float
    kept_mass: float
    error: Array


def sample(
    *,
    rows: int,
    width: int,
    iterations: int,
    cuts: Sequence[tuple[float, float]],
    trials: int,
    seed: int,
) -> list[Counts]:
    """Counts over Gaussian keys and queries of length s, so that scores have that spread.

    Args:
        rows: keys of one attention.
        width: length of a key.
        iterations: of candidate selection.
        cuts: pairs of spread and threshold; all of them are counted on the same draws.
        trials: attentions drawn.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    found = np.empty((trials, len(cuts), 5))
    for trial in range(trials):
        keys, query = rng.standard_normal((rows, width)), rng.standard_normal(width)
        products = keys * (query / np.linalg.norm(query))
        rows_found = queues.positive(queues.greedy_scores(products, iterations))
        for cut, (spread, threshold) in enumerate(cuts):
            scores = spread * products.sum(axis=1)
            found[trial, cut] = _counted(scores, rows_found, threshold)
    return [_means(found[:, cut]) for cut in range(len(cuts))]


def _means(found: Array) -> Counts:
    candidates, kept_rows, recall, candidate_mass, kept_mass = found.mean(axis=0).tolist()
    return Counts(
        candidates=candidates,
        kept_rows=kept_rows,
        recall=recall,
        candidate_mass=candidate_mass,
        kept_mass=kept_mass,
        error=found.std(axis=0, ddof=1) / np.sqrt(len(found)),
    )


def _counted(scores: Array, found: queues.Rows, threshold: float) -> tuple[float, ...]:
    """Candidates, kept rows, whether the top row is found, and both shares of the weight."""
    weights = queues.softmax(scores)
    kept = found[queues.post_score(scores[found], threshold)]
    top = float(np.argmax(scores) in found)
    return found.size, kept.size, top, weights[found].sum(), weights[kept].sum()
