from dataclasses import replace

import numpy as np

from dse import store
from dse.search import search
from dse.study import build
from reports import ablation, equations, regimes
from reports.formulas import RichTable
from reports.section import Context
from tests.reports import made


def joint(tmp_path_factory) -> Context:
    document = {
        "question": "Which GPU serves GPT-2?",
        "model": "codesign",
        "set": {"workload": "gpt2-345m", "request_rate": "0.8 request/s"},
        "space": {
            "serve.gpu": ["a10", "t4"],
            "compile.tuner": ["default", "oneshot"],
            "serve.batch": [1, 4],
        },
        "objectives": ["latency", "cost"],
        "constraints": ["latency <= 5 s"],
    }
    study = build("joint", document, place="joint")
    run = store.create(study, output=tmp_path_factory.mktemp("out") / "joint" / "run")
    search(study, run)
    return made.context(run)


def test_a_joint_page_shows_the_equations_of_the_parts_in_use(tmp_path_factory):
    context = joint(tmp_path_factory)
    (table,) = (b for b in equations.build(context) if isinstance(b, RichTable))
    named = {str(row[0]) for row in table.rows}
    assert "queueing time (codesign)" in named
    assert not any("stream rate" in name for name in named)  # boards play no part
    assert all(str(row[2]) not in ("unknown", "") for row in table.rows)
    here = {row[0]: row[2] for row in table.rows}
    assert str(here["queueing time (codesign)"]).endswith("s")
    # pages in use are those whose errors move an answer; boards' are not
    assert "dfx" in context.idle
    assert "dfx" not in {page.slug for page in context.pages}
    assert {page.slug for page in context.pages} >= {"codesign", "roofline"}

    said = made.words(regimes.build(context))
    assert "codesign (no check row says to which side it errs)" in said
    assert "roofline (" in said
    assert "dfx (" not in said

    (cells,) = made.tables(ablation.build(context))
    rows = made.rows(cells)
    assert rows["without tuned"][0] == "compile tuner default"
    stands, without = rows["as it stands"][1], rows["without tuned"][1]
    assert without.startswith(tuple("0123456789"))
    assert "(x1." in without
    assert stands != without


def test_a_page_without_formulas_says_so(answered: Context):
    said = made.words(list(equations.build(answered)))
    assert "No function with a formula moves an objective of this design." in said


def test_a_page_without_techniques_says_so(answered: Context):
    said = made.words(ablation.build(answered))
    assert said.startswith("The page 'toy' declares no technique to switch off.")


def test_nothing_is_switched_off_where_nothing_is_feasible(empty: Context):
    assert "nothing to switch off" in made.words(ablation.build(empty))


def test_no_equation_has_a_number_where_nothing_could_be_priced(empty: Context):
    none = replace(empty, nearest=empty.nearest.take(np.zeros(0, dtype=np.intp)))
    assert "no equation has a number" in made.words(list(equations.build(none)))


def test_each_page_in_use_errs_to_a_side_that_is_told(boards: Context):
    rows = [r for r in boards.validation if r.model == "dfx" and r.use == "check"]
    mean = 100 * np.mean([row.error for row in rows])
    said = made.words(regimes.build(boards))
    assert f"dfx ({mean:+.3g} % on its {len(rows)} check rows in the mean, too much): " in said


def test_large_bare_numbers_stand_in_powers_of_ten():
    assert equations._number(8.96e10, "1") == "8.96e+10"
    assert equations._number(8.96e10, "B") == "89.6 GB"
