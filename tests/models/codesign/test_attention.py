"""A3 in decode: the sheet's fitted points, what it costs, and where it pays."""

from typing import Any

import numpy as np
import pytest

from dse import verbs
from models.codesign.attention import candidate_rows, kept_rows, quality_loss, unsorted_tail

from .worked import W4, priced, terms

LONG: dict[str, Any] = W4 | {"serve.target": "gpu", "serve.gpu": "a100-pcie-40gb"}


def attention(settings: dict[str, Any]) -> float:
    """Of one token [s]."""
    return terms(settings)["attention"] / 128


def test_losses_are_the_middles_of_the_published_ranges() -> None:
    assert float(quality_loss(share=np.asarray(1 / 8))) == pytest.approx(0.085)
    assert float(quality_loss(share=np.asarray(1 / 2))) == pytest.approx(0.013, abs=2e-4)


def test_counts_agree_with_the_a3_page_at_its_size() -> None:
    # Both fits stand on Gaussian keys of 320 rows: 2 % on candidates, 15 % on the few kept rows.
    for share, steps in ((1 / 8, 40), (1 / 2, 160)):
        page = verbs.evaluate("a3", {"rows": 320, "iterations": steps, "threshold": 0.1})
        metrics = page["metrics"]
        ours = float(candidate_rows(share=np.asarray(share)))
        assert ours * 320 == pytest.approx(metrics["candidates"]["value"], rel=0.03)
    assert float(kept_rows(share=np.asarray(0.5))) == pytest.approx(0.02)


def test_no_step_adds_more_than_one_row() -> None:
    shares = np.geomspace(1 / 64, 1, 50)
    assert (candidate_rows(share=shares) <= shares).all()


def test_the_tail_is_where_reading_and_merging_cost_least() -> None:
    rows = 4096.0
    cost = {r: 8 * rows / r + r for r in np.arange(50.0, 400.0)}
    assert min(cost, key=cost.__getitem__) == pytest.approx(
        float(unsorted_tail(rows=np.asarray(rows))), abs=1.0
    )


def test_one_unit_slows_fpgas_at_the_conservative_setting_and_sixteen_pay() -> None:
    # Sheet, Sec. 6.3: 9.04 -> 16.8 ms with one unit at n/2, 1.97 ms with sixteen.
    exact = W4 | {"a3.on": "off"}
    assert attention(exact) == pytest.approx(9.04e-3, rel=2e-3)
    conservative = W4 | {"a3.m": 0.5}
    assert attention(conservative | {"a3.units": 1}) == pytest.approx(16.8e-3, rel=3e-3)
    assert attention(conservative) == pytest.approx(1.97e-3, rel=5e-3)
    assert attention(W4 | {"a3.m": 0.125}) == pytest.approx(9.04e-3 / 12.9, rel=0.01)


def test_a_gpu_gains_from_candidates_only_in_batches() -> None:
    # Sheet, Sec. 6.3, A100 at 16k: 1.40 ms exact, 2.17 at n/8 for one request; for eight 11.2
    # exact, 11.8 at n/2, and 3.2 times faster at n/8.
    exact = LONG | {"a3.on": "off"}
    assert attention(exact) == pytest.approx(1.40e-3, rel=0.02)
    assert attention(LONG | {"a3.m": 0.125}) == pytest.approx(2.17e-3, rel=0.02)
    eight = {"serve.batch": 8}
    assert attention(exact | eight) == pytest.approx(11.2e-3, rel=0.02)
    assert attention(LONG | eight | {"a3.m": 0.5}) == pytest.approx(11.8e-3, rel=0.02)
    gain = attention(exact | eight) / attention(LONG | eight | {"a3.m": 0.125})
    assert gain == pytest.approx(3.2, rel=0.03)


def test_prompts_are_dear_on_fpgas_unless_they_are_cached() -> None:
    # Sheet: 5.4 ms a token of the prompt without attention, 88 s at 16k.
    fresh = terms(W4 | {"prompt_cached": "off", "a3.on": "off"})
    assert (fresh["weights"] + fresh["launch"]) / (16384 + 128) == pytest.approx(5.4e-3, rel=0.01)


def test_a_sorted_copy_of_the_keys_fills_memory() -> None:
    small = {"workload": "gpt2-xl", "input_tokens": 8192, "serve.gpu": "v100-pcie-16gb"}
    full: dict[str, Any] = small | {"serve.batch": 4, "request_rate": 0.01}
    assert priced(full)["feasible"] is True
    assert priced(full | {"a3.on": "on"})["feasible"] is False


def test_what_is_not_known_of_a3_is_flagged() -> None:
    words = verbs.evaluate("codesign", W4)["warnings"]
    assert any("320 rows" in text for text in words)
    words = verbs.evaluate("codesign", W4 | {"a3.m": 0.08})["warnings"]
    assert any("n/8" in text for text in words)
