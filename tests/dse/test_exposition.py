"""What a page says of itself is read from its docstrings, for every page alike."""

import pytest

from dse import registry
from dse.exposition import ABOUT, HEADS, Maths, Prose, exposition, latex, prose
from dse.formula import formula
from models.dfx import model as dfx

SLUGS = registry.slugs()


def words(text: Prose) -> str:
    """The words of a text, its formulas left out."""
    return "".join(piece for piece in text if isinstance(piece, str))


@pytest.mark.parametrize("slug", SLUGS)
def test_every_page_says_all_that_a_page_has_to_say(slug: str):
    found = exposition(registry.model(slug))
    needed = set(HEADS) - {"Definitions"}
    assert needed <= set(found.parts)
    assert found.symbols
    assert found.equations
    assert set(found.parts) <= {*HEADS, ABOUT}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_formula_of_every_page_can_be_drawn(slug: str):
    found = exposition(registry.model(slug))
    texts = [e.text for e in found.equations] + [s.symbol for s in found.symbols]
    drawn = [formula(p.latex) for text in texts for p in text if isinstance(p, Maths)]
    assert drawn
    assert all(0 < f.height < 4 and 0 < f.width < 40 for f in drawn)


@pytest.mark.parametrize("slug", SLUGS)
def test_no_example_and_no_markup_is_left_in_a_text(slug: str):
    found = exposition(registry.model(slug))
    equations = [words(e.text) for e in found.equations]
    for text in equations + [words(p) for said in found.parts.values() for p in said]:
        assert [mark for mark in (">>>", "`", "**", "$") if mark in text] == []
    assert [text for text in equations if text.endswith(":")] == []


def test_every_public_equation_of_a_page_is_there_in_its_order():
    names = [e.name for e in exposition(dfx.MODEL).equations]
    assert names[:3] == ["padding", "stream_rate", "context_tiles"]
    assert "gpu_latency" not in names  # a line in words, without LaTeX


def test_an_announced_example_goes_with_the_example():
    (tiles,) = (e for e in exposition(dfx.MODEL).equations if e.name == "context_tiles")
    assert "here" not in words(tiles.text)


def test_a_symbols_row_keeps_its_unit_and_its_place():
    rows = {s.name: s for s in exposition(dfx.MODEL).symbols}
    row = rows["stream_efficiency, layer_overhead"]
    assert (row.unit, row.where) == ("1, s", "fitted here")
    assert row.symbol == (Maths(latex("eta, t_layer")),)


def test_what_follows_the_weak_regimes_belongs_to_them():
    parts = exposition(registry.model("duet")).parts
    assert any("Against the reference" in words(text) for text in parts["Known weak regimes"])
    assert not any("Against the reference" in words(text) for text in parts[ABOUT])


def test_a_list_is_an_item_a_line():
    assert len(exposition(registry.model("copflash")).parts["Known weak regimes"]) > 3


def test_text_without_formulas_is_one_piece():
    assert prose("no formula") == ("no formula",)
