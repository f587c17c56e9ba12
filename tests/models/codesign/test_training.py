"""Training in the joint page: the sheet's worked memory, shared drives, quality and prices."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse import registry, verbs
from dse.errors import InputError
from dse.units import YEAR
from models.codesign.training import sequence_flops

from .worked import W1, W2, W3, priced


def test_a_gpu_without_the_precision_does_not_matter_when_nothing_is_trained() -> None:
    settings = {"train.gpu": "gtx-1080ti", "train.precision": "amp"}
    assert priced(settings)["feasible"] is True
    with pytest.raises(InputError, match="training GPU's peak"):
        priced(settings | {"train.mode": "train"})


def test_a_second_gpu_shares_the_drives_and_waits_for_the_gradients() -> None:
    one, two = priced(W2), priced(W2 | {"train.gpus": 2})
    assert two["offloaded_bytes"] == one["offloaded_bytes"]
    # Bound by the drive: two GPUs write twice as much through the same drive, so the node gains
    # next to nothing and pays the all-reduce.
    assert 0.9 * one["throughput"] < two["throughput"] < 1.2 * one["throughput"]
    free = W2 | {"train.batch": 8}
    alone, pair = priced(free), priced(free | {"train.gpus": 2})
    assert alone["offloaded_bytes"] == 0
    assert 1.5 * alone["throughput"] < pair["throughput"] < 2 * alone["throughput"]


def test_the_sum_of_gpus_never_trains_faster_than_they_would_apart() -> None:
    page = registry.model("codesign")
    base = registry.configure(page, {"train": {"mode": "train"}, "workload": "gpt2-345m"})
    gpus = np.arange(1.0, 9.0)
    rate = page.evaluate(page.config.batched({"train.gpus": gpus}, base)).metrics["throughput"]
    assert (rate <= gpus * rate[0] * (1 + 1e-12)).all()


def test_gpus_of_a_node_are_marked_as_data_parallel() -> None:
    words = verbs.evaluate("codesign", W2 | {"train.gpus": 4})["warnings"]
    assert any("data-parallel only" in text for text in words)
    assert not any("data-parallel" in t for t in verbs.evaluate("codesign", W2)["warnings"])


def test_a_narrow_host_link_slows_the_drives() -> None:
    wide = priced(W2 | {"drive.count": 4, "train.host_link": "48 GB/s"})
    narrow = priced(W2 | {"drive.count": 4, "train.host_link": "6 GB/s"})
    assert narrow["throughput"] < wide["throughput"]


def test_wear_of_tlc_is_bytes_written_against_its_endurance() -> None:
    # W3 writes S, its share of 2 GB a job and checkpoints of 16 N every 600 s to 4.096 TB of TLC
    # that takes 3000 erases; 0.037 % is moved on top (WAF 1.00037).
    found = priced(W3)
    steps = 365 * 40_000 / 12
    step = 0.525 * found["offloaded_bytes"] + 2e9 * 12 / 40_000
    step += 16 * 353_453_056 * found["step_time"] / 600
    life = 4.096e12 * 3000 / (1.00037 * step * steps) * YEAR
    assert found["drive_lifetime"] == pytest.approx(life, rel=1e-5)


def test_a_job_that_does_not_fit_into_the_year_is_infeasible() -> None:
    hurried = {"train.sequences": 1e7, "train.jobs_per_year": 1000}
    assert priced(W2 | hurried)["feasible"] is False


def test_what_does_not_fit_without_offloading_is_infeasible() -> None:
    assert priced(W2 | {"train.offload": "off"})["feasible"] is False
    assert priced(W2)["feasible"] is True


def test_an_encoder_attends_to_all_pairs_a_decoder_to_half() -> None:
    # BERT-large: 2 s (12 e^2 L + V e + 2 L e s), twice the attention of the causal count.
    weights = 12 * 1024**2 * 24 + 30522 * 1024
    pairs = 24 * 1024 * 384
    page = registry.model("codesign")
    config: Any = registry.starting_point(
        page, {"workload": "bert-large", "train": {"tokens": 384}, "serve": {"target": "none"}}
    )
    assert float(sequence_flops(config)) == 2 * 384 * (weights + 2 * pairs)


def test_checkpoints_that_come_too_fast_are_refused_in_words() -> None:
    fast = W1 | {"train.checkpoint_interval": 60, "drive.dies": 16, "drive.count": 1}
    answer = verbs.evaluate("codesign", fast | {"workload": "gpt3-13b", "train.gpu": "b200-sxm"})
    assert answer["metrics"]["feasible"]["value"] is False
    assert any("cannot absorb the checkpoints" in text for text in answer["warnings"])


def test_tensors_stored_in_fp16_cost_quality() -> None:
    # Sheet, W1: q = 0.001 when anything is stored in FP16 and widened again; amp stores as it is.
    assert priced(W1)["quality_loss"] == pytest.approx(0.001)
    both = priced(W3 | {"serve.precision": "int8"})
    assert both["quality_loss"] == pytest.approx(1 - 0.999 * 0.992)
    assert priced(W2)["quality_loss"] == 0
    assert priced(W1 | {"train.fp16_store": "off"})["quality_loss"] == 0
    assert priced(W1 | {"train.batch": 2})["quality_loss"] == 0


def test_csr_changes_nothing_for_a_network_without_relu() -> None:
    assert priced(W1 | {"train.csr": "on"}) == priced(W1)


def test_the_shipped_rates_are_the_defaults() -> None:
    config: Any = registry.configure(registry.model("codesign"))
    rates = registry.prices().parameters
    assert config.host == rates["host"].value == 4000
    assert config.electricity == rates["electricity"].value
    assert config.machine_hour == rates["machine_hour"].value
    assert config.drive.controller == rates["controller"].value
    assert config.drive.flash == rates["flash"].value


def test_a_persons_own_rates_reach_the_drives(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-12-01\nrates:\n  flash: {value: 60, unit: USD/TB}\n")
    cheap = verbs.evaluate("codesign", W1, prices=own)["metrics"]["capital_cost"]["value"]
    assert priced(W1)["capital_cost"] - cheap == pytest.approx(60 * 4.096)


def test_a_persons_own_prices_change_what_is_recommended(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-12-01\nprices:\n  a40: {value: 300, unit: USD}\n")

    def cheapest(**prices: Any) -> str:
        run = tmp_path / f"run{len(prices)}"
        ended = verbs.search("gpt2-serving", output=run, **prices)
        why, best = ended.archive.best()
        place = next(i for i, reason in enumerate(why) if "best cost" in reason)
        return str(best.words("serve.gpu")[place])

    assert cheapest() == "rtx-2080ti"
    assert cheapest(prices=own) == "a40"
