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
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dse import documents
from dse.errors import InputError, closest
from dse.evaluate import Table
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

    def append(self, tables: Sequence[Table]) -> None:
        """Add tables as one more part."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that store need it

        table = _to_arrow(Table.concat(list(tables)))
        folder = self.path / "designs.parquet"
        folder.mkdir(exist_ok=True)
        part = folder / f"part-{len(self.parts):05d}.parquet"
        temporary = part.with_name(f".{part.name}")
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
        temporary.replace(part)

    def tables(self) -> Iterator[Table]:
        """The designs stored so far, part by part."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that store need it

        for part in self.parts:
            yield _from_arrow(pq.read_table(part))

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
        """The study that the run answers, rebuilt from its echo."""
        path = self.path / "config.yaml"
        return build(self.path.parent.name, documents.read(path), place=str(path))

    def front(self) -> Table:
        """The front as it was last written, knobs as codes again."""
        designs = self.designs()
        rows = _read_rows(self.path / "front.csv")
        return designs.take(np.array(rows, dtype=np.intp))

    def environment(self) -> dict[str, Any]:
        """Where and when the run was computed."""
        return cast("dict[str, Any]", json.loads((self.path / "environment.json").read_text()))

    def history(self) -> list[dict[str, float]]:
        """How the front grew: designs seen, size of the front, hypervolume."""
        path = self.path / "history.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as stream:
            return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]

    def write_csv(self, name: str, table: Table, **extra: Sequence[object]) -> None:
        """Write a table as CSV: units in the header, slugs for categories, full precision."""
        names = [*extra, *table.columns]
        heads = [f"{n} [{table.units[n]}]" if table.units.get(n) else n for n in names]
        columns = [*extra.values(), *(table.words(n).tolist() for n in table.columns)]
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
        versions = {name: metadata.version(name) for name in LIBRARIES}
        content = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            "libraries": versions,
            "commit": _commit(),
            **facts,
        }
        documents.replace(self.path / "environment.json", json.dumps(content, indent=2) + "\n")


def create(study: Study, *, output: Path | None) -> Run:
    """A fresh run folder with the study's echo.

    Args:
        study: what will be searched.
        output: the folder itself; by default `out/<study>/<date and time>`.

    Raises:
        InputError: the folder already holds a run, or cannot be made.
    """
    path = output or _fresh(ROOT / study.slug)
    if (path / "config.yaml").exists():
        raise InputError(f"{path} already holds a run; choose another --output or use --resume")
    try:
        path.mkdir(parents=True, exist_ok=True)
        documents.replace(path / "config.yaml", documents.dump(study.document))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; choose another --output") from None
    return Run(path)


def _fresh(parent: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    names = [stamp, *(f"{stamp}-{n}" for n in range(2, 1000))]
    return next(parent / name for name in names if not (parent / name).exists())


def find(name: str) -> Run:
    """A run by path, by `study` (its latest) or by `study/run`.

    Raises:
        InputError: there is no such run.
    """
    for path in (Path(name), ROOT / name):
        if (path / "config.yaml").exists():
            return Run(path)
    inside = sorted((ROOT / name).glob("*/config.yaml"))
    if inside:
        return Run(inside[-1].parent)
    known = [str(p.parent.relative_to(ROOT)) for p in ROOT.glob("*/*/config.yaml")]
    raise InputError(f"no run '{name}'; {closest(name, known)}; 'dse search STUDY' makes one")


def latest() -> Run | None:
    """The run that was started last, if there is one."""
    found = sorted(ROOT.glob("*/*/config.yaml"), key=lambda path: path.parent.name)
    return Run(found[-1].parent) if found else None


def _commit() -> str:
    """The checkout's commit, or nothing in an installed package."""
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


def _to_arrow(table: Table) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - only runs that store need it

    fields, arrays = [], []
    for name, column in table.columns.items():
        if name in table.labels:
            codes = pa.array(column.astype(np.int16))
            array = pa.DictionaryArray.from_arrays(codes, pa.array(list(table.labels[name])))
        else:
            array = pa.array(np.ascontiguousarray(column))
        arrays.append(array)
        unit = {"unit": table.units.get(name, "")}
        fields.append(pa.field(name, array.type, metadata=unit))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _from_arrow(table: pa.Table) -> Table:
    columns: dict[str, np.ndarray[Any, Any]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if hasattr(column, "dictionary"):
            labels[name] = tuple(column.dictionary.to_pylist())
            columns[name] = column.indices.to_numpy().astype(np.float64)
        else:
            columns[name] = column.to_numpy(zero_copy_only=False)
    units = {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in table.schema}
    return Table(columns, {k: v for k, v in units.items() if v}, labels)


def _read_rows(path: Path) -> list[int]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [int(row["row"]) for row in csv.DictReader(stream)]


def command() -> str:
    """The command that was typed, as it can be typed again."""
    return " ".join(["dse", *sys.argv[1:]])
