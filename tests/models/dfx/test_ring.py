"""One step on p boards equals the step that nobody split, and each broken rule shows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from models.dfx import gpt2, ring, tiles
from models.dfx.gpt2 import Gpt2, Shape, Vector, Weights
from models.dfx.ring import Board, Core, GeluTable, Ring

SMALL = Shape(layers=2, width=128, heads=8, vocab=101, context=16)
TOKENS = (3, 100, 0, 41, 41, 7)
ROUNDING = 1e-6
"""Of the largest logit: FP32 roundings of 6e-8 each in another order; 3e-7 is seen."""
LOOKED_UP = 1e-5
"""Of the largest logit, in FP32: the table's chords miss GELU by up to 6.1e-6; 3e-6 is seen."""
HALF = 0.01
"""Of the largest logit, in FP16: roundings of 0.05 % each that mostly cancel; 0.2 % is seen."""
EXACT = Core(gelu=gpt2.gelu)
"""The board's arithmetic with GELU itself for the table: only the order of sums differs."""
DOWNWARDS = replace(EXACT, order=tiles.by_columns)
"""Every column is summed from its first row to its last, however many columns a board has."""
TURNING = replace(EXACT, lag=1)
"""Bands of one column tile, up and down in turn: the split changes the order of sums."""


@cache
def weights(form: type[np.floating] = np.float64, shape: Shape = SMALL) -> Weights:
    return Weights.drawn(shape, np.random.default_rng(5)).as_type(form)


@cache
def oracle(shape: Shape = SMALL, tokens: tuple[int, ...] = TOKENS) -> NDArray[np.float64]:
    """Logits after each token from FP64, the whole sequence at once: no cache, split or tile."""
    return gpt2.forward(weights(shape=shape), tokens)


def steps(machine: Gpt2 | Ring, tokens: Sequence[int] = TOKENS) -> Vector:
    return np.array([machine.step(token) for token in tokens])


def off(logits: Vector, truth: Vector | None = None) -> float:
    """Largest error as a share of the largest logit."""
    truth = oracle() if truth is None else truth
    return float(np.max(np.abs(logits.astype(np.float64) - truth)) / np.max(np.abs(truth)))


def test_a_step_with_a_cache_equals_the_whole_sequence_at_once():
    assert off(steps(Gpt2(weights()))) < 1e-13  # FP64 sums in another order
    assert off(steps(Gpt2(weights(np.float32)))) < ROUNDING


@pytest.mark.parametrize("boards", [1, 2, 4, 8])
@pytest.mark.parametrize("core", [EXACT, DOWNWARDS, TURNING])
def test_the_step_on_p_boards_equals_the_unsplit_one_in_fp32(boards: int, core: Core):
    alone = steps(Gpt2(weights(np.float32)))
    split = steps(Ring(weights(np.float32), boards, core))
    assert split.dtype == np.float32
    assert off(split, alone) < ROUNDING
    assert off(split) < ROUNDING


SIX = Shape(layers=2, width=96, heads=6, vocab=101, context=16)


@pytest.mark.parametrize("boards", [1, 2, 3, 6])
def test_boards_need_not_be_a_power_of_two(boards: int):
    split = steps(Ring(weights(np.float32, SIX), boards, DOWNWARDS))
    np.testing.assert_array_equal(split, steps(Ring(weights(np.float32, SIX), 1, DOWNWARDS)))
    assert off(split, oracle(SIX)) < ROUNDING


@pytest.mark.parametrize("form", [np.float16, np.float32])
@pytest.mark.parametrize("boards", [2, 4, 8])
def test_boards_change_no_bit_where_the_order_of_sums_is_the_same(
    boards: int, form: type[np.floating]
):
    alone = steps(Ring(weights(form), 1, DOWNWARDS))
    np.testing.assert_array_equal(steps(Ring(weights(form), boards, DOWNWARDS)), alone)


def test_where_the_split_turns_the_zigzag_round_only_the_rounding_differs():
    alone, split = (steps(Ring(weights(np.float32), boards, TURNING)) for boards in (1, 8))
    assert np.any(alone != split)
    assert off(split, alone) < ROUNDING


def test_all_boards_end_every_layer_with_the_same_vector():
    class Watched(Ring):
        def _layer(self, index: int, states: list[Vector]) -> list[Vector]:
            ends = super()._layer(index, states)
            assert len(ends) == 4
            for end in ends[1:]:
                np.testing.assert_array_equal(end, ends[0])
            return ends

    steps(Watched(weights(np.float16), 4))


def test_the_ring_gathers_four_times_a_layer_three_vectors_of_e_and_one_of_4_e():
    machine = Ring(weights(np.float16), 4)
    machine.step(1)
    places = ["heads", "projection", "hidden", "output"]
    widths = [128, 128, 4 * 128, 128]
    assert machine.sent == [(p, 2 * w) for p, w in zip(places, widths, strict=True)] * 2


