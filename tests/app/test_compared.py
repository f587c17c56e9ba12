"""Names of designs: what a link and a run call them, and refusals in one line."""

from pathlib import Path
from typing import Any

import pytest

from app import compared
from app.compared import MOST, Asked
from app.context import Context
from dse import verbs
from dse.errors import InputError

THREE = ["toy", "toy:requests=2", "toy:chip=t4,memory.bandwidth=20 GB/s"]


def settings_of(context: Context, name: str) -> dict[str, Any]:
    return compared.read(context, name)[1].echo()


class TestNames:
    def test_settings_are_read_as_the_command_line_reads_them(self, context):
        found = settings_of(context, "toy:chip=t4,memory.bandwidth=20 GB/s,requests=2")
        assert found == {
            "chip": "t4",
            "memory": {"bandwidth": 2e10, "efficiency": 0.5},
            "requests": 2.0,
        }

    def test_names_of_the_run_are_those_of_the_command_line(self, context, run):
        for name in ("balanced", "latency", "best cost", "1", "12"):
            alone = verbs.evaluate(f"{run.path}:{name}")
            page, config = compared.read(context, name)
            assert compared.answer(page, config) == alone

    def test_any_row_of_the_run_can_be_named(self, context):
        designs = context.opened().run.designs()
        found = settings_of(context, "row:17")
        assert found["requests"] == designs["requests"][17]
        assert found["memory"]["bandwidth"] == designs["memory.bandwidth"][17]

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("toy:reqests=3", "unknown knob 'reqests'; did you mean requests?"),
            ("toy:requests=32", "`requests < 32` must hold; set requests to 31 or less"),
            ("toy:requests", "toy 'requests' must read key=value"),
            ("toy:requests={", "toy requests:1: not readable as YAML"),
            ("tai:requests=3", "unknown design 'tai:requests=3'"),
            ("blanced", "did you mean balanced"),
            ("0", "there is no design 0 in the front; its rows count from 1 to 12"),
            ("13", "there is no design 13 in the front"),
            ("row:144", "there is no design 144 in the run; its rows count from 0 to 143"),
        ],
    )
    def test_a_name_nobody_knows_is_refused_in_one_line(self, context, name, words):
        with pytest.raises(InputError) as caught:
            compared.read(context, name)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_without_a_run_its_names_are_refused_with_the_reason(self, toy):
        with pytest.raises(InputError, match="no run is open that could name a design 'balanced'"):
            compared.read(Context(), "balanced")

    def test_no_name_reads_a_file_of_this_machine(self, tmp_path: Path):
        secret = tmp_path / "secret.yaml"
        secret.write_text("family: gpt2\nword: hidden\n")
        with pytest.raises(InputError, match="which the explorer does not open") as caught:
            compared.read(Context(), f"roofline:workload={secret}")
        assert "hidden" not in str(caught.value)


class TestLinks:
    def test_a_link_reproduces_the_view(self):
        asked = Asked(tuple(THREE), ablate="B", metric="latency")
        assert compared.asked(compared.link(asked, "toy/first")) == asked

    def test_a_link_names_the_run_only_where_a_design_is_named_by_it(self, toy):
        assert "run=" not in compared.link(Asked(("toy", "toy:requests=2")), "toy/first")
        assert "run=toy/first" in compared.link(Asked(("toy", "row:3")), "toy/first")

    def test_a_link_of_too_many_designs_shows_the_first_and_says_so(self):
        names = [f"toy:requests={n}" for n in range(1, 9)]
        asked = compared.asked(compared.link(Asked(tuple(names)), ""))
        assert list(asked.names) == names[:MOST]
        assert asked.problems == (f"The link names 8 designs; the first {MOST} are compared.",)

    def test_a_link_of_another_machine_is_not_read_without_end(self):
        asked = compared.asked("?design=" + "x" * 10**6)
        assert asked.names == ()
        assert "longer than" in asked.problems[0]

    def test_an_open_run_is_compared_at_once(self, context):
        first, second = compared.first(context)
        assert settings_of(context, first) != settings_of(context, second)
