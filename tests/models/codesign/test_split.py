"""The split over CPU and GPU: the worked graph of the edge study, and the phases of a decoder."""

from itertools import product
from typing import Any

import pytest

from dse.errors import InputError

from .worked import W3, priced, terms

EDGE: dict[str, Any] = {
    "workload": "wide-deep-edge",
    "serve.gpu": "rtx-2080ti",
    "serve.cpu": "epyc-7502",
    "compile.vector": "avx512",
    "compile.tasks": 25,
    "compile.deployments": 3,
    "request_rate": 20,
}
SPLITS = ["".join(letters) for letters in product("gc", repeat=4)]


def on(split: str, **more: Any) -> dict[str, Any]:
    return EDGE | {"serve.target": "duet", "duet.assignment": split} | more


def test_the_recurrent_branch_alone_on_the_cpu_pays_most() -> None:
    # Sheet, Sec. 6.4, two digits: 1.24 ms on the GPU, 0.49 with the RNN on the CPU, 0.44 with all
    # small branches there; its inputs of the small branches are not printed, ours are a few KB.
    gpu = priced(EDGE | {"serve.target": "gpu"})
    assert gpu["latency"] == pytest.approx(1.24e-3, abs=0.01e-3)
    assert priced(on("gcgg"))["latency"] == pytest.approx(0.49e-3, abs=0.005e-3)
    assert priced(on("gccc"))["latency"] == pytest.approx(0.44e-3, abs=0.005e-3)


def test_an_untuned_split_beats_the_tuned_gpu() -> None:
    # Sheet: 0.61 ms at no hours against 1.24 ms.
    untuned = priced(on("auto") | {"compile.tuner": "default"})
    assert untuned["latency"] == pytest.approx(0.61e-3, abs=0.005e-3)
    assert untuned["tuning_time"] == 0.0


def test_a_thousand_trials_buy_little_where_launches_bind() -> None:
    # Sheet: 64 -> 1024 trials cost 3.2 h for 0.6 %, two devices with the GPU.
    few = priced(EDGE | {"serve.target": "gpu"})
    many = priced(EDGE | {"serve.target": "gpu", "compile.trials": 1024})
    assert many["latency"] / few["latency"] == pytest.approx(1 - 0.006, abs=0.002)


def test_the_automatic_split_is_the_best_of_all_sixteen() -> None:
    latencies = {split: priced(on(split))["service_time"] for split in SPLITS}
    assert priced(on("auto"))["service_time"] == min(latencies.values())


def test_all_parts_on_one_device_is_that_device() -> None:
    for split, target in (("gggg", "gpu"), ("cccc", "cpu")):
        alone = priced(EDGE | {"serve.target": target})
        assert priced(on(split))["service_time"] == pytest.approx(alone["service_time"])


def test_terms_of_a_split_are_the_longer_device_and_the_head() -> None:
    # RNN on the CPU: 100 starts of 1 us there against (60 x 0.5 + 6 x 0.5) x 5 us on the GPU,
    # which is the longer side, and the head's 4 x 0.5 x 5 us.
    found = terms(on("gcgg"))
    assert found["launch"] == pytest.approx((30 + 3 + 2) * 5e-6)


def test_an_eager_decode_is_faster_on_a_cpu_of_many_cores() -> None:
    # Sheet, Sec. 6.2: 2.57 s on an eager V100 becomes 0.93 s with decode on 96 cores; tuned, the
    # gain is 5 %. One replica of W3 at the load of the sheet; its batch waits for none.
    eager: dict[str, Any] = W3 | {"train.mode": "none", "serve.replicas": 1, "request_rate": 0.05}
    split = eager | {"serve.target": "duet", "serve.cpu": "epyc-9654", "compile.vector": "avx512"}
    alone, moved = priced(eager)["service_time"], priced(split)["service_time"]
    assert alone / moved == pytest.approx(2.8, abs=0.35)
    tuned = {"compile.tuner": "oneshot"}
    gain = priced(eager | tuned)["service_time"] / priced(split | tuned)["service_time"]
    assert 1.0 <= gain < 1.15


def test_what_does_not_fit_the_gpu_is_left_to_the_cpu() -> None:
    # 13 billion parameters in FP16 and a T4 of 16 GB: the fastest split would need both.
    large: dict[str, Any] = {
        "workload": "llama2-13b",
        "serve.target": "duet",
        "serve.gpu": "t4",
        "serve.cpu": "epyc-9654",
        "request_rate": 0.02,
    }
    auto = priced(large)
    assert auto["feasible"] is True
    assert auto["latency"] == priced(large | {"duet.assignment": "cc"})["latency"]
    assert priced(large | {"duet.assignment": "gc"})["feasible"] is False


def test_a_split_has_a_letter_for_every_part() -> None:
    for settings in (on("gc"), {"serve.target": "duet", "duet.assignment": "gggc"}):
        with pytest.raises(InputError, match="a letter for every part"):
            priced(settings)


def test_keys_and_values_cross_the_link_once_where_phases_part() -> None:
    split = {"workload": "gpt2-345m", "serve.target": "duet", "duet.assignment": "gc"}
    # 64 tokens x 49,152 numbers x 2 B over 12 GB/s, and 10 us.
    assert terms(split)["transfer"] == pytest.approx(1e-5 + 64 * 49152 * 2 / 12e9)
    assert terms(split | {"duet.assignment": "cc"})["transfer"] == 0.0
