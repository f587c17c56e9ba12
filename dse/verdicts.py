"""What a page covers: one verdict on a design, by the door and the rules that `eval` goes through.

A design is refused at the door, by a row that the page cannot read or a number that its knob does
not take, or by a rule of the page. `covered` asks both of whole boxes of designs at once: the
choices of every knob once, and every rule once for all combinations of one structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse import registry
from dse.axes import field_of, reader
from dse.errors import InputError
from dse.spec import AnyModel, Config, Knob, Mask, Record, kind_of, knobs
from dse.study import flat, nest

Settings = Mapping[str, object]
"""Dotted or nested knob -> setting, as `eval` takes it."""

Axes = Mapping[str, Sequence[object]]
"""Dotted knob -> settings; designs are their combinations, one dimension a knob."""

Words: TypeAlias = NDArray[np.object_]
"""Sentences of any shape."""


@dataclass(frozen=True)
class Verdict:
    """What a page says of a box of designs; every array has one dimension for each varied knob."""

    covered: Mask
    reasons: Words
    """Why a design is refused, in the words of `eval`; empty where it is covered."""
    admitted: Mask
    """Where the page can read every setting, whatever its rules say of them together."""
    runs: Mask
    """Where a covered design is feasible."""
    flags: Mapping[str, Mask]
    """The page's flags and remarks -> covered designs that raise them."""
    unknown: Mapping[str, Mask]
    """Metric -> covered designs that it is not known of."""


def covered(
    page: AnyModel, settings: Settings | None = None, axes: Axes | None = None
) -> tuple[Mask, Words]:
    """Which designs the page covers, and why it refuses the others.

    Args:
        page: the model.
        settings: what all designs share; a knob that is varied is varied.
        axes: what varies; none asks of one design, in arrays of shape ().

    Returns:
        where designs are covered, and the words with which `eval` refuses the others.

    Raises:
        InputError: a name that is no knob of the page.
    """
    reasons = _Box.of(page, settings or {}, axes or {}).reasons
    return np.asarray(reasons == ""), reasons


def verdict(page: AnyModel, settings: Settings | None = None, axes: Axes | None = None) -> Verdict:
    """What `covered` says, and of covered designs whether they run, their flags and unknowns."""
    box = _Box.of(page, settings or {}, axes or {})
    found = np.asarray(box.reasons == "")
    runs = np.zeros(box.shape, dtype=np.bool_)
    flags = {name: runs.copy() for name in (*page.flags, *page.remarks)}
    unknown = {name: runs.copy() for name in page.metrics}
    for place, config in box.blocks:
        here = found[place]
        if not here.any():  # a page need not price what its rules refuse
            continue
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            result = page.evaluate(config)
        runs[place] = here & (np.asarray(result.metrics["feasible"]) > 0)
        for name, mask in flags.items():
            mask[place] = here & result.flags[name]
        for name, mask in unknown.items():
            mask[place] = here & np.isnan(np.asarray(result.metrics[name], dtype=np.float64))
    return Verdict(found, box.reasons, box.admitted, runs, flags, unknown)


def read(page: AnyModel, path: str, settings: Sequence[object]) -> tuple[Any, ...]:
    """Settings of one knob as the page takes them: records or numbers, None where it refuses."""
    return _Door.of(page, path, settings).leaves


@dataclass(frozen=True)
class _Door:
    """What became of the settings of one knob: a leaf, or None and the reason."""

    leaves: tuple[Any, ...]
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, page: AnyModel, path: str, settings: Sequence[object]) -> _Door:
        """Each setting, read as `eval` reads it."""
        config: type[Config] = page.config
        door = _reader(config, path)
        leaves: list[object] = []
        reasons: list[str] = []
        for setting in settings:
            try:
                leaves.append(door(setting))
                reasons.append("")
            except InputError as error:
                leaves.append(None)
                reasons.append(str(error))
        return cls(tuple(leaves), tuple(reasons))

    @property
    def kin(self) -> list[NDArray[np.intp]]:
        """Indices of accepted leaves, those that can be columns of one batch together."""
        found: dict[object, list[int]] = {}
        for index, leaf in enumerate(self.leaves):
            if leaf is not None:
                found.setdefault(_structure(leaf), []).append(index)
        return [np.array(indices) for indices in found.values()]

    def column(self, indices: NDArray[np.intp], shape: tuple[int, ...]) -> object:
        """Accepted leaves as a column of a batch."""
        leaves = [self.leaves[i] for i in indices]
        if isinstance(leaves[0], Record):
            return type(leaves[0]).take(leaves, np.arange(len(leaves)).reshape(shape))
        return np.array(leaves).reshape(shape)


@cache
def _known(config: type[Config]) -> Mapping[str, Knob]:
    """The knobs of a page, looked up once."""
    return knobs(config)


