"""Matrices of a trained memory network, as key, value and query matrices of attention.

Origin: `memory.npz` was made by this project, with `python -m models.a3.train_attention`, on
stories that it draws by seed. No data and no network of others went into it. It holds four
matrices in half precision: features to `key`, `value` and `query`, output to `place`.
"""

from functools import cache
from importlib import resources

import numpy as np

from dse.spec import Array


@cache
def memory() -> dict[str, Array]:
    """The trained matrices by name."""
    with (
        (resources.files(__package__) / "memory.npz").open("rb") as file,
        np.load(file) as matrices,
    ):
        return {name: np.asarray(matrices[name], dtype=np.float64) for name in matrices.files}
