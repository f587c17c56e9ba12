"""Trains a small memory network on the stories and writes its matrices.

`python -m models.a3.train_attention` does it in seconds, by seed. The network is that of MemN2N
with one hop: a sentence's features give a key and a value row, a question's give a query, and the
place is read off the query and the output of attention. It has its own backward pass.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dse.spec import Array

from . import stories
from .config import GIVEN

Weights = Mapping[str, Array]
FILE = Path(__file__).parent / "attention_matrices" / "memory.npz"
SMALL = 1e-8


def initial(rng: np.random.Generator) -> dict[str, Array]:
    """Small random matrices: features to key, value and query, and output to places."""
    width, scale = int(GIVEN("calibrated_width")), GIVEN("training.start")
    shapes = dict.fromkeys(("key", "value", "query"), (stories.FEATURES, width))
    shapes["place"] = (width, stories.PLACES)
    return {name: rng.normal(0, scale, shape) for name, shape in shapes.items()}


def _softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def forward(weights: Weights, asked: stories.Stories) -> dict[str, Array]:
    """Every quantity on the way to the probabilities of the places, a row per story."""
    query = asked.questions @ weights["query"]
    # Keys and values stay implicit: X (K q) costs less than (X K) q, and likewise for values.
    scores = np.matmul(asked.sentences, (query @ weights["key"].T)[:, :, None])[:, :, 0]
    attention = _softmax(scores)
    read = np.matmul(attention[:, None, :], asked.sentences)[:, 0]
    state = query + read @ weights["value"]
    return {
        "query": query,
        "attention": attention,
        "read": read,
        "state": state,
        "places": _softmax(state @ weights["place"]),
    }


def loss(weights: Weights, asked: stories.Stories) -> float:
    """Mean cross-entropy of the answers."""
    places = forward(weights, asked)["places"]
    return float(-np.log(places[np.arange(len(places)), asked.answers]).mean())


def accuracy(weights: Weights, asked: stories.Stories) -> float:
    """Share of the questions that are answered right."""
    return float((forward(weights, asked)["places"].argmax(axis=1) == asked.answers).mean())


def gradient(weights: Weights, asked: stories.Stories) -> dict[str, Array]:
    """Derivatives of the loss."""
    found = forward(weights, asked)
    wrong = found["places"].copy()
    wrong[np.arange(len(wrong)), asked.answers] -= 1
    wrong /= len(wrong)
    state = wrong @ weights["place"].T
    toward = np.matmul(asked.sentences, (state @ weights["value"].T)[:, :, None])[:, :, 0]
    attention = found["attention"]
    scores = attention * (toward - (attention * toward).sum(axis=1, keepdims=True))
    scored = np.matmul(scores[:, None, :], asked.sentences)[:, 0]
    return {
        "key": scored.T @ found["query"],
        "value": found["read"].T @ state,
        "query": asked.questions.T @ (state + scored @ weights["key"]),
        "place": found["state"].T @ wrong,
    }


def train(steps: int, seed: int) -> dict[str, Array]:
    """Matrices after so many steps of Adam with weight decay, on fresh stories at each step."""
    rng = np.random.default_rng(seed)
    weights = initial(rng)
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    shortest, longest = int(GIVEN("training.shortest")), int(GIVEN("training.longest"))
    keep_first, keep_second = GIVEN("training.momentum"), GIVEN("training.scale_memory")
    for step in range(1, steps + 1):
        length = int(rng.integers(shortest, longest + 1))
        asked = stories.draw(rng, count=int(GIVEN("training.batch")), length=length)
        # The second half of the steps get smaller and smaller.
        rate = GIVEN("training.rate") * min(1.0, 2 * (1 - step / steps))
        for name, slope in gradient(weights, asked).items():
            first[name] = keep_first * first[name] + (1 - keep_first) * slope
            second[name] = keep_second * second[name] + (1 - keep_second) * slope * slope
            move = first[name] / (1 - keep_first**step)
            move = move / (np.sqrt(second[name] / (1 - keep_second**step)) + SMALL)
            weights[name] = weights[name] * (1 - rate * GIVEN("training.decay")) - rate * move
    return weights


def main() -> None:
    """Train and write the matrices in half precision."""
    weights = train(int(GIVEN("training.steps")), int(GIVEN("training.seed")))
    # One array a name, spelt out: mypy knows no keyword arrays beside allow_pickle.
    np.savez_compressed(
        FILE,
        key=weights["key"].astype(np.float16),
        value=weights["value"].astype(np.float16),
        query=weights["query"].astype(np.float16),
        place=weights["place"].astype(np.float16),
    )


if __name__ == "__main__":
    main()
