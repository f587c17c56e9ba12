"""Measured products re-anchor a board: the pace is found, and the error of others falls."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import registry, verbs
from dse.calibrate import Calibration, Measurements
from dse.errors import InputError
from dse.provenance import Number
from dse.spec import Array
from models.roofline import anchor
from models.roofline.anchor import Kernel, Products, anchored, kept_pace

from .judged import LAUNCH
from .kernels import FLOORS, compass_products, measured_products
from .kernels import Products as Measured

HEAD = "m,n,k,dtype,seconds"
LARGE = (4096.0, 4096.0, 4096.0)
BOARD = "h100-sxm-80gb"


def kernel(shape: tuple[float, float, float], seconds: float, dtype: str = "fp16") -> Kernel:
    m, n, k = shape
    return Kernel(m=m, n=n, k=k, dtype=dtype, seconds=seconds)


def said(shape: tuple[float, float, float], pace: float, dtype: str = "fp16") -> float:
    """Seconds that the law says at a pace."""
    asked = {"device": BOARD, "form": "calibrated", "precision": dtype}
    config: Any = registry.configure(registry.model("roofline"), asked)
    one = Products(config, [kernel(shape, 1.0, dtype)])
    return float(one.predicted(np.array([pace]))[0])


def table(folder: Path, kernels: list[Kernel], name: str = "mine.csv") -> Path:
    rows = [f"{k.m:.0f},{k.n:.0f},{k.k:.0f},{k.dtype},{k.seconds!r}" for k in kernels]
    path = folder / name
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def read_off(folder: Path, kernels: list[Kernel], device: str = BOARD) -> Calibration:
    return anchored(Measurements(table(folder, kernels), device), date="2026-11-25")


def pace(found: Calibration, law: str) -> float:
    number = found.device.row[f"pace_{law}"]
    assert isinstance(number, Number)
    return number.value


@pytest.mark.parametrize("true", [0.5, 0.8, 1.5])
@pytest.mark.parametrize(("dtype", "law"), [("fp16", "tensor"), ("fp32", "vector")])
def test_many_products_of_one_pace_tell_it(tmp_path: Path, true: float, dtype: str, law: str):
    shapes = [(size, 4096.0, other) for size in (2048.0, 4096.0, 8192.0) for other in (4096, 8192)]
    rows = [kernel(shape, said(shape, true, dtype), dtype) for shape in shapes] * 4
    found = read_off(tmp_path, rows)
    assert pace(found, law) == pytest.approx(true, rel=0.01)  # 24 rows leave 1 % to the law
    errors = {(e.regime, e.prediction): e for e in found.errors()}
    assert errors["all", "after"].error < 0.02 < errors["all", "before"].error
    assert errors["all", "left_out"].error < 0.02


def test_one_product_far_outside_the_scatter_moves_nearly_all_the_way(tmp_path: Path):
    found = read_off(tmp_path, [kernel(LARGE, said(LARGE, 0.6))])
    assert pace(found, "tensor") == pytest.approx(0.609, abs=1e-3)
    assert np.isnan(found.lines[0].left_out)  # nothing else judges a single row
    assert found.warnings == ()


def test_one_product_within_the_scatter_moves_little_and_says_so(tmp_path: Path):
    found = read_off(tmp_path, [kernel(LARGE, said(LARGE, 1.05))])
    assert 1 < pace(found, "tensor") < 1.02
    assert "scatter of 9% explains" in found.warnings[0]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9))
def test_a_kept_pace_lies_between_one_and_the_median(paces: list[float]):
    middle = float(np.median(paces))
    low, high = sorted((1.0, middle))
    assert low * (1 - 1e-12) <= kept_pace(np.array(paces)) <= high * (1 + 1e-12)


@given(st.floats(0.1, 10), st.integers(1, 20))
def test_more_rows_of_one_pace_move_further(told: float, count: int):
    few, more = (abs(np.log(kept_pace(np.full(n, told)))) for n in (count, count + 1))
    assert few <= more + 1e-12


def test_each_law_has_its_own_pace_and_short_rows_do_not_anchor(tmp_path: Path):
    small = (128.0, 128.0, 128.0)
    rows = [
        kernel(LARGE, said(LARGE, 0.6)),
        kernel(LARGE, said(LARGE, 0.7, "fp32"), "fp32"),
        kernel(small, 3 * said(small, 1.0)),
    ]
    found = read_off(tmp_path, rows)
    assert pace(found, "tensor") == pytest.approx(0.609, abs=2e-3)
    assert pace(found, "vector") == pytest.approx(0.717, abs=5e-3)
    assert [one["precision"] for one in found.inline] == ["fp16", "fp32"]
    brief = next(line for line in found.lines if line.regime == "brief")
    assert brief.left_out == brief.after


def test_a_device_file_and_the_printed_settings_price_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path, [kernel(LARGE, said(LARGE, 0.6))])
    found = verbs.calibrate("gemm", against=path, device=BOARD, output="mine.yaml")
    inline, held = found.inline[0], {"device": "mine.yaml", **found.settings}
    plain = {**inline, "pace": 1}
    for kernels in ("listed", "fused"):
        answers = [
            verbs.evaluate("roofline", {**one, "kernels": kernels})["metrics"]["latency"]["value"]
            for one in (inline, held, plain)
        ]
        assert answers[0] == pytest.approx(answers[1], rel=1e-3)
        assert answers[0] > answers[2]


def test_a_second_anchoring_starts_from_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rows = [kernel(LARGE, said(LARGE, 0.6))]
    first = verbs.calibrate("gemm", against=table(tmp_path, rows), device=BOARD, output="a.yaml")
    again = read_off(tmp_path, rows, "a.yaml")
    assert again.lines[0].before == pytest.approx(first.lines[0].after, rel=1e-3)
    assert pace(again, "tensor") == pytest.approx(pace(first, "tensor"), rel=0.01)


@pytest.mark.parametrize(
    ("text", "device", "words"),
    [
        (f"{HEAD}\n", BOARD, r"mine\.csv: must hold 1 to 100,000 measured products, got 0"),
        ("", BOARD, "got 0"),
        ("m,n,k,dtype\n1,2,3,fp16\n", BOARD, r"mine\.csv:2: 'seconds' must be given"),
        (f"{HEAD},secs\n1,2,3,fp16,4,5\n", BOARD, "'secs' is not known here; did you mean seco"),
        (f"{HEAD}\n1,2,3,fp16,4,5\n", BOARD, r"2: has more cells than column names; drop \['5'\]"),
        (f"{HEAD}\n0,2,3,fp16,4\n", BOARD, "'m' should be greater than or equal to 1"),
        (f"{HEAD}\n8,2,3,fp16,nan\n", BOARD, "'seconds' should be a finite number"),
        (f"{HEAD}\n8,2,3,fp16,-1\n", BOARD, "'seconds' should be greater than 0"),
        (f"{HEAD}\n8,2,3,int8,1\n", BOARD, "2: dtype must be one of fp32, tf32, fp16, bf16, got"),
        (f"{HEAD}\n8,8,8,fp16,1e-6\n", BOARD, "no product of tensor formats is large enough"),
        (f"{HEAD}\n8,8,8,fp16,1\n", "h200", "--device h200: unknown device 'h200'"),
        (f"{HEAD}\n8,8,8,fp16,1\n", "mi210", "--device mi210: .*must hold; set"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, text: str, device: str, words: str
):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        anchored(Measurements(path, device), date="")


def test_names_of_formats_as_libraries_write_them_are_read(tmp_path: Path):
    path = tmp_path / "mine.csv"
    path.write_text("dtype, batch ,m,n,k,seconds\nFloat16,2, 8,8,8,1e-3\nbfloat16,,8,8,8,1e-3\n")
    assert [(k.dtype, k.batch) for k in anchor.read(path)] == [("fp16", 2), ("bf16", 1)]


def test_no_file_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.csv: No such file or directory; give"):
        anchor.read(tmp_path / "none.csv")


def bound(one: Measured) -> Measured:
    """Single products that arithmetic binds, what starting them costs taken off."""
    rows = one.rows(one.regimes()["compute"] & ~one.batched)
    start = LAUNCH[FLOORS[one.name.split()[0]]]
    return Measured(**{**vars(rows), "time": rows.time - start})


def nearest(one: Measured) -> int:
    """The row nearest to 4096 cubed."""
    m, n, k, _ = one.shape
    away: Array = sum(np.log(x / 4096) ** 2 for x in (m, n, k))
    return int(np.argmin(away))


def around(folder: Path, one: Measured) -> tuple[float, float]:
    """Mean error of the other rows, before and after one of them anchors."""
    rows = bound(one)
    chosen = nearest(rows)
    m, n, k, _ = (float(x[chosen]) for x in rows.shape)
    dtype = "fp32" if rows.precision.fp32 else "fp16"
    found = read_off(
        folder, [kernel((m, n, k), float(rows.time[chosen]), dtype)], rows.device.slug
    )
    rest = rows.rows(np.arange(len(rows.time)) != chosen)
    law = "vector" if rows.precision.fp32 else "tensor"
    asked = {"device": rows.device.slug, "form": "calibrated", "precision": dtype}
    config: Any = registry.configure(registry.model("roofline"), asked)
    shape = zip(*rest.shape[:3], rest.time, strict=True)
    held = Products(config, [kernel((a, b, c), t, dtype) for a, b, c, t in shape])
    flat = np.ones(len(rest.time))
    before, after = (
        float(np.mean(np.abs(held.predicted(flat * p) / rest.time - 1)))
        for p in (1.0, pace(found, law))
    )
    return before, after


def test_one_product_of_a_board_that_no_fit_saw_cuts_the_error_of_the_others(
    tmp_path: Path, data: Path
):
    """Its library reaches 10 to 20 % more of the peak than those the law was fitted on."""
    before, after = around(tmp_path, compass_products(data))
    assert before > 0.10
    assert after < before / 2


def test_one_product_never_spoils_a_board_that_the_law_knows(tmp_path: Path, data: Path):
    """What one product says is mostly the law's own scatter there; its mean error stays."""
    found = {name: around(tmp_path, one) for name, one in measured_products(data).items()}
    for name, (before, after) in found.items():
        assert after <= before + 0.005, (name, before, after)
    gain = {name: before - after for name, (before, after) in found.items()}
    assert gain["aic a100"] > 0.01
    assert np.mean(list(gain.values())) > 0
