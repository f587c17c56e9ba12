"""What training writes, and requests that fit no page, counted one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry
from models.copflash import traffic as page
from models.copflash.config import Drive
from models.copflash.model import MODEL

properties = settings(derandomize=True, deadline=None, max_examples=80)


def counted(size: int, sectors: int) -> tuple[float, float]:
    """Pages touched and pages not written whole, mean over all starts."""
    touched = partial = 0
    for start in range(sectors):
        for first in range(0, start + size, sectors):
            inside = min(start + size, first + sectors) - max(start, first)
            touched += inside > 0
            partial += 0 < inside < sectors
    return touched / sectors, partial / sectors


@properties
@given(size=st.integers(1, 200), sectors=st.integers(1, 64))
def test_touched_and_partial_pages_are_those_that_are_counted(size: int, sectors: int):
    touched, partial = counted(size, sectors)
    shape = {"pages": size / sectors, "sectors": float(sectors)}
    assert page.touched_pages(**shape) == pytest.approx(touched, rel=1e-12)
    assert page.partial_pages(**shape) == pytest.approx(partial, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("size", "expected"), [(1, 1.0), (32, 1.96875), (40, 2.21875)])
def test_pages_touched_are_the_sheet_s(size: int, expected: float):
    assert page.touched_pages(pages=size / 32, sectors=32.0) == expected


def test_a_buffer_that_merges_all_requests_leaves_whole_pages():
    shape = {"pages": 0.1, "sectors": 32.0, "coalesced": 1.0}
    assert page.rounding(**shape) == 1
    assert page.reread(**shape) == 0


def loaded(**given: object) -> page.Traffic:
    config = registry.configure(MODEL, given)
    assert isinstance(config, Drive)
    return page.traffic(config)


def test_tensors_fall_into_classes_by_what_becomes_of_them():
    every = loaded(gradient_share=1, state_share=0.5)
    plain = loaded()
    parameters = registry.networks()["bert-large"].parameters
    assert every.short - plain.short == pytest.approx(4 * parameters, rel=1e-6)
    assert every.medium == pytest.approx(0.5 * 12 * parameters, rel=1e-12)
    assert plain.medium == 0
    assert plain.checkpoint == pytest.approx(12 * parameters / 600, rel=1e-12)
    assert plain.refresh == pytest.approx(1e12 / (365 * 86400), rel=1e-12)
    assert plain.kept == pytest.approx(1e12 + 12 * parameters, rel=1e-12)


def test_activations_grow_with_batch_and_more_than_with_tokens():
    # BERT large saves pairs of tokens, too: twice the tokens are more than twice the bytes.
    assert loaded(batch=16).short == pytest.approx(2 * loaded(batch=8).short, rel=1e-12)
    assert loaded(tokens=256).short > 2 * loaded(tokens=128).short


def test_a_sample_is_at_most_what_the_network_takes():
    assert loaded(tokens=4096).short == loaded(tokens=512).short
    assert (
        loaded(workload="resnet50", tokens=4096).short
        == loaded(workload="resnet50", tokens=1).short
    )


def test_a_day_of_training_writes_checkpoints_while_it_trains_and_fresh_data_always():
    load = loaded()
    assert load.long_daily(0.0) == pytest.approx(1e12 / 365, rel=1e-12)
    more = load.long_daily(6000.0) - load.long_daily(0.0)
    assert more == pytest.approx(10 * 12 * registry.networks()["bert-large"].parameters, rel=1e-9)
