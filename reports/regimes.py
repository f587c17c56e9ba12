"""Where the pages in use are known to be off, and to which side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dse.exposition import exposition
from dse.spec import AnyModel
from dse.validate import Row

from .formulas import AnyBlock, RichParagraph, rich
from .section import Context, Paragraph, Section
from .wording import percent

HEAD = "Known weak regimes"
"""The head of a page's docstring that names them."""


def build(context: Context) -> Sequence[AnyBlock]:
    """A paragraph for each page, led by the side that its check rows err to."""
    lead = Paragraph(
        "Each page in its own words. A plus says that it predicts too much there, a minus too "
        "little, a question mark that the side is not known.",
        "lead",
    )
    return [lead, *(block for page in context.pages for block in _page(context, page))]


def _page(context: Context, page: AnyModel) -> list[AnyBlock]:
    rows = [row for row in context.validation if row.model == page.slug]
    told = exposition(page).parts.get(HEAD, ())
    first, *others = told or [("it names none.",)]
    opening = f"{page.slug} ({_side(rows)}): "
    return [RichParagraph(rich((opening, *first))), *(RichParagraph(rich(t)) for t in others)]


def _side(rows: Sequence[Row]) -> str:
    """The mean signed error of the rows that no constant has seen."""
    errors = [row.error for row in rows if row.use == "check" and np.isfinite(row.error)]
    if not errors:
        return "no check row says to which side it errs"
    side = "too much" if np.mean(errors) > 0 else "too little"
    number = percent(float(np.mean(errors)))
    return f"{number} on its {len(errors)} check rows in the mean, {side}"


SECTION = Section(order=60, title="Known weak regimes", build=build)
