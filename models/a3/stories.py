"""Stories in sentences and questions about them, drawn by seed: the task of a memory network.

A sentence says that somebody went to a place or took a thing. A person goes home half of the time.
A question asks where somebody is now, which one sentence answers, or where somebody lives, which
many sentences answer together. The task is made up here in the manner of bAbI's first one.

A sentence is a row of features: its three words, and how long ago it was in a few fading traces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array

from .config import GIVEN

Places = NDArray[np.intp]
Truths = NDArray[np.bool_]

PEOPLE, PLACES, THINGS, VERBS, TRACES = (
    int(GIVEN(f"story.{name}")) for name in ("people", "places", "things", "verbs", "traces")
)
QUESTIONS = ("latest", "home")
STARTS = np.cumsum([0, PEOPLE, PLACES, THINGS, VERBS, VERBS, len(QUESTIONS)])
"""First feature of people, places, things, verbs of going, verbs of taking, questions, traces."""
FEATURES = int(STARTS[-1]) + TRACES


@dataclass(frozen=True)
class Stories:
    """Some stories of one length, each with a question and its answer."""

    sentences: Array
    """Story x sentence x feature."""
    questions: Array
    """Story x feature."""
    answers: Places
    """The place that answers."""
    kinds: Places
    """Which of `QUESTIONS` is asked."""


def draw(
    rng: np.random.Generator, *, count: int, length: int, question: str | None = None
) -> Stories:
    """At most so many stories: those that never say where the person went are left out.

    Args:
        rng: source of all chance.
        count: stories drawn.
        length: sentences of each.
        question: one of `QUESTIONS`; any of them by chance if none is named.
    """
    shape, story = (count, length), np.arange(count)
    person, took = rng.integers(0, PEOPLE, shape), rng.random(shape) < GIVEN("story.taking")
    home = rng.integers(0, PLACES, (count, PEOPLE))[story[:, None], person]
    place = np.where(
        rng.random(shape) < GIVEN("story.at_home"), home, rng.integers(0, PLACES, shape)
    )
    thing, verb = rng.integers(0, THINGS, shape), rng.integers(0, VERBS, shape)
    asked = person[story, rng.integers(0, length, count)]
    kinds = rng.integers(0, len(QUESTIONS), count)
    if question is not None:
        kinds = np.full(count, QUESTIONS.index(question))
    went = (person == asked[:, None]) & ~took
    found = Stories(
        sentences=_sentences(person, took, place, thing, verb),
        questions=_one_hot(asked) + _one_hot(STARTS[5] + kinds),
        answers=_answers(went, place, kinds),
        kinds=kinds,
    )
    said = went.any(axis=1)
    return Stories(*(part[said] for part in vars(found).values()))


def _one_hot(feature: Places) -> Array:
    return np.asarray(np.eye(FEATURES)[feature])


def _sentences(person: Places, took: Truths, place: Places, thing: Places, verb: Places) -> Array:
    rows = _one_hot(person) + _one_hot(np.where(took, STARTS[2] + thing, STARTS[1] + place))
    rows += _one_hot(np.where(took, STARTS[4], STARTS[3]) + verb)
    age = np.arange(person.shape[1])[::-1, None]
    rows[:, :, STARTS[6] :] = np.exp(-age / 2.0 ** np.arange(TRACES))
    return rows


def _answers(went: Truths, place: Places, kinds: Places) -> Places:
    """The last place of a person, or the most frequent one, the last of several."""
    story, length = np.arange(len(went)), went.shape[1]
    latest = place[story, length - 1 - np.argmax(went[:, ::-1], axis=1)]
    visits = np.einsum("sr,srp->sp", went.astype(float), np.eye(PLACES)[place])
    visits[story, latest] += 1 / 2
    said: Places = np.where(kinds == QUESTIONS.index("latest"), latest, visits.argmax(axis=1))
    return said
