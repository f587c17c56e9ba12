"""Calibration: what measurements say of a device, found by page and kept as a device file.

A page that can measure or be anchored has a `models/<slug>/calibrate.py`, ended by
`CALIBRATORS`: what is calibrated -> how.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from dse import documents, registry
from dse.devices import Device
from dse.errors import InputError, unknown
from dse.provenance import Number
from dse.spec import Array
from dse.terminal import Tick


@dataclass(frozen=True)
class Line:
    """A measured kernel beside what the page says of it, in seconds; unknown is NaN."""

    name: str
    regime: str
    """What binds it, or that it is too short to tell."""
    measured: float
    after: float
    """Predicted by the calibration."""
    before: float = math.nan
    """Predicted without it."""
    left_out: float = math.nan
    """Predicted by a calibration that has not seen this kernel."""
    spread: float = math.nan
    """Median of the repetitions over the least, less 1."""


PREDICTIONS = ("before", "after", "left_out")
"""What a line may say beside what was measured."""


@dataclass(frozen=True)
class Errors:
    """How far a prediction is off, over the kernels that have one."""

    regime: str
    prediction: str
    rows: int
    error: float
    """Mean of the absolute relative error."""
    bias: float
    """Mean of ln(predicted / measured), as a ratio less 1."""


@dataclass(frozen=True)
class Calibration:
    """What measurements say of a device."""

    page: str
    device: Device
    knob: str
    """The knob of the page that names a device."""
    settings: Mapping[str, object]
    """Knob of the page -> what goes with the device; that which names it left out."""
    lines: tuple[Line, ...]
    inline: tuple[Mapping[str, object], ...] = ()
    """Settings that say the same without a file; none where only a file can."""
    warnings: tuple[str, ...] = ()
    """Why the result should be trusted less."""
    file: Path | None = None
    """Where the device was written."""

    @property
    def measured(self) -> dict[str, Number]:
        """The numbers of the device that were measured."""
        numbers = {k: v for k, v in self.device.row.items() if isinstance(v, Number)}
        return {k: v for k, v in numbers.items() if v.source.kind == "measured"}

    def errors(self) -> list[Errors]:
        """Mean error and bias of each prediction: over all kernels, then by what binds them."""
        regimes = list(dict.fromkeys(line.regime for line in self.lines))
        groups = {"all": self.lines} | {
            regime: tuple(line for line in self.lines if line.regime == regime)
            for regime in (regimes if len(regimes) > 1 else ())
        }
        found = (_errors(r, s, lines) for r, lines in groups.items() for s in PREDICTIONS)
        return [one for one in found if one.rows]

    def as_json(self) -> dict[str, object]:
        """The calibration as scripts read it; what is unknown is None."""
        lines = [{k: _known(v) for k, v in asdict(line).items()} for line in self.lines]
        numbers = {
            name: {"value": n.value, "unit": n.unit, "note": n.note}
            for name, n in self.measured.items()
        }
        return {
            "model": self.page,
            "device": self.device.slug,
            "kind": self.device.kind,
            "measured": numbers,
            "settings": dict(self.settings),
            "inline": [dict(one) for one in self.inline],
            "environment": dict(self.device.environment),
            "errors": [asdict(one) for one in self.errors()],
            "kernels": lines,
            "warnings": list(self.warnings),
            "file": None if self.file is None else str(self.file),
        }


def _known(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _errors(regime: str, said: str, lines: Sequence[Line]) -> Errors:
    ratio: Array = np.array([getattr(line, said) / line.measured for line in lines])
    ratio = ratio[~np.isnan(ratio)]
    if not len(ratio):
        return Errors(regime, said, 0, math.nan, math.nan)
    bias = float(np.exp(np.mean(np.log(ratio))) - 1)
    return Errors(regime, said, len(ratio), float(np.mean(np.abs(ratio - 1))), bias)


@dataclass(frozen=True)
class Measurements:
    """A person's own measurements, and the device they were made on."""

    path: Path
    device: str
    """Slug or file."""


@dataclass(frozen=True)
class Probe:
    """Measures this machine: progress -> calibration."""

    text: str
    run: Callable[[Tick], Calibration]


@dataclass(frozen=True)
class Anchor:
    """Reads what a person measured elsewhere."""

    text: str
    run: Callable[[Measurements], Calibration]


Calibrator = Probe | Anchor


@cache
def calibrators() -> dict[str, Calibrator]:
    """What can be calibrated: its name -> how, of every page.

    Raises:
        TypeError: two pages calibrate the same thing.
    """
    found: dict[str, Calibrator] = {}
    for slug in registry.slugs():
        if not Path(registry.folder("models").__path__[0], slug, "calibrate.py").is_file():
            continue
        own = registry.module("models", f"{slug}.calibrate").CALIBRATORS
        if doubled := found.keys() & own.keys():
            raise TypeError(f"models/{slug}/calibrate.py: another page has '{min(doubled)}' too")
        found |= own
    return found


def calibrate(
    what: str,
    *,
    against: str | Path | None = None,
    device: str | Path | None = None,
    output: str | Path | None = None,
    progress: Tick | None = None,
) -> Calibration:
    """Measure this machine, or read what was measured on a device.

    Args:
        what: one of `calibrators()`: this machine's CPU or GPU, or a kind of kernel.
        against: a person's own measurements, for a kind of kernel.
        device: slug or file of the device they were made on.
        output: the device file to write, which a knob can name; by default `<what>.yaml` for this
            machine, which must not exist yet, and none for what was measured elsewhere.
        progress: called with steps done and steps in all.

    Returns:
        what was found; `pandas.DataFrame(found.lines)` has its kernels.

    Raises:
        InputError: an unknown thing, measurements missing or in excess, nothing to measure on, or
            a file in the way.
    """
    known = calibrators()
    if what not in known:
        raise unknown("thing to calibrate", what, known)
    chosen, given = known[what], (against, device)
    if isinstance(chosen, Anchor):
        if against is None or device is None:
            raise InputError(f"'{what}' reads measurements; give --against FILE and --device SLUG")
        place = None if output is None else _place(what, output)
        found = chosen.run(Measurements(Path(against), str(device)))
    else:
        if given != (None, None):
            raise InputError(f"'{what}' measures this machine; drop --against and --device")
        place = _place(what, output)
        found = chosen.run(progress or _silent)
    return found if place is None else _written(found, place)


def _silent(done: int, total: int, front: int = 0) -> None:
    """Progress that nobody asked for."""


def _place(what: str, output: str | Path | None) -> Path:
    """Where the device file goes, known before minutes are spent."""
    place = Path(output or f"{what}.yaml")
    if output is None and place.exists():
        raise InputError(f"{place} exists; choose --output")
    if place.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output {place} must end in .yaml, or no knob can name it")
    if not place.parent.is_dir():
        raise InputError(f"--output {place}: no such folder; make it, or choose another")
    return place


def _written(found: Calibration, place: Path) -> Calibration:
    head = f"# {found.device.note}\n" if found.device.note else ""
    try:
        documents.replace(place, head + documents.dump(found.device.document()))
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}; choose another --output") from None
    return replace(found, file=place)