@cache
def _reader(config: type[Config], path: str) -> Callable[[object], Any]:
    """What reads a setting of a knob, as the config itself does."""
    owner, name = field_of(config, path)
    if _known(config)[path].catalog is None:
        return reader(config, path)
    prefix = path.removesuffix(name)
    return lambda row: getattr(registry.resolve(owner, {name: row}, prefix=prefix), name)


def _structure(leaf: object) -> object:
    """What leaves of one batch have in common: the names of the parts that a record is made of."""
    if isinstance(leaf, tuple):
        return tuple((part.slug, _structure(part)) for part in leaf)
    if not isinstance(leaf, Record):
        return None
    return tuple(_structure(getattr(leaf, name)) for name in type(leaf).model_fields)


@dataclass(frozen=True)
class _Box:
    """Combinations of settings: why each is refused, and those that pass the door as batches."""

    shape: tuple[int, ...]
    admitted: Mask
    reasons: Words
    blocks: tuple[tuple[tuple[NDArray[np.intp], ...], Config], ...]
    """Indices into the box, and the designs that stand there."""

    @classmethod
    def of(cls, page: AnyModel, settings: Settings, axes: Axes) -> _Box:
        """A box after the door and the rules."""
        doors = {path: _Door.of(page, path, values) for path, values in axes.items()}
        fixed = {
            path: _Door.of(page, path, [value])
            for path, value in _given(page, nest(settings)).items()
            if path not in axes
        }
        shape = tuple(len(values) for values in axes.values())
        base = _without(settings, [*axes, *(p for p, door in fixed.items() if door.reasons[0])])
        config = registry.starting_point(page, base)
        reasons = _at_the_door(page, fixed, doors, shape)
        admitted = np.asarray(reasons == "")
        if any(door.reasons[0] for door in fixed.values()):
            return cls(shape, admitted, reasons, ())
        blocks = tuple(_blocks(config, doors))
        for place, batch in blocks:
            reasons[place] = _by_rules(page, batch, np.shape(reasons[place]))
        return cls(shape, admitted, reasons, blocks)


def _given(page: AnyModel, document: Settings) -> dict[str, object]:
    """The settings of knobs that a nested document holds, by dotted path."""
    config: type[Config] = page.config
    found: dict[str, object] = {}
    for path in _known(config):
        held: object = document
        for name in path.split("."):
            held = held.get(name, _OPEN) if isinstance(held, Mapping) else _OPEN
        if held is not _OPEN:
            found[path] = held
    return found


_OPEN = object()
"""Stands for a knob that is left at its default, since None is a setting."""


def _without(settings: Settings, paths: Sequence[str]) -> dict[str, object]:
    """Nested settings less some knobs."""
    kept = {
        name: value
        for name, value in flat(settings).items()
        if not any(f"{name}.".startswith(f"{path}.") for path in paths)
    }
    return nest(kept)


def _at_the_door(
    page: AnyModel, fixed: Mapping[str, _Door], doors: Mapping[str, _Door], shape: tuple[int, ...]
) -> Words:
    """Why designs are refused before any rule is asked: by the first knob that is read."""
    reasons = np.full(shape, "", dtype=object)
    for path in reversed(list(_as_read(page.config))):
        if path in fixed:
            words = np.array(fixed[path].reasons[0], dtype=object)
        elif path in doors:
            words = np.array(doors[path].reasons, dtype=object)
            words = words.reshape(_along(list(doors).index(path), len(words), len(shape)))
        else:
            continue
        reasons = np.where(np.broadcast_to(words != "", shape), words, reasons)
    return reasons


def _as_read(config: type[Config], prefix: str = "") -> Iterator[str]:
    """Knobs in the order in which a config reads them: rows and groups first, then numbers."""
    numbers = []
    for name in config.model_fields:
        path, kind = f"{prefix}{name}", kind_of(config, name)
        if issubclass(kind, Config):
            yield from _as_read(kind, f"{path}.")
        elif issubclass(kind, Record):
            yield path
        else:
            numbers.append(path)
    yield from numbers


def _along(axis: int, count: int, axes: int) -> tuple[int, ...]:
    """The shape of a column that varies along one axis of a box."""
    return tuple(count if i == axis else 1 for i in range(axes))


def _blocks(
    base: Config, doors: Mapping[str, _Door]
) -> Iterator[tuple[tuple[NDArray[np.intp], ...], Config]]:
    """The designs that pass the door as batches, one for each combination of structures."""
    for indices in product(*(door.kin for door in doors.values())):
        columns = {
            path: door.column(found, _along(i, len(found), len(doors)))
            for i, ((path, door), found) in enumerate(zip(doors.items(), indices, strict=True))
        }
        yield np.ix_(*indices), type(base).batched(columns, base)


def _by_rules(page: AnyModel, config: Config, shape: tuple[int, ...]) -> Words:
    """Why designs are refused by the page's rules: by the first that does not hold."""
    reasons = np.full(shape, "", dtype=object)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for rule in reversed(page.rules):
            holds = np.broadcast_to(rule.holds(config), shape)
            reasons = np.where(holds, reasons, rule.refusal)
    return reasons
