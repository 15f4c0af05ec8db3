"""The command `inspect`: what the data are, in words or as JSON."""

import json

import pandas as pd
import pytest

from engine.cli import main
from engine.inspection.examples import example
from engine.inspection.report import Inspection


@pytest.fixture
def scores(tmp_path):
    """A file of scores with columns of other names."""
    text = example("uncertainty", "scores").decode().replace("label,score", "Clicked?,p hat", 1)
    (tmp_path / "own scores.csv").write_text(text)
    return tmp_path / "own scores.csv"


def test_the_answer_is_printed_for_reading(scores, capsys):
    assert main(["inspect", "uncertainty", "--data", str(scores), "--column", "label=Clicked?"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("own scores.csv · uncertainty, scores · 2,000 rows")
    assert any(line.startswith("stops Column 'score' is missing in own scores.csv") for line in lines)
    assert main(["inspect", "uncertainty", "--data", str(scores), "--column", "label=Clicked?", "score=p hat"]) == 0
    assert "describe: yes · train: yes" in capsys.readouterr().out


def test_roles_are_guessed_without_any(scores, capsys):
    assert main(["inspect", "uncertainty", "--data", str(scores), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    roles = {"label": "Clicked?", "score": "p hat", "uncertainty": "uncertainty", "split": "split"}
    assert found["roles"] == roles and found["can_train"] and found["can_describe"]


def test_json_is_an_inspection(capsys):
    assert main(["inspect", "delay", "--data", "journey-coupons", "--json"]) == 0
    found = Inspection.from_json(capsys.readouterr().out)
    assert (found.rows, found.balance) == (5657, {"conversions": 746, "no conversion": 4911}) and found.can_train


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "no.csv"], "'--data no.csv' is neither a file"),
        (["--data", "journey-types", "--form", "rows"], "'--form rows' is no form of graph data"),
        (["--data", "journey-types", "--column", "source=x"], "is bundled and has its columns named already"),
    ],
)
def test_bad_options_get_one_sentence_and_code_2(words, sentence, capsys):
    assert main(["inspect", "graph", *words]) == 2
    found = capsys.readouterr()
    assert found.out == "" and sentence in found.err and found.err.count("\n") == 1


def test_only_edges_are_merged(scores, capsys):
    assert main(["inspect", "uncertainty", "--data", str(scores), "--merge-repeats"]) == 2
    assert "'--merge-repeats' belongs to graph data; leave it out for uncertainty." in capsys.readouterr().err


def test_an_unknown_role_is_refused(tmp_path, capsys):
    pd.DataFrame({"source": ["a"], "target": ["b"]}).to_csv(tmp_path / "t.csv", index=False)
    assert main(["inspect", "graph", "--data", str(tmp_path / "t.csv"), "--column", "sauce=source"]) == 2
    assert "names no role of graph data" in capsys.readouterr().err


def test_signs_that_a_terminal_obeys_are_not_printed(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("source,target,\x1b[31mred\n" + "".join(f"a{k},b{k},1\n" for k in range(200)))
    assert main(["inspect", "graph", "--data", str(tmp_path / "t.csv")]) == 0
    assert "\x1b" not in capsys.readouterr().out
