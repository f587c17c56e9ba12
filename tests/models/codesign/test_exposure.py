"""What the binary gives away: the sheet's check of DnD, and what is out of its scope."""

import math

import pytest

from dse import verbs

from .test_split import EDGE, on
from .worked import SCENARIO, priced

CNN = on("cggg", **{"compile.fusion": "none"})
WHOLE = 11_690_000 + 524_288 + 4_000_000 + 1_200_000


def test_a_cnn_of_twelve_million_parameters_takes_the_sheets_hours() -> None:
    # 21 x 1.2 x 0.0356 s (443 x 6)^1.2 + 48 x 1.2 x 0.0076 s (210 x 2)^1.2 + 11.69e6 x 1.3 ms
    found = priced(CNN)
    # The sheet's bar is 1e-4; its constants are printed to three digits.
    assert found["recovery_time"] == pytest.approx(7.59894 * 3600, rel=1e-4)
    assert found["exposed_share"] * WHOLE / 11_690_000 == pytest.approx(0.853795, rel=1e-5)


def test_the_recurrent_branch_is_recovered_soon_but_is_little_of_the_network() -> None:
    # Sheet, Sec. 6.4: 2.7 % of the parameters in 0.7 h; all small branches 31 %.
    found = priced(on("gcgg"))
    assert found["exposed_share"] == pytest.approx(0.027, abs=5e-4)
    assert found["recovery_time"] == pytest.approx(0.7 * 3600, abs=0.05 * 3600)
    assert priced(on("gccc"))["exposed_share"] == pytest.approx(0.31, abs=0.01)


def test_nothing_on_a_cpu_is_out_of_scope() -> None:
    for target in ("gpu", "dfx", "none"):
        found = verbs.evaluate("codesign", SCENARIO | {"serve.target": target})["metrics"]
        assert found["exposed_share"]["value"] == 0.0
        assert found["recovery_time"]["value"] == math.inf


def test_a_decoder_on_both_sides_of_the_split_gives_its_weights_away_once() -> None:
    base = {"workload": "gpt2-345m", "serve.target": "duet"}
    decode = priced(base | {"duet.assignment": "gc"})
    both = priced(base | {"duet.assignment": "cc"})
    assert decode["exposed_share"] == both["exposed_share"] == pytest.approx(0.974**6)
    assert decode["recovery_time"] < both["recovery_time"] < 2 * decode["recovery_time"]


def test_quantised_weights_are_not_read_and_come_back_less() -> None:
    plain, quantised = priced(CNN), priced(CNN | {"serve.precision": "int8"})
    assert quantised["exposed_share"] == pytest.approx(0.72 * plain["exposed_share"])
    assert quantised["recovery_time"] < plain["recovery_time"] / 2


def test_blocks_are_read_faster_than_single_parameters() -> None:
    assert (
        priced(CNN | {"attacker.bulk_extract": "on"})["recovery_time"]
        < priced(CNN)["recovery_time"] / 2
    )


def test_fusing_and_optimising_take_the_attacker_longer() -> None:
    times = [
        priced(on("cccc", **{"compile.compiler": compiler}))["recovery_time"]
        for compiler in ("glow", "tvm-o0", "tvm-o3")
    ]
    assert times == sorted(times)
    fused = priced(on("cccc", **{"compile.fusion": "aggressive"}))
    assert fused["exposed_share"] < priced(on("cccc"))["exposed_share"]


def test_the_released_tool_does_not_lift_avx512_and_the_page_warns() -> None:
    settings = EDGE | {"serve.target": "cpu", "attacker.lifts_avx512": "off"}
    answer = verbs.evaluate("codesign", settings)
    assert answer["metrics"]["exposed_share"]["value"] == 0.0
    assert any("no proof of it" in text for text in answer["warnings"])
    other = priced(settings | {"compile.vector": "avx2"})
    assert other["exposed_share"] > 0.5
