"""A run folder in `out/`: what was asked, every design, the front, and where it was computed.

`config.yaml designs.parquet front.csv best.csv history.csv environment.json report.pdf`. Every
file is replaced at once, and designs are added as whole parts of the dataset folder
`designs.parquet`, so that a run can be read, and resumed, after a kill at any moment.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dse import documents, registry
from dse.errors import InputError, closest
from dse.evaluate import Table
from dse.prices import Overlay
from dse.space import Space
from dse.spec import Mask
from dse.study import Study, build

if TYPE_CHECKING:
    import pyarrow as pa

ROOT = Path("out")
"""Where runs go unless `--output` says otherwise."""

PART = 2**19
"""Rows of one part of the dataset: large enough to compress well, small enough to lose little."""

LIBRARIES = ("numpy", "scipy", "optuna", "moocore", "pandas", "pyarrow", "pydantic")


@dataclass(frozen=True)
class Run:
    """A folder that one search fills."""

    path: Path

    @property
    def parts(self) -> list[Path]:
        """The parts written so far, in order."""
        return sorted((self.path / "designs.parquet").glob("part-*.parquet"))

    def append(
        self,
        tables: Sequence[Table],
        *,
        start: int | None = None,
        space: Space | None = None,
    ) -> None:
        """Add tables as one more part.

        Args:
            tables: the next designs.
            start: number of the first design, by default after the last that is stored; the
                part that began there before is replaced.
            space: says which knobs play no part in a design; those are stored as null.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that store need it

        joined = Table.concat(list(tables))
        folder = self.path / "designs.parquet"
        first = sum(map(_rows, self.parts)) if start is None else start
        numbers = [
            n for n, c in joined.columns.items() if c.dtype == float and n not in joined.labels
        ]
        stream = io.BytesIO()
        pq.write_table(
            _to_arrow(joined, {} if space is None else _played(space, joined)),
            stream,
            compression="zstd",
            compression_level=1,
            use_dictionary=list(joined.labels),
            use_byte_stream_split=numbers,  # a third smaller and faster than a try of dictionaries
        )
        try:
            folder.mkdir(exist_ok=True)
            documents.replace(folder / f"part-{first:012d}.parquet", stream.getvalue())
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror}; make room, then --resume") from None

    def tables(self) -> Iterator[Table]:
        """The designs stored so far, part by part.

        Raises:
            InputError: a part is missing or broken.
        """
        import pyarrow as pa  # noqa: PLC0415 - only runs that store need it
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above

        start = 0
        for part in self.parts:
            if int(part.stem.removeprefix("part-")) != start:
                raise InputError(f"{part.parent}: designs from number {start} on are missing")
            try:
                table = from_arrow(pq.read_table(part))
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{part}: not readable ({error}); delete it to resume") from None
            yield table
            start += len(table)

    def designs(self) -> Table:
        """All designs stored so far.

        Raises:
            InputError: the run holds none.
        """
        tables = list(self.tables())
        if not tables:
            raise InputError(f"{self.path}: the run holds no designs yet; resume its search")
        return Table.concat(tables)

    def study(self) -> Study:
        """The study that the run answers, rebuilt from its echo, by the name it was asked by."""
        path, name = self.path / "config.yaml", self.path.parent.name
        if self.stamped:
            name = str(self.environment().get("study", name))
        return build(name, documents.read(path), place=str(path))

    def overlay(self) -> Overlay | None:
        """The person's own prices that the run was searched with, if any."""
        own = documents.read(self.path / "config.yaml").get("prices")
        return registry.overlay(own) if isinstance(own, Mapping) else None

    def front(self) -> Table:
        """The front as it was last written, knobs as codes again.

        Raises:
            InputError: the run holds no designs.
        """
        wanted = np.array([int(line["row"]) for line in self.lines("front.csv")], dtype=np.intp)
        found: list[Table] = []
        start = 0
        for table in self.tables():
            inside = wanted[(wanted >= start) & (wanted < start + len(table))]
            found.append(table.take(inside - start))
            start += len(table)
        if not found:
            raise InputError(f"{self.path}: the run holds no designs yet; resume its search")
        return Table.concat(found)

    def lines(self, name: str) -> list[dict[str, str]]:
        """The lines of one of the run's CSV files by column; none where it has no such file."""
        path = self.path / name
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def design(self, row: int) -> Table:
        """One design by its number.

        Raises:
            InputError: it is not stored.
        """
        start = 0
        for table in self.tables():
            if start <= row < start + len(table):
                return table.take(np.array([row - start]))
            start += len(table)
        raise InputError(f"{self.path}: design {row} is not stored; resume the search")

    @property
    def stamped(self) -> bool:
        """Whether a search has said in `environment.json` how far it came."""
        return (self.path / "environment.json").exists()

    def environment(self) -> dict[str, Any]:
        """Where and when the run was computed, and how far.

        Raises:
            InputError: the search was stopped before it could say so.
        """
        path = self.path / "environment.json"
        try:
            return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise InputError(f"{path}: not there or broken; resume the search") from None

    def history(self) -> list[dict[str, float]]:
        """How the front grew: designs seen, size of the front, hypervolume."""
        return [{k: float(v) for k, v in row.items()} for row in self.lines("history.csv")]

    def write_csv(
        self,
        name: str,
        table: Table,
        active: Mapping[str, Mask] | None = None,
        **extra: Sequence[object],
    ) -> None:
        """Write a table as CSV: units in the header, slugs for categories, full precision.

        A knob stays empty where it is not `active`, as it is null in the Parquet.
        """
        used = active or {}
        names = [*extra, *table.columns]
        heads = [f"{n} [{table.units[n]}]" if table.units.get(n) else n for n in names]
        columns = [*extra.values(), *(_blanked(table, n, used.get(n)) for n in table.columns)]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(zip(*columns, strict=True))
        documents.replace(self.path / name, stream.getvalue())

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write how the front grew."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, ["designs", "front", "hypervolume"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        documents.replace(self.path / "history.csv", stream.getvalue())

    def stamp(self, **facts: object) -> None:
        """Write `environment.json`: versions, machine, date and facts of the search."""
        date = datetime.now(UTC).isoformat(timespec="seconds")
        content = {"date": date, **surroundings(), **facts}
        documents.replace(self.path / "environment.json", json.dumps(content, indent=2) + "\n")


