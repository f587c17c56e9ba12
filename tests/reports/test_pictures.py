"""Pages look as they did: held against small pictures, kept by `python -m tests.reports.pictures`.

The tolerance covers 16 greys in place of 256 and other versions of the fonts' hinting, 0.3 %; a
table that slips by a line differs by 2 % and more.
"""

import numpy as np
import pytest

from tests.dse import toy
from tests.reports import pictures
from tests.reports.printed import needs_poppler

TOLERANCE = 0.01


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        toy.install(patch.setattr)
        return list(pictures.pages(pictures.printed()))


@needs_poppler
def test_pages_look_as_they_did(drawn: list[np.ndarray]):
    kept = pictures.kept()
    assert len(kept) == len(drawn) == len(pictures.PAGES)
    far = [pictures.difference(*pair) for pair in zip(drawn, kept, strict=True)]
    assert max(far) < TOLERANCE, f"{far}; if it is meant: python -m tests.reports.pictures"


@needs_poppler
def test_the_tolerance_sees_a_page_that_slipped_by_a_line(drawn: list[np.ndarray]):
    line = round(0.18 * pictures.DOTS)  # 13 points
    for page in drawn:
        assert pictures.difference(page, np.roll(page, line, axis=0)) > 2 * TOLERANCE


@needs_poppler
def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in pictures.KEPT.glob("*.png")) < 100_000
