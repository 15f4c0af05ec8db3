"""The words of a job are those of the command line, whatever the columns are called."""

from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.controls.data_source import run_name
from dashboard.job_spec import JobSpec, command_words, read_spec
from engine.cli import _parser
from engine.data_name import checked_name
from engine.options import parse_pairs

FOLDER, OUT = Path("jobs/delay-1"), Path("runs/delay-1")
ODD = (("exposure_time", "gesehen am = Tag"), ("segment", "--out"), ("unit", "a 'b' \"c\""))


def parsed(spec: JobSpec) -> object:
    return _parser().parse_args(command_words(spec, FOLDER, OUT)[3:])


@pytest.mark.parametrize("action", ["train", "describe"])
def test_odd_column_names_reach_the_command_as_they_are(action: str) -> None:
    spec = JobSpec(kind="delay", data="/x/own.csv", seed=0, action=action, columns=ODD, called="own.csv")
    arguments = parsed(spec)
    assert parse_pairs(arguments.column, option="--column") == dict(ODD)
    assert (arguments.data, Path(arguments.out)) == ("/x/own.csv", OUT)


def test_an_inspection_prints_json_and_writes_no_run() -> None:
    spec = JobSpec(kind="graph", data="own.csv", seed=0, action="inspect", form="events", columns=(("user", "who"),))
    words = command_words(spec, FOLDER, OUT)
    assert words[3:5] == ["inspect", "graph"] and words[-3:] == ["--form", "events", "--json"]
    assert not {"--out", "--seed", "--checkpoint"} & set(words) and "--name" not in " ".join(words)


@pytest.mark.parametrize("action", ["train", "describe", "inspect"])
def test_repeated_edges_are_merged_by_an_option_but_for_a_description(action: str) -> None:
    spec = JobSpec(kind="graph", data="own.csv", seed=0, action=action, merge_repeats=True)
    assert getattr(parsed(spec), "merge_repeats", False) == (action != "describe")


@pytest.mark.parametrize("action", ["train", "describe"])
def test_a_run_of_own_data_is_called_as_the_reader_calls_them(action: str) -> None:
    name = run_name("--out=$(x)\n'kauf' 東京.csv")
    spec = JobSpec(kind="graph", data="/x/own-data.csv", seed=0, action=action, name=name)
    assert parsed(spec).called == "--out=$(x) 'kauf' 東京.csv"
    assert parsed(replace(spec, name="")).called is None


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("a\u202evsc.\x00exe.csv", "avsc.exe.csv"),
        ("x" * 70 + "y" * 20 + " 2026-11-26.parquet", "x" * 59 + "…y 2026-11-26.parquet"),
        ("debian-programs", ""),
        ("\n", ""),
    ],
)
def test_a_name_that_the_command_would_refuse_is_made_one_that_it_takes(called: str, name: str) -> None:
    assert run_name(called) == name
    assert not name or checked_name(name, "own.csv") == name


def test_a_training_from_the_page_keeps_no_checkpoint() -> None:
    train = JobSpec(kind="uncertainty", data="own.csv", seed=0)
    assert parsed(train).checkpoint == 0
    assert "--checkpoint" not in command_words(replace(train, action="describe"), FOLDER, OUT)


def test_a_message_has_the_name_of_the_reader_once_in_place_of_ours() -> None:
    spec = JobSpec(kind="graph", data="/x/data.csv", seed=0, called="sub/data.csv")
    told = "'/x/data.csv' and data.csv and sub/data.csv have no rows."
    assert spec.reworded(told) == "'sub/data.csv' and sub/data.csv and sub/data.csv have no rows."
    assert replace(spec, called=r"a\1.csv").reworded("data.csv is empty") == r"a\1.csv is empty"
    assert replace(spec, called="").reworded(told) == told


def test_only_a_training_reports_its_progress() -> None:
    train = JobSpec(kind="uncertainty", data="own.csv", seed=4, settings=(("members", "2"),))
    words = command_words(train, FOLDER, OUT)
    assert words[words.index("--progress") + 1] == str(FOLDER / "progress.jsonl")
    assert parsed(train).seed == 4
    described = JobSpec(kind="uncertainty", data="own.csv", seed=4, action="describe", settings=(("buckets", "2"),))
    assert parsed(described).set == ["seed=4", "buckets=2"]


def test_a_stored_spec_is_read_as_it_was() -> None:
    spec = JobSpec(kind="delay", data="own.csv", seed=0, action="inspect", columns=ODD, called="own.csv")
    # JSON makes lists of tuples.
    record = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
    record |= {"columns": [list(pair) for pair in ODD], "settings": []}
    assert read_spec(record) == spec


def test_readers_see_a_name_and_never_a_path() -> None:
    own = JobSpec(kind="graph", data="/secret/own.csv", seed=0, called="own data")
    assert (own.data_name, own.is_own) == ("own data", True)
    assert JobSpec(kind="uncertainty", data="/secret/x.csv", seed=0, action="describe").data_name == "own scores"
    bundled = JobSpec(kind="graph", data="debian-programs", seed=0)
    assert (bundled.data_name, bundled.is_own) == ("debian-programs", False)
