"""The layer that maps pages: against one that goes page by page, and what must always hold."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.copflash import ftl as layer
from models.copflash.ftl import Ftl, Worn, best_of, greedy, oldest
from models.copflash.lifetimes import Learned

properties = settings(derandomize=True, deadline=None, max_examples=40)

PAGES, USER = 4, 20


class Slow(Ftl):
    """The same drive, one page at a time."""

    def _program(self, pages, stream):
        for page in pages.tolist():
            super()._program(np.array([page]), stream)


def drive(
    kind: type[Ftl] = Ftl, victim: Callable[..., int] = greedy, streams: int = 1, blocks: int = 8
) -> Ftl:
    return kind(
        pools=[blocks + streams],
        sizes=[PAGES],
        streams=[0] * streams,
        logical=USER,
        victim=victim,
        rng=np.random.default_rng(3),
    )


def check(ftl: Ftl, held: set[int]) -> None:
    """Every page that holds data lies in one place of its own, and all counts agree."""
    nowhere = ftl.blocks * ftl.width
    mapped = np.flatnonzero(ftl.place[:-1] != nowhere)
    assert set(mapped.tolist()) == held
    places = ftl.place[mapped]
    assert np.unique(places).size == mapped.size
    np.testing.assert_array_equal(ftl.holder[places], mapped)
    counted = np.bincount(places // ftl.width, minlength=ftl.blocks)
    np.testing.assert_array_equal(ftl.valid[:-1], counted)
    free = {block for pool in ftl.free for _, block in pool}
    sealed = set(np.flatnonzero(np.isfinite(ftl.veil.min(axis=0))).tolist())
    written = {block for block in ftl.open if block >= 0}
    assert len(free) + len(sealed) + len(written) == ftl.blocks
    assert len(free | sealed | written) == ftl.blocks
    # What was programmed lies in blocks that were erased since, or in those that are in use.
    used = sum(n for block, n in zip(ftl.open, ftl.used, strict=True) if block >= 0)
    assert sum(ftl.programmed) == PAGES * (ftl.erases.sum() + len(sealed)) + used


writes = st.lists(st.integers(0, USER - 1), min_size=1, max_size=30)
orders = st.lists(
    st.one_of(
        st.tuples(st.just("write"), writes, st.integers(0, 1)),
        st.tuples(st.just("trim"), writes, st.just(0)),
        st.tuples(st.just("erase"), st.just([0]), st.just(0)),
    ),
    max_size=25,
)


@properties
@given(asked=orders, victim=st.sampled_from([greedy, oldest, best_of(1), best_of(3)]))
def test_no_page_is_lost_and_counts_agree_whatever_is_asked(asked, victim):
    ftl, held = drive(victim=victim, streams=2), set()
    for what, pages, stream in asked:
        if what == "write":
            ftl.write(np.array(pages), stream)
            held |= set(pages)
        elif what == "trim":
            ftl.trim(np.unique(pages))
            held -= set(pages)
        else:
            ftl.erase_empty()
        check(ftl, held)


@properties
@given(asked=st.lists(writes, min_size=1, max_size=20))
def test_a_run_of_pages_at_once_is_page_by_page(asked):
    fast, slow = drive(), drive(Slow)
    for pages in asked:
        fast.write(np.array(pages), 0)
        slow.write(np.array(pages), 0)
    for name in ("place", "valid", "erases"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    assert fast.programmed == slow.programmed


def test_a_victim_costs_its_valid_pages():
    # 5 blocks of 4. Twelve pages fill three; 0, 1, 2 and 4 are written again into the fourth.
    ftl = drive(blocks=4)
    ftl.write(np.arange(12), 0)
    ftl.write(np.array([0, 1, 2, 4]), 0)
    assert sum(ftl.programmed) == 16
    # One erased block is left, for copies: the first block is cleaned, and its page 3 moves there.
    ftl.write(np.array([5]), 0)
    assert ftl.erases[0].tolist() == [1, 0, 0, 0, 0]
    assert sum(ftl.programmed) == 16 + 1 + 1
    assert ftl.place[3] // PAGES == ftl.place[5] // PAGES == 4


def test_greedy_takes_the_fewest_valid_and_of_these_the_least_worn():
    ftl = drive(blocks=5)
    ftl.write(np.arange(20), 0)
    ftl.trim(np.array([4, 5, 8, 9, 12]))
    assert greedy(ftl, 0) == 1
    ftl.veil[0, 1] = 7 * layer.WEAR_WEIGHT
    assert greedy(ftl, 0) == 2
    assert oldest(ftl, 0) == 0


def test_what_died_whole_is_erased_without_a_copy():
    ftl = drive()
    ftl.write(np.arange(8), 0)
    ftl.trim(np.arange(8))
    assert ftl.erase_empty() == 2
    assert sum(ftl.programmed) == 8


def test_a_drive_of_valid_pages_only_says_so():
    full = Ftl(
        pools=[6],
        sizes=[PAGES],
        streams=[0],
        logical=24,
        victim=greedy,
        rng=np.random.default_rng(1),
    )
    with pytest.raises(Worn, match="valid pages only"):
        full.write(np.arange(24), 0)


def test_an_erased_block_changes_its_pool_and_the_last_one_does_not():
    ftl = Ftl(
        pools=[3, 3],
        sizes=[1, PAGES],
        streams=[0, 1],
        logical=8,
        victim=greedy,
        rng=np.random.default_rng(1),
    )
    assert ftl.convert(1, 0)
    assert (ftl.blocks_of(0), ftl.blocks_of(1)) == (4, 2)
    assert ftl.convert(1, 0)
    assert not ftl.convert(1, 0)
    ftl.write(np.arange(4), 0)
    assert ftl.programmed == [4, 0]


def test_lives_that_were_seen_make_the_class():
    learned, page = Learned(logical=3, edges=np.array([1.0, 10.0]), gain=0.5), np.array([1])
    assert learned.classes(page) == 2
    learned.write(page, 0.0)
    assert learned.classes(page) == 2
    learned.end(page, 0.5)
    assert learned.classes(page) == 0
    learned.write(page, 1.0)
    learned.write(page, 5.0)  # a life of 4, half new: 2.25
    assert learned.life[1] == 2.25
    assert learned.classes(np.arange(3)).tolist() == [2, 1, 2]
