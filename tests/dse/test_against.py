"""A page against one's own measurements: scored, fitted anew, refused where it makes no sense."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dse import against, cli, registry, verbs
from dse.errors import InputError
from dse.scores import Feasibility
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

STOP = 1e-5
"""Where least squares stops, relative."""

DESIGNS = ((1, 1e9), (4, 1e9), (16, 1e9), (8, 5e8), (32, 2e9))
"""Items and clock of five rows."""

Run = Callable[..., tuple[int, str, str]]


def csv(path: Path, latencies: Sequence[float], *, more: str = "", cells: str = "") -> Path:
    """A file of the five designs, measured in milliseconds."""
    lines = [
        f"{items},{clock / 1e6:g},{1e3 * latency!r}{cells}"
        for (items, clock), latency in zip(DESIGNS, latencies, strict=False)
    ]
    path.write_text("\n".join([f"items,clock [MHz],latency [ms]{more}", *lines]))
    return path


def made(*, efficiency: float = toys.EFFICIENCY, overhead: float = toys.OVERHEAD) -> list[float]:
    """What a machine with these constants would take."""
    return [toys.known_latency(n, f, efficiency=efficiency, overhead=overhead) for n, f in DESIGNS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.csv"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `dse validate`: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["validate", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def test_measurements_that_the_page_makes_have_no_error(path: Path) -> None:
    found = verbs.against("toy", csv(path, made()))
    (score,) = found.scores
    assert (score.comparison, score.use, score.rows) == (against.AS_IS, "check", 5)
    assert score.worst == pytest.approx(0, abs=1e-12)  # rounding of milliseconds
    assert score.tau == pytest.approx(1.0)
    assert score.feasibility == Feasibility(5, 0, 0, 0)
    assert (found.refused, found.misjudged, found.refit) == ((), (), None)


def test_a_machine_a_tenth_slower_shows_as_too_little(path: Path) -> None:
    found = verbs.against("toy", csv(path, [1.1 * latency for latency in made()]))
    assert found.scores[0].bias == pytest.approx(1 / 1.1 - 1)
    first = found.values[0]
    assert (first.line, first.id, first.metric, first.unit) == (2, "line 2", "latency", "s")
    assert first.error == pytest.approx(1 / 1.1 - 1)
    assert first.fitted is None


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.15, 0.95), st.floats(1e-3, 0.05))
def test_a_fit_finds_the_constants_of_another_machine(
    path: Path, efficiency: float, overhead: float
) -> None:
    measured = csv(path, made(efficiency=efficiency, overhead=overhead))
    found = verbs.against("toy", measured, fit=[])
    assert found.refit is not None
    new = {each.knob: each.new for each in found.refit.constants}
    assert new["efficiency"] == pytest.approx(efficiency, rel=STOP)
    assert new["overhead"] == pytest.approx(overhead, rel=1e-3)  # as above, and less sensitive
    _, seen, unseen = found.scores
    assert (seen.comparison, seen.use) == (against.SEEN, "fit")
    assert (unseen.comparison, unseen.use) == (against.LEFT_OUT, "check")
    assert seen.worst == pytest.approx(0, abs=1e-4)
    assert unseen.worst == pytest.approx(0, abs=1e-3)
    assert [each.old for each in found.refit.constants] == [toys.EFFICIENCY, toys.OVERHEAD]


def test_only_the_named_knob_moves(path: Path) -> None:
    found = verbs.against("toy", csv(path, made(efficiency=0.25)), fit=["efficiency"])
    assert found.refit is not None
    (constant,) = found.refit.constants
    assert constant.new == pytest.approx(0.25, rel=STOP)
    assert found.refit.settings == "--set efficiency=0.25"


def test_the_fitted_constants_as_settings_answer_as_the_fit_did(path: Path) -> None:
    measured = csv(path, made(efficiency=0.31))
    found = verbs.against("toy", measured, fit=["efficiency"])
    assert found.refit is not None
    given = {each.knob: each.new for each in found.refit.constants}
    again = verbs.against("toy", measured, given)
    assert [v.predicted for v in again.values] == pytest.approx([v.fitted for v in found.values])


def test_a_row_left_out_is_judged_by_a_fit_that_never_saw_it(path: Path) -> None:
    # One of five rows is twice as slow: fitted without it, the others' constant misses it whole.
    latencies = made(overhead=0.0)
    latencies[2] *= 2
    found = verbs.against("toy", csv(path, latencies), {"overhead": 0.0}, fit=["efficiency"])
    assert found.refit is not None
    assert found.refit.folds == 5
    assert found.values[2].left_out_error == pytest.approx(-0.5, rel=STOP)
    assert abs(found.values[2].fitted_error or 0) < 0.5


def test_a_group_is_left_out_whole(path: Path) -> None:
    lines = csv(path, made()).read_text().splitlines()
    groups = ("group", "a", "a", "b", "b", "c")
    path.write_text("\n".join(f"{line},{g}" for line, g in zip(lines, groups, strict=True)))
    found = verbs.against("toy", path, fit=["efficiency"])
    assert found.refit is not None
    assert found.refit.folds == 3


def test_one_row_anchors_one_knob_and_says_that_nothing_judges_it(run: Run, path: Path) -> None:
    csv(path, made(efficiency=0.4)[:1])
    found = verbs.against("toy", path, fit=["efficiency"])
    assert found.refit is not None
    assert found.refit.constants[0].new == pytest.approx(0.4, rel=STOP)
    assert found.refit.folds == 0
    assert found.values[0].left_out_error is None
    assert len(found.scores) == 2
    code, out, _ = run("toy", "--against", path, "--fit", "efficiency")
    assert code == 0
    assert "too few rows to leave any out" in out


def test_what_a_fit_does_to_the_published_points_is_told(path: Path) -> None:
    found = verbs.against("toy", csv(path, made(efficiency=0.25)), fit=["efficiency"])
    assert found.refit is not None
    fit, check = found.refit.published
    assert (fit.use, fit.rows, check.use, check.rows) == ("fit", 3, "check", 1)
    assert fit.old == pytest.approx(0, abs=1e-12)
    assert fit.new > 0.5  # half the efficiency, nearly twice the time
    # Every published point sets the clock, so a fitted clock leaves none to judge by.
    path.write_text("items,latency [ms]\n1,9\n16,90\n")
    moved = verbs.against("toy", path, fit=["clock"])
    assert moved.refit is not None
    assert moved.refit.published == ()


def test_a_fit_that_ends_at_the_end_of_a_range_says_so(run: Run, path: Path) -> None:
    csv(path, [latency / 9 for latency in made(overhead=0.0)])
    code, out, _ = run("toy", "--against", path, "--fit", "efficiency")
    assert code == 0
    assert "stopped at an end of its range" in out


def test_rows_that_failed_are_held_against_feasibility(run: Run, path: Path) -> None:
    # 40 items fit: both say no of 99; the page says yes of 16 and no of 64, which was measured.
    path.write_text("id,items,latency,feasible\na,99,,no\nb,16,,no\nc,64,0.7,yes\nd,8,0.1,\n")
    found = verbs.against("toy", path)
    assert found.scores[0].feasibility == Feasibility(1, 1, 1, 1)
    assert found.scores[0].rows == 2
    out = run("toy", "--against", path)[1]
    assert "b was infeasible, but the page calls it feasible" in out
    assert "c was measured, but the page calls it infeasible" in out


def test_rows_that_all_failed_have_a_verdict_and_no_score(path: Path) -> None:
    path.write_text("items,latency,feasible\n99,,no\n8,,no\n")
    found = verbs.against("toy", path)
    assert found.scores == ()
    assert len(found.misjudged) == 1
    with pytest.raises(InputError, match="need as many measured values, got 0"):
        verbs.against("toy", path, fit=[])


def test_regret_is_of_the_groups_that_the_file_names(path: Path) -> None:
    # The page takes two chips at 1 GHz for faster than one at 1.9 GHz; measured, they are slower.
    path.write_text("group,chips,clock,link.lanes,latency\ng,2,1 GHz,2,0.2\ng,1,1.9 GHz,2,0.1\n")
    (score,) = verbs.against("toy", path).scores
    assert score.choices == 1
    assert score.regret == pytest.approx(1.0)


def test_several_metrics_weigh_alike_in_a_fit(path: Path) -> None:
    path.write_text("items,latency [ms],throughput [1/s]\n8,200,40\n16,400,40\n")
    found = verbs.against("toy", path, fit=["efficiency"])
    assert [v.metric for v in found.values] == ["latency", "throughput"] * 2
    assert found.refit is not None
    assert found.refit.folds == 2  # a row is left out with all it measured


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (["efficency"], "--fit: unknown knob 'efficency'; did you mean efficiency?"),
        (["chip"], "--fit chip: is a choice; a fit needs a continuous knob"),
        (["chips"], "--fit chips: is a whole number; a fit needs a continuous knob"),
        (["clock"], "--fit clock: the rows set it; drop the column or --fit clock"),
        (["cache"], "--fit cache: it changes no measured value; fit without it"),
        (
            ["efficiency", "overhead", "link.bandwidth"],
            "--fit: 3 knobs need as many measured values, got 2",
        ),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused_in_a_line(
    run: Run, path: Path, fit: list[str], message: str
) -> None:
    csv(path, made()[:2])
    words = [word for name in fit for word in ("--fit", name)]
    code, out, err = run("toy", "--against", path, *words)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert message in err


def test_constants_that_rows_cannot_tell_apart_are_refused(path: Path) -> None:
    # One design, three times: its latency fixes a sum of what the two constants bring, not each.
    path.write_text("items,latency\n1,0.1\n1,0.2\n1,0.15\n")
    with pytest.raises(InputError, match="cannot tell efficiency, overhead apart"):
        verbs.against("toy", path, fit=[])


def test_a_page_without_fitted_constants_asks_for_a_name(path: Path) -> None:
    path.write_text("latency\n1\n")
    with pytest.raises(InputError, match="'duet' has no fitted constant; name a knob with --fit"):
        verbs.against("duet", path, fit=[])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--against", "FILE"], "name the model: dse validate MODEL --against"),
        (["toy", "--fit", "efficiency"], "--fit needs --against CSV"),
        (["toy", "--refit"], "--refit needs --against CSV"),
        (["toy", "--set", "items=3"], "--set needs --against CSV"),
        (["toy", "--skip-refused"], "--skip-refused needs --against CSV"),
        (["toy", "--against", "FILE", "--cross"], "--cross does not go with --against"),
        (["toy", "--against", "FILE", "--output", "x"], "--output does not go with --against"),
        (["toy", "--against", "FILE", "--refit", "--fit", "efficiency"], "drop one"),
        (["toy", "--against", "none.csv"], "none.csv: No such file or directory"),
        (["toi", "--against", "FILE"], "unknown model 'toi'; did you mean toy?"),
        (["toy", "--against", "FILE", "--set", "items=3"], "items is a column of"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    run: Run, path: Path, words: list[str], message: str
) -> None:
    csv(path, made())
    code, out, err = run(*(str(path) if word == "FILE" else word for word in words))
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert message in err


def test_the_command_shows_before_and_after_and_how_to_use_it(run: Run, path: Path) -> None:
    csv(path, made(efficiency=0.25))
    code, out, err = run("toy", "--against", path, "--fit", "efficiency")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "row metric measured predicted error fitted error left out" in words
    assert "as the page stands, check 5" in words
    assert "fitted without them, check 5" in words
    assert "efficiency 0.5 0.25" in words
    assert "toy's 3 published fit rows: mean error 0.00 % before" in out
    assert "to use them: dse eval toy --set efficiency=0.25\n" in out


def test_left_out_rows_are_listed_with_their_reason(run: Run, path: Path) -> None:
    path.write_text("link.lanes,chips,latency\n2,1,0.1\n8,1,0.1\n")
    assert (
        "1 of 2 rows are refused, --skip-refused leaves them out"
        in run("toy", "--against", path)[2]
    )
    code, out, _ = run("toy", "--against", path, "--skip-refused")
    assert code == 0
    assert "left out, line 3: `link.lanes <= 4 chips` must hold" in out


def test_scripts_get_the_same_as_strict_json(run: Run, path: Path) -> None:
    def constant(word: str) -> Any:
        raise AssertionError(word)

    csv(path, [0.0, *made()[1:]])  # a measured zero has no relative error
    code, out, _ = run("toy", "--against", path, "--refit", "--json")
    assert code == 0
    found = json.loads(out, parse_constant=constant)
    assert found["values"][0]["error"] is None
    assert found["scores"][0]["odd"] == 1
    assert [each["knob"] for each in found["refit"]["constants"]] == ["efficiency", "overhead"]
    assert found["refit"]["settings"].startswith("--set efficiency=0.5")


def test_the_python_twin_is_a_frame_of_every_measured_value(path: Path) -> None:
    frame = verbs.against("toy", csv(path, made()), fit=[]).to_pandas()
    assert len(frame) == 5
    assert frame["fitted_error"].abs().max() < 1e-4


def test_a_fit_of_a_real_page_finds_what_made_its_measurements(path: Path) -> None:
    page = registry.model("dfx")
    lines = ["workload,fpgas,latency"]
    for workload in ("gpt2-345m", "gpt2-774m", "gpt2-1.5b"):
        for fpgas in (1, 2, 4):
            made_by = {"workload": workload, "fpgas": fpgas, "stream_efficiency": 0.3}
            answer = page.evaluate(registry.configure(page, made_by)).metrics["latency"]
            lines.append(f"{workload},{fpgas},{float(answer)!r}")
    path.write_text("\n".join(lines))
    found = verbs.against("dfx", path, fit=[])
    assert found.refit is not None
    new = {each.knob: each for each in found.refit.constants}
    assert new["stream_efficiency"].new == pytest.approx(0.3, rel=1e-4)
    assert new["layer_overhead"].new == pytest.approx(new["layer_overhead"].old, rel=1e-3)
