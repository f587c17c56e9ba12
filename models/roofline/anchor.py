"""Re-anchors the calibrated form on products of matrices that a person measured on a device.

The law knows a board by its datasheet. How far the board lowers its clock, and how good its
library is, one large product tells: its rate over what the law says is the device's pace. Rows
that arithmetic binds anchor; of several the median counts, and each is judged by the others. What
the law's own scatter explains is left to the law: one row in it moves the pace little.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from dse import registry
from dse.calibrate import Calibration, Line, Measurements
from dse.devices import Device as Row
from dse.errors import InputError, explain, placed
from dse.provenance import Number, Source
from dse.records import Strict
from dse.spec import Array, Mask

from .calibrated import gemm_time
from .config import GIVEN, Pass
from .coverage import FORMATS
from .model import MODEL, peak

ALIASES = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
LAWS = {"tensor": ("tf32", "fp16", "bf16"), "vector": ("fp32",)}
"""Law of products -> the formats that it prices."""
SLOWEST, QUICKEST = 0.02, 50.0
"""Paces between which one is looked for."""
NUDGE, HALF = 1.1, 0.5
"""A row anchors where raising the pace by so much shortens it by half of that at least."""
CELLS = 100_000
"""Most rows of a file."""
MORE = ""
"""The column of cells beyond the last name."""

Count = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Kernel(Strict):
    """A measured product: seconds on the device, what starting it costs left out."""

    m: Count
    n: Count
    k: Count
    dtype: str
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    batch: Count = 1.0

    @property
    def name(self) -> str:
        """Shape and format."""
        shape = f"{self.m:.0f} x {self.n:.0f} x {self.k:.0f} {self.dtype}"
        return shape if self.batch == 1 else f"{self.batch:.0f} of {shape}"


def read(path: Path) -> list[Kernel]:
    """The products of a CSV file with columns m, n, k, dtype, seconds and perhaps batch.

    Raises:
        InputError: no such file, other columns, or a cell that is no such number, with its line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.DictReader(stream, restkey=MORE)
            found = [_kernel(row, f"{path}:{lines.line_num}") for row in lines]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give an existing CSV file") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: not readable as CSV; give text separated by commas") from None
    if not found or len(found) > CELLS:
        raise InputError(f"{path}: must hold 1 to {CELLS:,} measured products, got {len(found):,}")
    return found


def _kernel(row: dict[str, str], where: str) -> Kernel:
    if MORE in row:
        raise InputError(f"{where}: has more cells than column names; drop {row[MORE]}")
    cells = {k.strip(): v.strip() for k, v in row.items() if isinstance(v, str) and v.strip()}
    number = cells.get("dtype", "").lower()
    known = {**cells, "dtype": ALIASES.get(number, number)} if number else cells
    if number and known["dtype"] not in FORMATS:
        raise InputError(f"{where}: dtype must be one of {', '.join(FORMATS)}, got {number!r}")
    try:
        return Kernel.model_validate(known)
    except ValidationError as error:
        line = explain(error, place=where, known=Kernel.model_fields)
        raise InputError(line) from None


@dataclass(frozen=True)
class Products:
    """Measured products of one format on a device, and what the law says of them."""

    config: Pass
    kernels: Sequence[Kernel]

    @cached_property
    def time(self) -> Array:
        """Seconds measured, shape (rows,)."""
        return np.array([one.seconds for one in self.kernels])

    @cached_property
    def _shape(self) -> tuple[Array, ...]:
        names = ("m", "n", "k", "batch")
        return tuple(np.array([getattr(one, n) for one in self.kernels]) for n in names)

    @cached_property
    def _peak(self) -> Array:
        return peak(self.config.device, self.config.precision)

    def predicted(self, pace: Array, rows: NDArray[np.intp] | None = None) -> Array:
        """Seconds by the law at a pace, of all rows or of some; shape of the pace."""
        m, n, k, batch = self._shape if rows is None else (x[rows] for x in self._shape)
        single, grouped = (
            gemm_time(
                m=m,
                n=n,
                k=k,
                batch=batch,
                peak=self._peak,
                device=self.config.device,
                precision=self.config.precision,
                pace=pace,
                batched=batched,
            )
            for batched in (False, True)
        )
        return np.where(batch > 1, grouped, single)

    @cached_property
    def regimes(self) -> list[str]:
        """What binds each row on the plain roof, short ones apart."""
        m, n, k, batch = self._shape
        moved = self.config.precision.width * batch * (m * k + k * n + m * n)
        memory = moved / self.config.device.memory_bandwidth
        bound = np.where(memory > 2 * batch * m * n * k / self._peak, "memory", "compute")
        return [str(r) for r in np.where(self.time < GIVEN("least_operator_time"), "brief", bound)]

    @cached_property
    def paces(self) -> Array:
        """The pace at which the law says what was measured; unknown for rows that do not anchor.

        Those are short, or bound by traffic: their time hardly hangs on the pace.
        """
        from scipy.optimize import elementwise  # noqa: PLC0415 - slow to import, seldom needed

        rows = np.flatnonzero(self._anchors)
        found = np.full(len(self.kernels), np.nan)
        if len(rows):
            root = elementwise.find_root(
                lambda x, row: np.log(
                    self.predicted(np.exp(x), row.astype(np.intp)) / self.time[row.astype(np.intp)]
                ),
                (np.log(SLOWEST), np.log(QUICKEST)),
                args=(rows.astype(np.float64),),
            )
            found[rows] = np.where(root.success, np.exp(root.x), np.nan)
        return found

    @property
    def _anchors(self) -> Mask:
        flat = np.ones(len(self.kernels))
        gain = np.log(self.predicted(flat) / self.predicted(flat * NUDGE)) / np.log(NUDGE)
        found: Mask = np.logical_and(gain > HALF, self.time >= GIVEN("least_anchor_time"))
        return found


