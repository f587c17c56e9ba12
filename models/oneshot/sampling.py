"""What a predictor is trained on: tasks like those of real networks, codes near the good ones."""

from collections.abc import Sequence

import numpy as np

from .replay import Loop, Search, Task, iterate
from .space import Ints

Layer = tuple[float, ...]
"""A layer's configuration: kind, batch, size, channels, kernel, stride, padding."""


def prior_layer(layers: Sequence[Layer], rng: np.random.Generator) -> Layer:
    """A layer drawn one dimension after another, each from the layers still compatible.

    By the chain rule this is a draw of one row, each as likely as often as it stands there.
    """
    left = list(layers)
    for dimension in rng.permutation(len(left[0])):
        value = left[rng.integers(len(left))][dimension]
        left = [layer for layer in left if layer[dimension] == value]
    return left[0]


def uniform_rows(task: Task, count: int, rng: np.random.Generator) -> Ints:
    """Rows drawn without putting back."""
    return rng.permutation(len(task.seconds))[:count]


def explored_rows(
    task: Task, count: int, *, loop: Loop, search: Search, rng: np.random.Generator
) -> Ints:
    """Rows that an iterative tuner measures: they gather near the good ones."""
    found = iterate(task, trials=count, loop=loop, search=search, rng=rng)
    return np.array(found.measured, dtype=np.int64)
