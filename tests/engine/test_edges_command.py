"""The command `edges`: what it writes, what it says of it, and what it refuses."""

from __future__ import annotations

import pandas as pd
import pytest

from engine import cli
from engine.edges_command import _report
from engine.graph.events import EDGE_COLUMNS, edges_from_events


@pytest.fixture
def purchases(tmp_path):
    """Twenty customers take 007 and then v; three times as many take NA and nothing but NA after it."""
    rows = [(h, item, day) for h in range(20) for item, day in (("007", 100), ("v", 110))]
    rows += [(1000 + h, "NA", day) for h in range(60) for day in (100, 111)]
    rows += [("anchor", "z", 0), ("anchor", "z", 364)]
    path = tmp_path / "purchases.csv"
    pd.DataFrame(rows, columns=["customer", "product", "day"]).to_csv(path, index=False)
    return path


COLUMNS = ["--column", "user=customer", "item=product", "time=day"]


def run(purchases, *words):
    return cli.main(["edges", "--data", str(purchases), *COLUMNS, *words])


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_edges_and_nodes_are_written_as_the_call_makes_them(ending, purchases, tmp_path, capsys):
    out, nodes = tmp_path / f"edges.{ending}", tmp_path / f"nodes.{ending}"
    assert run(purchases, "--out", str(out), "--nodes-out", str(nodes)) == 0
    text = {"source": str, "target": str, "node": str}
    read = pd.read_parquet if ending == "parquet" else lambda path: pd.read_csv(path, dtype=text)
    table = pd.read_csv(purchases, dtype=str, keep_default_na=False)
    table = table.rename(columns={"customer": "user", "product": "item", "day": "time"})
    pd.testing.assert_frame_equal(read(out), edges_from_events(table), check_dtype=False)
    assert read(nodes)["node"].tolist() == ["007", "v"]
    said = capsys.readouterr().out
    assert f"{out}: 1 rows, columns {', '.join(EDGE_COLUMNS)}\n" in said
    assert f"{nodes}: 2 rows, columns node, user_days, users\n" in said


def test_the_report_says_what_two_halves_agree_on(purchases, tmp_path, capsys):
    assert run(purchases, "--out", str(tmp_path / "e.csv")) == 0
    said = capsys.readouterr().out
    assert "Two random halves of the users compared:" in said
    assert "who goes with whom (log lift of both directions): correlation no value, by chance 0 · n 0 pairs" in said
    shared = next(line for line in said.splitlines() if "edges whose time order shows in both halves: share " in line)
    assert shared.endswith("· n 1 edges, too few for an interval") and "[" not in shared


@pytest.mark.parametrize(("n", "has_interval"), [(19, False), (20, True)])
def test_a_share_of_fewer_than_twenty_edges_has_no_interval(n, has_interval):
    row = {"quantity": "direction_replicates", "measure": "share", "value": 1.0, "ci_low": 0.9, "ci_high": 1.0}
    said = _report(pd.DataFrame([row | {"n": n, "n_unit": "edges", "by_chance": 0.00125}]))
    assert ("share 1 [0.9, 1], by chance" in said) == has_interval == ("too few" not in said)
    assert f"· n {n} edges" in said


def test_settings_reach_the_edges(purchases, tmp_path):
    out = tmp_path / "edges.parquet"
    assert run(purchases, "--out", str(out), "--set", "minimum_users=20") == 0
    assert len(pd.read_parquet(out)) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "e.txt"], "Error: '--out e.txt' has an unknown ending; allowed are .csv, .csv.gz, .parquet."),
        (["--out", "e.csv", "--set", "window=3"], "did you mean 'window_days'?"),
        (["--out", "e.csv", "--set", "top=0"], "Error: 'top' is 0; it must be a whole number of at least 1."),
        (["--out", "e.csv", "--column", "source=day"], "'--column source=day' names no role of events"),
        (
            ["--out", "e.csv", "--set", "minimum_users=21"],
            "U followed by V: 1; users of the best supported one: 20; 'minimum_users' is 21. Lower it with --set "
            "minimum_users=NUMBER, or add events.",
        ),
        (
            ["--out", "e.csv", "--set", "minimum_score=1e6"],
            "Pairs U, V with 'minimum_users' 15 or more: 1; their highest score: ",
        ),
        (["--out", "e.csv", "--set", "window_days=9"], "has two items on different days within 9 days, so there is no"),
        (["--out", "e.csv", "--set", "window_days=200"], "spans 365 days; a window of 200 days before and after"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(words, sentence, purchases, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(purchases, *words) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"purchases.csv"}


def test_a_place_that_cannot_be_written_is_named(purchases, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(purchases, "--out", str(tmp_path / "file" / "e.csv")) == 2
    assert "cannot be written" in capsys.readouterr().err