def kept_pace(paces: Array) -> float:
    r"""The pace that n rows tell, less what their scatter explains, $p^{z^2/(1+z^2)}$ [derived].

    p is the median and $z = \ln p \sqrt n / \sigma$: Bayes' answer where boards lie about 1 as far
    as this one seems to. One row within the scatter moves little, one far outside nearly all.

    >>> [round(kept_pace(np.array([pace])), 3) for pace in (1.03, 1.136, 0.6)]
    [1.003, 1.089, 0.609]
    """
    told = np.log(np.median(paces))
    signal = told**2 * len(paces) / GIVEN("anchor_scatter") ** 2
    return float(np.exp(told * signal / (1 + signal)))


@dataclass(frozen=True)
class Anchored:
    """Products that one law prices, and the pace that they tell."""

    law: str
    products: tuple[Products, ...]

    @cached_property
    def paces(self) -> Array:
        """Of every row that anchors."""
        every: Array = np.concatenate([one.paces for one in self.products])
        return every[~np.isnan(every)]

    @property
    def pace(self) -> float:
        """The device's, over the one it had."""
        return kept_pace(self.paces)

    def lines(self) -> tuple[Line, ...]:
        """Every row before and after; one that anchors is also judged by the other anchors."""
        return tuple(line for one in self.products for line in self._lines(one))

    def _lines(self, one: Products) -> Iterable[Line]:
        flat = np.ones(len(one.kernels))
        before, after = one.predicted(flat), one.predicted(flat * self.pace)
        others = np.array([self._without(pace) for pace in one.paces])
        left = one.predicted(others)
        cells = (one.kernels, one.regimes, before, after, left)
        for kernel, regime, first, then, out in zip(*cells, strict=True):
            yield Line(
                name=kernel.name,
                regime=regime,
                measured=kernel.seconds,
                before=float(first),
                after=float(then),
                left_out=float(out),
            )

    def _without(self, pace: float) -> float:
        """The pace that all anchors but one tell; unknown where there is no other."""
        if np.isnan(pace):
            return self.pace
        rest = np.delete(self.paces, int(np.flatnonzero(self.paces == pace)[0]))
        return kept_pace(rest) if len(rest) else np.nan

    def warnings(self) -> tuple[str, ...]:
        """Why the pace says little."""
        told, count = float(np.median(self.paces)), len(self.paces)
        scatter = float(GIVEN("anchor_scatter")) / count**0.5
        if abs(np.log(told)) > scatter:
            return ()
        return (
            f"{count} {self.law} products say a pace of {told:.3g}, which the law's own scatter "
            f"of {scatter:.0%} explains; most of it is left to the law",
        )

    def number(self, before: float, source: Source) -> Number:
        """The device's pace; `before` is the one it had."""
        low, middle, high = np.quantile(self.paces, (0, 0.5, 1)) * before
        count, wide = len(self.paces), f", from {low:.3g} to {high:.3g}"
        said = f"{count} large products say {middle:.3g}{wide if count > 1 else ''}"
        note = f"{said}; the law's own scatter taken off"
        return Number(float(f"{self.pace * before:.4g}"), "1", source, note)

    @classmethod
    def of(cls, law: str, kernels: Sequence[Kernel], device: str) -> Self:
        """The rows of the formats of a law; a rule of the page that fails refuses them."""
        formats = [number for number in LAWS[law] if any(k.dtype == number for k in kernels)]
        return cls(
            law,
            tuple(
                Products(_config(device, n), [k for k in kernels if k.dtype == n]) for n in formats
            ),
        )


def _config(device: str, number: str) -> Pass:
    asked = {"device": device, "form": "calibrated", "precision": number}
    return cast("Pass", registry.configure(MODEL, asked))


def anchored(asked: Measurements, *, date: str) -> Calibration:
    """A device with the pace that measured products tell.

    Raises:
        InputError: a file, device or format that does not fit, or no row that arithmetic binds.
    """
    kernels = read(asked.path)
    with placed(f"--device {asked.device}"):
        base = registry.device(asked.device, ("gpus",))
        laws = [Anchored.of(law, kernels, asked.device) for law in LAWS]
    found = [one for one in laws if one.products]
    for one in found:
        if not len(one.paces):
            raise InputError(
                f"{asked.path}: no product of {one.law} formats is large enough to anchor; "
                "measure one of about 4096 cubed"
            )
    source = Source(where=f"{asked.path.name}, read by 'dse calibrate' on {date}", kind="measured")
    pace = {
        f"pace_{one.law}": one.number(
            float(getattr(one.products[0].config.device, f"pace_{one.law}")), source
        )
        for one in found
    }
    return Calibration(
        page=MODEL.slug,
        device=Row(base.kind, base.slug, {**base.row, **pace}, note=base.note),
        knob="device",
        settings={"form": "calibrated", "precision": kernels[0].dtype},
        inline=tuple(
            {
                "device": asked.device,
                "form": "calibrated",
                "precision": one.products[0].kernels[0].dtype,
                "pace": f"{one.pace:.4g}",
            }
            for one in found
        ),
        lines=tuple(line for one in found for line in one.lines()),
        warnings=tuple(text for one in found for text in one.warnings()),
    )
