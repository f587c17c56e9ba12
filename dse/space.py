"""Config fields with bounds become a joint space: axes, conditions, and columns of designs.

A design is a row of columns: SI numbers for numeric knobs, row codes for categories. A knob whose
condition does not hold is inactive and takes its default, so that it never multiplies designs.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from math import prod

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.errors import InputError, placed, shorten, unknown
from dse.spec import Array, Config, Mask, Record

Columns = Mapping[str, Array]
"""Dotted knob path -> one value or code per design, shape (n,)."""

_CLAUSE = re.compile(r"([\w.]+) ?(<=|>=|==|!=|<|>|\bin\b) ?([^<>=].*)")
_COMPARE = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
}


@dataclass(frozen=True)
class Clause:
    """One comparison, `name op operand`, as it was written."""

    name: str
    op: str
    operand: str

    def __str__(self) -> str:
        return f"{self.name} {self.op} {self.operand}"


def parse_clauses(text: str) -> tuple[Clause, ...]:
    """Read `a <= 3 ms and b in [x, y]` in the house's small grammar; nothing is executed.

    Raises:
        InputError: a part is not `name op value`.
    """
    clauses = []
    for part in " ".join(text.split()).split(" and "):
        match = _CLAUSE.fullmatch(part)
        if match is None:
            raise InputError(
                f"'{shorten(part)}' is not a comparison; write `name op value` with one of "
                f"{' '.join(_COMPARE)} in, for example 'latency <= 500 ms'"
            )
        clauses.append(Clause(*match.groups()))
    return tuple(clauses)


@dataclass(frozen=True)
class Axis:
    """One knob of a space.

    `values` are its levels (codes for a category); without them the axis is continuous between
    `low` and `high`. `default` is what an inactive knob takes.
    """

    path: str
    unit: str
    default: float
    values: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    rows: tuple[Record, ...] = ()
    when: tuple[Clause, ...] = ()
    levels: int = 9

    @property
    def labels(self) -> tuple[str, ...]:
        """Slugs of a category's rows, by code; empty for numbers."""
        return tuple(row.slug for row in self.rows)

    @cached_property
    def grid(self) -> Array:
        """The levels an exhaustive search visits, shape (levels,)."""
        if self.values:
            return np.array(self.values)
        step = np.geomspace if self.log else np.linspace
        return np.asarray(step(self.low, self.high, self.levels))

    def at(self, share: Array) -> Array:
        """Values at uniform shares in [0, 1), any shape."""
        if self.values and not self.log:
            return self.grid[(share * len(self.values)).astype(np.intp)]
        if not self.log:
            return self.low + share * (self.high - self.low)
        spread = np.asarray(self.low * np.exp(share * np.log(self.high / self.low)))
        if not self.values:
            return spread
        between = np.sqrt(self.grid[1:] * self.grid[:-1])
        return self.grid[np.searchsorted(between, spread)]

    def operands(self, clause: Clause) -> list[float]:
        """The values on this axis that a condition compares with."""
        if clause.op != "in":
            return [self.value(clause.operand)]
        return [self.value(part.strip()) for part in clause.operand.strip("[]").split(",")]

    def holds(self, clause: Clause, column: Array) -> Mask:
        """Where a condition on this axis holds, shape of `column`."""
        operands = self.operands(clause)
        if clause.op == "in":
            return np.isin(column, operands)
        return np.asarray(_COMPARE[clause.op](column, operands[0]))

    def value(self, text: str) -> float:
        """What a written operand means on this axis: a row's code or an SI number.

        Raises:
            InputError: an unknown slug or a wrong unit.
        """
        if self.rows:
            if text not in self.labels:
                raise unknown(f"choice of {self.path}", text, self.labels)
            return float(self.labels.index(text))
        return _number(text, self.unit)

    def show(self, value: float) -> str:
        """A value as people read it: a slug, or a number with its unit."""
        return self.labels[int(value)] if self.rows else units.show(value, self.unit)