def surroundings() -> dict[str, Any]:
    """What computes here: versions, machine and the checkout's commit."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "commit": _commit(),
    }


def _blanked(table: Table, name: str, active: Mask | None) -> list[object]:
    words: list[object] = table.words(name).tolist()
    if active is None:
        return words
    return [word if on else "" for word, on in zip(words, active, strict=True)]


def create(study: Study, *, output: Path | None) -> Run:
    """A fresh run folder with the study's echo.

    Args:
        study: what will be searched.
        output: the folder itself; by default `out/<study>/<date and time>`.

    Raises:
        InputError: the folder already holds a run, or cannot be made.
    """
    if output and any((output / name).exists() for name in ("config.yaml", "designs.parquet")):
        raise InputError(f"{output} already holds a run; choose another --output or use --resume")
    echo = documents.dump(study.document)
    try:
        path = _fresh(ROOT / study.slug) if output is None else output
        path.mkdir(parents=True, exist_ok=True)
        documents.replace(path / "config.yaml", echo)
    except OSError as error:
        place = error.filename or output or ROOT
        raise InputError(f"{place}: {error.strerror}; choose another --output") from None
    return Run(path)


def _fresh(parent: Path) -> Path:
    """A new folder named by date and time; making it is what keeps two searches apart."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    parent.mkdir(parents=True, exist_ok=True)
    for name in (stamp, *(f"{stamp}-{n}" for n in range(2, 1000))):
        try:
            (parent / name).mkdir()
        except FileExistsError:
            continue
        return parent / name
    raise InputError(f"{parent}: a thousand runs began in one second; choose an --output")


def find(name: str) -> Run:
    """A run by path, by `study` (its latest) or by `study/run`.

    Raises:
        InputError: there is no such run.
    """
    for path in (Path(name), ROOT / name):
        if (path / "config.yaml").exists():
            return Run(path)
    outside = Path(name).is_absolute() or ".." in Path(name).parts
    inside = [] if outside else sorted((ROOT / name).glob("*/config.yaml"))
    if inside:
        return Run(inside[-1].parent)
    runs = [path.parent.relative_to(ROOT) for path in ROOT.glob("*/*/config.yaml")]
    known = {str(path) for run in runs for path in (run, run.parent)}
    raise InputError(f"no run '{name}'; {closest(name, known)}; 'dse search STUDY' makes one")


def latest() -> Run | None:
    """The run that was started last, if there is one."""
    found = sorted(ROOT.glob("*/*/config.yaml"), key=lambda path: path.parent.name)
    return Run(found[-1].parent) if found else None


@cache
def _commit() -> str:
    """The checkout's commit when first asked, or nothing in an installed package."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _rows(part: Path) -> int:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that store need it

    return int(pq.read_metadata(part).num_rows)


def _played(space: Space, table: Table) -> dict[str, Mask]:
    """Where each knob with a condition plays a part."""
    active = space.active({axis.path: table[axis.path] for axis in space.axes})
    return {axis.path: active[axis.path] for axis in space.axes if axis.when}


def _to_arrow(table: Table, played: Mapping[str, Mask]) -> pa.Table:
    """A part as Arrow has it; a knob that plays no part is null, and its field says its value."""
    import pyarrow as pa  # noqa: PLC0415 - only runs that store need it

    fields, arrays = [], []
    for name, column in table.columns.items():
        idle = ~played[name] if name in played else None
        if name in table.labels:
            codes = pa.array(column.astype(np.int16), mask=idle)
            array = pa.DictionaryArray.from_arrays(codes, pa.array(list(table.labels[name])))
        else:
            array = pa.array(np.ascontiguousarray(column), mask=idle)
        arrays.append(array)
        facts = {"unit": table.units.get(name, "")}
        if idle is not None and idle.any():
            facts["idle"] = repr(float(column[idle][0]))  # canonical designs: one value for all
        fields.append(pa.field(name, array.type, metadata=facts))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def from_arrow(table: pa.Table) -> Table:
    """Columns of a part as they were priced: codes for slugs, idle knobs at their value."""
    columns: dict[str, np.ndarray[Any, Any]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    for field in table.schema:
        column = table.column(field.name).combine_chunks()
        if hasattr(column, "dictionary"):
            labels[field.name] = tuple(column.dictionary.to_pylist())
            column = column.indices
        if column.null_count:
            idle = float((field.metadata or {}).get(b"idle", b"nan"))
            column = column.fill_null(int(idle) if field.name in labels else idle)
        values = column.to_numpy(zero_copy_only=False)
        columns[field.name] = values.astype(np.float64) if field.name in labels else values
    units = {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in table.schema}
    return Table(columns, {k: v for k, v in units.items() if v}, labels)


def command() -> str:
    """The command that was typed, as it can be typed again."""
    return " ".join(["dse", *sys.argv[1:]])
