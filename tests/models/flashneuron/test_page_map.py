"""The map of pages: first fit from two sides, and nothing is lost or given twice."""

from hypothesis import given
from hypothesis import strategies as st

from models.flashneuron.page_map import FULL, PageMap

PAGES = 64


def test_each_side_fills_from_its_own_end():
    memory = PageMap(10)
    assert [memory.take(2, high=high) for high in (False, True, False, True)] == [0, 8, 2, 6]
    assert memory.largest() == 2


def test_the_first_hole_that_fits_is_taken_not_the_best_one():
    memory = PageMap(12)
    blocks = [memory.take(size, high=False) for size in (4, 1, 2, 1, 4)]
    memory.give(blocks[0], 4)
    memory.give(blocks[2], 2)
    # Holes of 4 at page 0 and of 2 at page 5.
    assert memory.take(2, high=False) == 0
    assert memory.take(2, high=True) == 5
    assert memory.take(2, high=True) == 2


def test_free_pages_that_are_parted_hold_no_block_as_large_as_all_of_them():
    memory = PageMap(6)
    blocks = [memory.take(2, high=False) for _ in range(3)]
    memory.give(blocks[0], 2)
    memory.give(blocks[2], 2)
    assert memory.free() == 4
    assert memory.take(3, high=False) == FULL
    memory.give(blocks[1], 2)
    assert memory.largest() == 6


def test_a_memory_without_pages_has_no_hole():
    assert PageMap(0).take(1, high=False) == FULL
    assert PageMap(0).largest() == 0


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.integers(0, 9)), max_size=60))
def test_blocks_never_overlap_and_every_page_is_free_or_held(moves):
    memory = PageMap(PAGES)
    held: list[tuple[int, int]] = []
    for size, high, drop in moves:
        if held and drop < 4:
            memory.give(*held.pop(drop % len(held)))
            continue
        largest, start = memory.largest(), memory.take(size, high=high)
        assert (start == FULL) == (size > largest)
        if start != FULL:
            held.append((start, size))
    pages = [page for start, size in held for page in range(start, start + size)]
    assert len(pages) == len(set(pages)) == PAGES - memory.free()
    assert all(0 <= page < PAGES for page in pages)
    # Neighbouring holes are joined.
    assert all(end < then for end, then in zip(memory.ends, memory.starts[1:], strict=False))
