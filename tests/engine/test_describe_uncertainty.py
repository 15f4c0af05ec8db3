"""The command `describe uncertainty`: one answer whatever the form of the data, and a run that opens."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest

from engine.cli import main
from engine.runs import read_run
from engine.uncertainty.simulate import simulate

FAST = ("--set", "resamples=10", "precision_targets=0.3")


@pytest.fixture(scope="module")
def frame():
    found = simulate(3000)[["label", "score", "uncertainty", "split"]]
    return found.assign(region=np.random.default_rng(0).choice(["north", "south"], 3000))


def said(capsys, *words):
    assert main(["describe", "uncertainty", *words, *FAST, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    assert main(["describe", "uncertainty", *words, *FAST]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("Error: ") and output.err.count("\n") == 1
    return output.err


def test_every_form_gives_the_same_counts(frame, tmp_path, capsys):
    frame.to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "parts").mkdir()
    frame.to_parquet(tmp_path / "s.parquet", index=False)
    frame.head(1000).to_parquet(tmp_path / "parts" / "a-1.parquet", index=False)
    frame.tail(2000).to_parquet(tmp_path / "parts" / "a-2.parquet", index=False)
    with duckdb.connect(str(tmp_path / "s.duckdb")) as connection:
        connection.execute(f"CREATE TABLE scores AS SELECT * FROM '{tmp_path / 's.parquet'}'")
    expected = {"rows": 3000, "positives": int(frame["label"].sum())}
    expected |= {f"{name} rows": int(n) for name, n in frame["split"].value_counts().items()}
    for form in ("s.csv", "s.parquet", "s.duckdb", "parts", "parts/a-*.parquet"):
        rows = said(capsys, "--data", str(tmp_path / form))["rows"]
        assert {name: rows[name] for name in expected} == expected


def test_the_run_opens_with_its_slices_and_the_answer_is_printed(frame, tmp_path, capsys):
    frame.rename(columns={"label": "bought"}).to_parquet(tmp_path / "s.parquet", index=False)
    words = ["--data", str(tmp_path / "s.parquet"), "--column", "label=bought", "--out", str(tmp_path / "own")]
    assert main(["describe", "uncertainty", *words, *FAST]) == 0
    printed = capsys.readouterr().out
    assert "the score misses the observed rate by" in printed
    run = read_run(tmp_path / "own")
    # It is the verdict that the page leads with.
    words = run.curve("verdicts")["sentence"].iloc[0].removeprefix("Given score: ")
    assert words[1:] in printed
    assert run.kind == "uncertainty"
    assert set(run.curve("slices")["column"]) == {"region"}
    assert run.curve("scorers")["scorer"].tolist() == ["given"]
    assert run.manifest["dataset"]["rows"]["rows"] == 3000


def test_slices_can_be_turned_off(frame, tmp_path, capsys):
    frame.to_parquet(tmp_path / "s.parquet", index=False)
    words = ["--data", str(tmp_path / "s.parquet"), "--slices", "--out", str(tmp_path / "own")]
    assert main(["describe", "uncertainty", *words, *FAST]) == 0
    assert "slices" not in read_run(tmp_path / "own").manifest["curves"]


def test_bad_input_is_one_sentence(frame, tmp_path, capsys):
    frame.assign(score=frame["score"].where(frame.index != 41, 1.7)).to_csv(tmp_path / "s.csv", index=False)
    complaint = refused(capsys, "--data", str(tmp_path / "s.csv"))
    assert "Column 'score' of s.csv has '1.7' in data row 42" in complaint
    assert "neither a file" in refused(capsys, "--data", str(tmp_path / "none.csv"))
    assert "neither a file" in refused(capsys, "--data", str(tmp_path / "none-*.parquet"))
    assert "is graph data" in refused(capsys, "--data", "debian-programs")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    assert "broken.parquet" in refused(capsys, "--data", str(tmp_path / "broken.parquet"))


def test_bundled_data_without_a_score_say_what_is_missing(capsys):
    assert "Column 'score' is missing" in refused(capsys, "--data", "journey-purchases")


def test_own_edges_and_equal_widths_are_settings_of_the_command(frame, tmp_path, capsys):
    frame.to_csv(tmp_path / "s.csv", index=False)
    for name, setting, edges in (("own", "bucket_edges=0.01,0.05", [0.01, 0.05]), ("wide", "bucket_cut=width", [])):
        words = ["--data", str(tmp_path / "s.csv"), "--out", str(tmp_path / name)]
        assert main(["describe", "uncertainty", *words, *FAST, setting]) == 0
        table = read_run(tmp_path / name).curve("edges")
        found = table.loc[table["axis"] == "uncertainty", "edge"].tolist()
        assert found == edges if edges else np.diff(found, 2) == pytest.approx(0, abs=1e-9)
    capsys.readouterr()
    both = refused(capsys, "--data", str(tmp_path / "s.csv"), "--set", "bucket_edges=0.01,0.05", "buckets=3")
    assert "give one of them" in both
    assert "allowed is a number" in refused(capsys, "--data", str(tmp_path / "s.csv"), "--set", "bucket_edges=a,b")