def _number(text: str, unit: str) -> float:
    try:
        number: str | float = float(text)
    except ValueError:
        number = text
    return units.parse(number, unit)


@dataclass(frozen=True)
class Branch:
    """Designs with equal controlling knobs: their values, and the axes that vary freely."""

    fixed: Mapping[str, float]
    free: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """Designs on the branch's grid."""
        return prod(len(axis.grid) for axis in self.free)


@dataclass(frozen=True)
class Space:
    """A joint space over one page's config; what has no axis stays as in `base`."""

    base: Config
    axes: tuple[Axis, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Rows of a catalog that no design uses, and why."""

    @cached_property
    def by_path(self) -> dict[str, Axis]:
        """The axes by knob path."""
        return {axis.path: axis for axis in self.axes}

    def config(self, columns: Columns) -> Config:
        """The batch config of designs, categories lowered to columns of numbers."""
        leaves: dict[str, object] = {}
        for path, column in columns.items():
            rows = self.by_path[path].rows
            code = column.astype(np.intp) if rows else None
            leaves[path] = column if code is None else type(rows[0]).take(rows, code)
        return type(self.base).batched(leaves, self.base)

    def _active(self, axis: Axis, columns: Columns) -> Mask:
        held = [self.by_path[c.name].holds(c, columns[c.name]) for c in axis.when]
        return np.asarray(np.logical_and.reduce(held)) if held else np.bool_(True)  # type: ignore[return-value]

    @cached_property
    def _ordered(self) -> tuple[Axis, ...]:
        """Axes so that each stands after the knobs its condition reads."""
        done: dict[str, Axis] = {}
        waiting = list(self.axes)
        while waiting:
            ready = [a for a in waiting if all(clause.name in done for clause in a.when)]
            if not ready:
                names = ", ".join(axis.path for axis in waiting)
                raise InputError(
                    f"space: the conditions of {names} wait for each other; drop one `when`"
                )
            done |= {axis.path: axis for axis in ready}
            waiting = [axis for axis in waiting if axis.path not in done]
        return tuple(done.values())

    def refuse_circles(self) -> None:
        """Check that no condition waits for itself.

        Raises:
            InputError: conditions that read each other in a circle.
        """
        _ = self._ordered

    def canonical(self, columns: Columns) -> dict[str, Array]:
        """The same designs with inactive knobs at their defaults, in the order of the axes."""
        found: dict[str, Array] = {}
        for axis in self._ordered:
            active = self._active(axis, found)
            found[axis.path] = np.where(active, columns[axis.path], axis.default)
        return {axis.path: found[axis.path] for axis in self.axes}

    def active(self, columns: Columns) -> dict[str, Mask]:
        """Which designs each knob matters to, by path, shape (n,)."""
        rows = len(next(iter(columns.values()), ()))
        return {a.path: np.broadcast_to(self._active(a, columns), rows) for a in self.axes}

    def sample(self, shares: Array) -> dict[str, Array]:
        """Designs at uniform shares, shape (n, axes)."""
        return self.canonical({a.path: a.at(shares[:, i]) for i, a in enumerate(self.axes)})

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The grid as products: one branch per setting of the knobs that conditions read."""
        controls = {clause.name for axis in self.axes for clause in axis.when}
        order = [axis for axis in self._ordered if axis.path in controls]
        return tuple(self._branch(order, {}, controls))

    def _branch(
        self, order: Sequence[Axis], fixed: dict[str, Array], controls: set[str]
    ) -> Iterator[Branch]:
        if order:
            head = order[0]
            levels = head.grid if self._active(head, fixed) else np.array([head.default])
            for level in levels:
                yield from self._branch(order[1:], {**fixed, head.path: level}, controls)
            return
        others = [axis for axis in self.axes if axis.path not in controls]
        free = tuple(axis for axis in others if self._active(axis, fixed))
        idle = {axis.path: axis.default for axis in others if axis not in free}
        yield Branch({**{k: float(v) for k, v in fixed.items()}, **idle}, free)

    @cached_property
    def _ends(self) -> list[int]:
        """Where each branch of the grid ends."""
        return list(accumulate(branch.size for branch in self.branches))

    @cached_property
    def size(self) -> int:
        """Distinct designs on the grid."""
        return self._ends[-1]

    @cached_property
    def continuous(self) -> bool:
        """Whether an axis has no levels of its own, so that the grid is only a sample."""
        return any(not axis.values for axis in self.axes)

    def grid(self, start: int, stop: int) -> dict[str, Array]:
        """Designs `start` to `stop` of the grid, in a fixed order without repeats."""
        parts: list[dict[str, Array]] = []
        for i in range(bisect_right(self._ends, start), len(self.branches)):
            branch, end = self.branches[i], self._ends[i]
            if end - branch.size >= stop:
                break
            low, high = max(start, end - branch.size), min(stop, end)
            parts.append(self._segment(branch, np.arange(low, high) - (end - branch.size)))
        empty = np.empty(0)
        return {a.path: np.concatenate([empty, *(p[a.path] for p in parts)]) for a in self.axes}

    def _segment(self, branch: Branch, index: NDArray[np.intp]) -> dict[str, Array]:
        found = {path: np.full(len(index), value) for path, value in branch.fixed.items()}
        rest = index
        for axis in reversed(branch.free):
            rest, digit = np.divmod(rest, len(axis.grid))
            found[axis.path] = axis.grid[digit.astype(np.intp)]
        return found


@dataclass(frozen=True)
class Constraint:
    """A bound on a metric: `sign * (metric - limit) <= 0` must hold.

    With a `confidence` it must hold with that probability, so what is judged is the end of the
    metric's interval that truth stays within so often.
    """

    text: str
    metric: str
    sign: float
    limit: float
    confidence: float | None = None

    @property
    def column(self) -> str:
        """The column of a table that is judged."""
        if self.confidence is None:
            return self.metric
        return f"{self.metric}_at_{100 * self.confidence:g}"

    def violation(self, value: Array) -> Array:
        """How far the bound is missed, relative to it; 0 where it holds, inf where unknown."""
        scale = abs(self.limit) or 1.0
        missed = np.maximum(self.sign * (value - self.limit) / scale, 0.0)
        return np.where(np.isnan(missed), np.inf, missed)


def parse_constraint(text: str, metric_units: Mapping[str, str]) -> Constraint:
    """Read 'latency <= 500 ms', or 'lifetime >= 3 years with 90 %', against a page's metrics.

    Raises:
        InputError: not a bound, an unknown metric, a wrong unit or no probability.
    """
    bound, asked, percent = " ".join(text.split()).rpartition(" with ")
    clauses = parse_clauses(bound if asked else text)
    if len(clauses) != 1 or clauses[0].op not in ("<=", ">="):
        raise InputError(
            f"constraint '{text}' must be one bound with <= or >=; list several apart"
        )
    clause = clauses[0]
    if clause.name not in metric_units:
        raise InputError(f"constraint '{text}': {unknown('metric', clause.name, metric_units)}")
    with placed(f"constraint '{text}'"):
        limit = _number(clause.operand, metric_units[clause.name])
        share = _confidence(percent) if asked else None
    return Constraint(text, clause.name, 1.0 if clause.op == "<=" else -1.0, limit, share)


def _confidence(percent: str) -> float:
    """A probability that can be asked for: below a half a bound would be looser than without."""
    try:
        share = float(percent.removesuffix("%"))
    except ValueError:
        share = np.nan
    if not (percent.endswith("%") and 50 <= share <= 99.9):
        raise InputError(
            f"50 % <= probability <= 99.9 % must hold, got '{shorten(percent)}'; write with 90 %"
        )
    return share / 100