@pytest.mark.parametrize("boards", [1, 2, 3, 7])
def test_a_gather_puts_the_parts_in_the_order_of_the_boards(boards: int):
    parts = [np.arange(3.0) + 10 * board for board in range(boards)]
    for whole in ring.gathered(parts):
        np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_tables_of_2048_samples_miss_gelu_by_less_than_a_rounding_of_fp16():
    x = np.linspace(-20, 20, 400_001)
    missed = np.abs(GeluTable(2048, 8.0)(x) - gpt2.gelu(x))
    # Chords of width h miss by at most h^2 / 8 times the curvature, which is 0.80 at zero.
    assert np.max(missed) < 1.01 * (16 / 2047) ** 2 / 8 * 0.80
    half = x.astype(np.float16)
    rounded = GeluTable(2048, 8.0)(half).astype(np.float64) - gpt2.gelu(half.astype(np.float64))
    assert np.mean(rounded**2) < 3e-8  # FP16 itself: squares of 2^-12 of the output
    assert np.all(np.abs(rounded) <= 2.0**-10 * np.maximum(np.abs(gpt2.gelu(x)), 2.0**-6))


def test_fp16_on_the_boards_stays_within_1_percent_of_the_largest_logit():
    assert off(steps(Gpt2(weights(np.float16)))) < HALF
    for boards in (1, 2, 4):
        assert LOOKED_UP < off(steps(Ring(weights(np.float16), boards))) < HALF


@pytest.mark.parametrize("boards", [1, 4])
def test_the_table_costs_less_than_its_chords_miss(boards: int):
    assert ROUNDING < off(steps(Ring(weights(np.float32), boards))) < LOOKED_UP


MEDIUM = Shape(layers=1, width=1024, heads=16, vocab=512, context=4)
"""One layer as wide as GPT-2 345M; the vocabulary is cut short."""


@pytest.mark.parametrize(("form", "bar"), [(np.float32, LOOKED_UP), (np.float16, HALF)])
def test_a_layer_as_wide_as_345m_equals_the_unsplit_step(form: type[np.floating], bar: float):
    tokens = (1, 500)
    truth = oracle(MEDIUM, tokens)
    assert off(steps(Ring(weights(form, MEDIUM), 4), tokens), truth) < bar


def broken(machine: type[Ring]) -> float:
    return off(steps(machine(weights(np.float32), 4, EXACT)))


@pytest.mark.parametrize("place", ["heads", "projection", "hidden", "output"])
def test_a_missing_gather_is_seen_wherever_it_is_missing(place: str):
    class Alone(Ring):
        def gather(self, at: str, parts: Sequence[Vector]) -> list[Vector]:
            if at != place:
                return super().gather(at, parts)
            whole = [np.zeros(sum(map(len, parts)), parts[0].dtype) for _ in parts]
            for i, part in enumerate(parts):
                whole[i][i * len(part) : (i + 1) * len(part)] = part
            return whole

    assert broken(Alone) > 100 * ROUNDING


def test_columns_that_are_dealt_out_one_by_one_tear_the_heads_apart():
    class Dealt(Ring):
        share = staticmethod(lambda matrix, board, boards: matrix[..., board::boards])

    assert broken(Dealt) > 100 * ROUNDING


def test_parts_left_in_the_order_of_their_arrival_are_seen(monkeypatch: pytest.MonkeyPatch):
    def unsorted(parts: Sequence[Vector]) -> list[Vector]:
        count = len(parts)
        return [
            np.concatenate([parts[(i - k) % count] for k in range(count)]) for i in range(count)
        ]

    monkeypatch.setattr(ring, "gathered", unsorted)
    assert broken(Ring) > 100 * ROUNDING


class Stale(gpt2.Cache):
    """Forgets the newest key: its place is one too low."""

    def keys(self) -> Vector:
        return super().keys()[[*range(self.length - 1), max(self.length - 2, 0)]]


class Short(gpt2.Cache):
    """Reads one token less than there is."""

    def keys(self) -> Vector:
        return self._keys[: max(self.length - 1, 1)]

    def values(self) -> Vector:
        return self._values[: max(self.length - 1, 1)]


@pytest.mark.parametrize("wrong", [Stale, Short])
def test_a_cache_that_is_one_token_off_is_seen_from_the_second_token_on(wrong: type[gpt2.Cache]):
    class Forgetful(Board):
        cache = wrong

    class Wrong(Ring):
        board = Forgetful

    logits = steps(Wrong(weights(np.float32), 4, EXACT))
    assert off(logits[:1], oracle()[:1]) < ROUNDING
    for i in range(1, len(TOKENS)):
        assert off(logits[i : i + 1], oracle()[i : i + 1]) > 100 * ROUNDING
