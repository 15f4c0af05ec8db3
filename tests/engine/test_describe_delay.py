"""The command `describe delay`: one answer whatever the form of the data, one sentence for what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.cli import main
from engine.delay.simulate import SimulationConfig, simulate
from engine.runs import read_run

NEEDED = ["unit", "segment", "exposure_time", "engagement_time", "conversion_time", "window_days"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 1,500 simulated exposures over 120 days."""
    return simulate(1500, SimulationConfig(seed=1))[NEEDED]


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    """Run the command and return its JSON."""
    assert main(["describe", "delay", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command and return its one sentence of complaint."""
    assert main(["describe", "delay", *words]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("Error: ") and output.err.count("\n") == 1
    return output.err


def stored(frame: pd.DataFrame, folder: Path, form: str) -> Path:
    """Write the table in one of the forms the command reads."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    path = folder / f"log.{form}"
    if form == "folder":
        for place, rows in enumerate((table.slice(0, 700), table.slice(700))):
            (path / f"part={place}").mkdir(parents=True)
            pq.write_table(rows, path / f"part={place}" / "rows.parquet")
    elif form == "duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.register("given", table)
            connection.execute("CREATE TABLE log AS SELECT * FROM given")
    elif form == "parquet":
        pq.write_table(table, path)
    else:
        frame.to_csv(path, index=False, sep="\t" if form.startswith("tsv") else ",")
    return path


@pytest.mark.parametrize("form", ["csv", "csv.gz", "tsv", "folder", "duckdb"])
def test_every_form_of_the_data_gives_the_answer_of_one_parquet_file(capsys, tmp_path, frame, form):
    found = [
        said(capsys, "--data", str(stored(frame, tmp_path, kind)), "--as-of", "last") for kind in ("parquet", form)
    ]
    for answer in found:
        answer.pop("source")
    assert found[0] == found[1]


def test_numbers_at_risk_say_after_which_day_and_end_with_somebody_followed(capsys, tmp_path, frame):
    path = str(stored(frame, tmp_path, "csv"))
    words = ("--data", path, "--as-of", f"{frame['exposure_time'].max()}")
    group = said(capsys, *words)["groups"][0]
    days, counts = zip(*group["numbers_at_risk"], strict=True)
    delay = np.minimum(frame["conversion_time"] - frame["exposure_time"], np.inf).fillna(np.inf)
    followed = np.minimum(frame["window_days"], delay)
    assert len(days) <= 6 and days[0] == 0 and len(set(np.diff(days))) == 1
    whole = np.floor(frame["exposure_time"].max()) - frame["exposure_time"] >= frame["window_days"]
    assert counts[-1] >= int((followed[whole] > days[-1] + 1).sum()) > 0
    assert main(["describe", "delay", *words]) == 0
    printed = capsys.readouterr().out
    assert f"at risk (still negative and observed): {counts[0]:,} after day 0, {counts[1]:,} after day" in printed


def test_dates_give_the_answer_of_days(capsys, tmp_path, frame):
    whole = frame.assign(**{name: np.floor(frame[name]) for name in NEEDED[2:5]})
    dated = whole.assign(
        **{name: pd.Timestamp("2020-01-06") + pd.to_timedelta(whole[name], unit="D") for name in NEEDED[2:5]}
    )
    (tmp_path / "text").mkdir()
    answers = [
        said(capsys, "--data", str(stored(rows, folder, form)), "--as-of", day)
        for rows, folder, form, day in (
            (whole, tmp_path, "parquet", "90"),
            (dated, tmp_path, "csv", "2020-04-05"),
            (dated, tmp_path / "text", "parquet", "2020-04-05T00:00:00"),
        )
    ]
    assert [answer["has_dates"] for answer in answers] == [False, True, True]
    assert answers[0]["groups"] == answers[1]["groups"] == answers[2]["groups"]


def test_an_offset_counts_as_it_does_in_a_training(capsys, tmp_path, frame):
    """A day of summer time lies between exposures and conversions: without offsets an hour is lost or won."""
    times = NEEDED[2:5]
    local = frame.assign(
        **{n: pd.Timestamp("2020-01-06", tz="Europe/Berlin") + pd.to_timedelta(frame[n], unit="D") for n in times}
    )
    text = local.assign(**{n: local[n].map(pd.Timestamp.isoformat, na_action="ignore") for n in times})
    (tmp_path / "text").mkdir()
    paths = [stored(frame, tmp_path, "csv"), stored(text, tmp_path / "text", "csv"), stored(local, tmp_path, "parquet")]
    days = ("90", "2020-04-05T00:00+01:00", "2020-04-04T23:00:00Z")
    plain, *dated = (said(capsys, "--data", str(path), "--as-of", day) for path, day in zip(paths, days, strict=True))
    for found in dated:
        assert found["has_dates"] and found["as_of"] - found["first_day"] == pytest.approx(90 - plain["first_day"])
        assert [group["flip"] for group in found["groups"]] == [group["flip"] for group in plain["groups"]]
        assert [group["n"] for group in found["groups"]] == [group["n"] for group in plain["groups"]]


def test_everybody_converting_at_once_gives_no_warning(capsys, tmp_path, frame, recwarn):
    found = said(capsys, "--data", str(stored(frame.assign(conversion_time=frame["exposure_time"]), tmp_path, "csv")))
    assert found["groups"][0]["converted_naive"] == 1.0
    assert not [str(warning.message) for warning in recwarn if issubclass(warning.category, RuntimeWarning)]


def test_roles_name_columns_and_a_window_is_filled_in(capsys, tmp_path, frame):
    own = frame.rename(columns={"exposure_time": "sent", "conversion_time": "bought"}).drop(columns="window_days")
    path = stored(own, tmp_path, "parquet")
    found = said(
        capsys, "--data", str(path), "--column", "exposure_time=sent", "conversion_time=bought", "--attribution-days",
        "30", "--waiting-days", "5", "--step-days", "0.5",
    )  # fmt: skip
    assert (found["window_days"], found["waiting_days"], found["exposures"]) == (30.0, 5.0, 1500)


def test_without_units_segments_and_engagement_the_rest_is_described(capsys, tmp_path, frame):
    path = stored(frame[["exposure_time", "conversion_time"]], tmp_path, "parquet")
    (group,) = said(capsys, "--data", str(path))["groups"]
    assert group["flip"] > 0 and "flip_unit_low" not in group
    assert main(["describe", "delay", "--data", str(path)]) == 0
    assert "with whole units as draws [no interval]" in capsys.readouterr().out


def test_the_summary_reads_as_the_tables_say(capsys, tmp_path, frame):
    path, out = stored(frame, tmp_path, "parquet"), tmp_path / "tables"
    assert main(["describe", "delay", "--data", str(path), "--tables", str(out), "--format", "csv"]) == 0
    text = capsys.readouterr().out
    arrival = pd.read_csv(out / "arrival.csv")
    row = arrival[(arrival["view"] == "snapshot") & (arrival["key"] == "all")].set_index("elapsed_days")
    assert f"will still flip after 7 days: {row.loc[7.0, 'flip']:.4f} [{row.loc[7.0, 'flip_low']:.4f}" in text
    assert f"plain {row.loc[30.0, 'converted_naive']:.4f}, Kaplan–Meier {row.loc[30.0, 'converted']:.4f}" in text
    assert "weibull cure: ever converts" in text and "Segment C" in text
    assert {"arrival", "cure", "cohorts", "windows", "asof", "tradeoff"} < {file.stem for file in out.iterdir()}


def test_the_run_opens_and_its_page_needs_no_training(capsys, tmp_path, frame):
    words = ["--data", str(stored(frame, tmp_path, "parquet")), "--set", "asof_days=3", "--waiting-days", "5"]
    assert main(["describe", "delay", *words, "--out", str(tmp_path / "own")]) == 0
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith("own is a run: the dashboard opens it.")
    run = read_run(tmp_path / "own")
    assert (run.kind, run.manifest["methods"], run.manifest["dataset"]["name"]) == ("delay", [], "log.parquet")
    assert run.manifest["command"][3:5] == ["describe", "delay"]
    assert (run.manifest["config"]["waiting_days"], run.curve("asof")["as_of"].nunique()) == (5.0, 3)
    assert f"as of day {run.curve('snapshot')['as_of'].iloc[0]:g}\n" in printed
    assert main(["show", str(tmp_path / "own")]) == 0
    assert "C3 supported: Share of negatives that flipped later" in capsys.readouterr().out
    assert main(["show", str(tmp_path / "own"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == []


def test_the_end_of_the_log_is_a_day_too(capsys, tmp_path, frame):
    path = str(stored(frame, tmp_path, "parquet"))
    found = said(capsys, "--data", path, "--as-of", "last")
    assert found["as_of"] == found["last_day"] and found["groups"][0]["n"] == found["exposures"]
    assert main(["describe", "delay", "--data", path, "--as-of", "LAST"]) == 0
    assert ", the end of the log\n" in capsys.readouterr().out


def test_exposures_without_a_final_label_are_said_to_be_left_out(capsys, tmp_path, frame):
    cut = frame.assign(**{name: frame[name].where(frame[name] <= 125.0) for name in NEEDED[3:5]})
    path = str(stored(cut, tmp_path, "parquet"))
    open_still = int((cut["exposure_time"] + cut["window_days"] > cut[NEEDED[2:5]].max().max()).sum())
    assert said(capsys, "--data", path, "--as-of", "60")["dropped"] == open_still > 0
    assert main(["describe", "delay", "--data", path, "--as-of", "60"]) == 0
    assert f"{open_still:,} left out, whose window is open at the end" in capsys.readouterr().out


BAD = {
    "no conversion": (lambda f: f.drop(columns="conversion_time"), "Column 'conversion_time' is missing"),
    "early event": (
        lambda f: f.assign(conversion_time=f["conversion_time"].where(f.index != 5, -3.0)),
        " days before 'exposure_time' in data row 6; an event cannot precede its exposure. Correct or drop the row.",
    ),
    "unreadable": (
        lambda f: f.assign(exposure_time=f["exposure_time"].astype(str).where(f.index != 7, "last week")),
        "has 'last week' in data row 8; allowed is",
    ),
    "seconds": (
        lambda f: f.assign(exposure_time=f["exposure_time"] + 1.6e9),
        " in data row 1 (1,500 rows in all); allowed is an ISO 8601 date (2020-01-31) or a number of days up to "
        "1,000,000, not 20200131 and not seconds. It looks like seconds since 1970: divide the column by 86,400, or",
    ),
    "no exposure": (
        lambda f: f.assign(exposure_time=f["exposure_time"].where(f.index > 2)),
        "Column 'exposure_time' of log.parquet has no value in data row 1 (3 rows in all); allowed is a value in every",
    ),
    "no unit": (lambda f: f.assign(unit=f["unit"].where(f.index > 2)), "Column 'unit' of log.parquet has no value"),
    "window": (lambda f: f.assign(window_days=0.0), "has '0.0' in data row 1 (1,500 rows in all); allowed is a number"),
    "segments": (lambda f: f.assign(segment=f["exposure_time"].astype(str)), "at most 200 are described"),
    "taken name": (lambda f: f.assign(segment=f["segment"].replace("A", "all")), "what the tables call all exposures"),
    "mixed": (
        lambda f: f.assign(conversion_time=pd.Timestamp("2020-01-01")),
        "are dates in 'conversion_time' but numbers in 'exposure_time' and 'engagement_time'; give them one form",
    ),
    "type": (lambda f: f.assign(exposure_time=True), "of type boolean"),
    "empty": (lambda f: f.iloc[:0], "has no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_the_data_is_said_in_one_sentence(capsys, tmp_path, frame, case):
    spoil, sentence = BAD[case]
    assert sentence in refused(capsys, "--data", str(stored(spoil(frame), tmp_path, "parquet")))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--as-of", "soon"], "'--as-of' is 'soon'; allowed is a number of days"),
        (["--as-of", "inf"], "'--as-of' is 'inf'; allowed is a number of days"),
        (["--as-of", "-5"], "No exposure of log.parquet comes before day -5"),
        (["--waiting-days", "40"], "'waiting_days' is 40"),
        (["--step-days", "0.01"], "Choose a longer step"),
        (["--column", "exposure_time=nothing"], "Column 'nothing' (for role 'exposure_time') is not in"),
        (["--column", "shown=unit"], "names no role of delay data"),
        (["--backend", "oracle"], "'--backend oracle' is unknown"),
        (["--table", "log"], "'--table log' belongs to a DuckDB file"),
        (["--out", "/dev/null/own"], "cannot be written"),
        (["--tables", "/dev/null/x"], "'--tables /dev/null/x' cannot be written"),
        (
            ["--out", "My tables"],
            "is not a name for a run; allowed are 2 to 63 lower-case letters, digits and hyphens. "
            "Loose tables are written with --tables FOLDER.",
        ),
        (["--out", "curves", "--format", "csv"], "name their folder with --tables"),
        (["--waiting-days", "5", "--set", "waiting_days=6"], "are the same; give one of them"),
        (["--as-of", "90", "--set", "as_of_day=91"], "'--as-of' and '--set as_of_day' are the same"),
        (["--set", "nothing=1"], "nothing"),
    ],
)
def test_what_is_wrong_with_the_options_is_said_in_one_sentence(capsys, tmp_path, frame, words, sentence):
    assert sentence in refused(capsys, "--data", str(stored(frame, tmp_path, "parquet")), *words)
