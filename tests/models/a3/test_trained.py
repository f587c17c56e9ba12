"""The trained memory network: its stories, its backward pass, the matrices that are shipped."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from models.a3 import attention_matrices, draws, stories, train_attention
from models.a3.model import MODEL

GIVEN = {name: number.value for name, number in MODEL.data.parameters.items()}


def drawn(length: int, question: str | None = None, count: int = 100) -> stories.Stories:
    rng = np.random.default_rng(77)
    return stories.draw(rng, count=count, length=length, question=question)


def place_of(sentence: np.ndarray) -> int | None:
    """The place that a sentence names, if somebody went there."""
    named = np.flatnonzero(sentence[stories.STARTS[1] : stories.STARTS[2]])
    return int(named[0]) if named.size else None


@pytest.mark.parametrize("question", stories.QUESTIONS)
def test_answers_are_those_of_reading_the_story_word_by_word(question: str):
    asked = drawn(40, question)
    for sentences, words, answer in zip(
        asked.sentences, asked.questions, asked.answers, strict=True
    ):
        person = int(np.argmax(words[: stories.PEOPLE]))
        said = [place_of(s) for s in sentences if s[person] == 1]
        places = [place for place in said if place is not None]
        # The most frequent one: the latest of them settles a tie only if it is among them.
        most = max(places, key=lambda p: (places.count(p), p == places[-1], -p))
        assert answer == (places[-1] if question == "latest" else most)


def test_a_sentence_is_three_words_and_fading_traces_of_its_age():
    asked = drawn(30)
    words = asked.sentences[:, :, : stories.STARTS[5]]
    assert np.all(words.sum(axis=2) == 3)
    traces = asked.sentences[0, :, stories.STARTS[6] :]
    assert np.all(traces[-1] == 1)
    assert np.all(np.diff(traces, axis=0) > 0)


def test_the_backward_pass_is_the_slope_of_the_loss():
    rng = np.random.default_rng(3)
    weights = {name: 5 * value for name, value in train_attention.initial(rng).items()}
    asked = stories.draw(rng, count=6, length=12)
    slopes, step = train_attention.gradient(weights, asked), 1e-5
    for name, matrix in weights.items():
        for place in zip(*np.nonzero(slopes[name]), strict=True):
            if rng.random() > 0.02:
                continue
            moved = []
            for sign in (1, -1):
                shifted = matrix.copy()
                shifted[place] += sign * step
                moved.append(train_attention.loss(weights | {name: shifted}, asked))
            # Central differences: an error of step^2 beside rounding of 1e-16 / step.
            slope = (moved[0] - moved[1]) / (2 * step)
            assert slope == pytest.approx(slopes[name][place], rel=1e-5, abs=1e-9)


def test_training_again_writes_the_matrices_that_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(train_attention, "FILE", tmp_path / "memory.npz")
    train_attention.main()
    shipped = attention_matrices.memory()
    with np.load(tmp_path / "memory.npz") as again:
        assert set(again.files) == shipped.keys()
        for name, matrix in shipped.items():
            # Half precision: a step is 0.001 below two. Other linear algebra moves the result by
            # far less: a start 1e-12 away ends 2e-10 away.
            assert again[name] == pytest.approx(matrix, abs=1.5e-3), name


@pytest.mark.parametrize(
    ("question", "length", "least"),
    [("latest", 20, 0.9), ("latest", 320, 0.8), ("home", 20, 0.85), ("home", 320, 0.6)],
)
def test_the_network_answers_stories_that_it_never_saw(question: str, length: int, least: float):
    # Of 16 places; trained on 8 to 64 sentences. Three standard errors of 100 stories are 0.1.
    asked = drawn(length, question)
    assert train_attention.accuracy(attention_matrices.memory(), asked) >= least


def test_its_rows_fit_the_chip_without_saturation():
    half = 2.0 ** (GIVEN["integer_bits"] - 1)
    for attention in draws.trained(
        np.random.default_rng(5), count=20, rows=320, question="latest"
    ):
        assert attention.keys.shape == attention.values.shape == (320, 64)
        assert max(float(np.max(np.abs(part))) for part in attention) < half


def test_the_shipped_file_is_small_and_lies_in_the_package():
    file = resources.files(attention_matrices) / "memory.npz"
    assert len(file.read_bytes()) < 40_000


def test_as_many_attentions_are_drawn_as_are_asked_for():
    # A story that never says where the person went is drawn again.
    found = draws.trained(np.random.default_rng(5), count=50, rows=2, question="home")
    assert sum(1 for _ in found) == 50
