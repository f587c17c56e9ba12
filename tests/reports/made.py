"""Contexts for the sections of a report, and what their blocks say."""

from dataclasses import asdict

from dse.store import Run
from reports import gather
from reports.section import Block, Context, DataTable, Facts, Figure

DATE = "2026-11-23"


def context(run: Run) -> Context:
    return gather.gather(run, date=DATE)


def words(blocks: list[Block]) -> str:
    """Everything that blocks say, drawings left out."""
    return "\n".join(text for block in blocks for text in _texts(asdict(block)))


def _texts(value: object):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from () if key == "svg" else _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def tables(blocks: list[Block]) -> list[DataTable]:
    return [block for block in blocks if isinstance(block, DataTable)]


def figures(blocks: list[Block]) -> list[Figure]:
    return [block for block in blocks if isinstance(block, Figure)]


def facts(blocks: list[Block]) -> dict[str, str]:
    return dict(row for block in blocks if isinstance(block, Facts) for row in block.rows)


def rows(table: DataTable) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    return {row[0]: list(row[1:]) for row in table.rows}
