"""The command line when something is wrong: a code, one sentence, nothing left behind."""

import numpy as np
import pandas as pd
import pytest

from engine import cli, train_command
from engine.checkpoint import Checkpoint
from engine.errors import ConfigError, DataError, NotEnoughDataError, RunError, TrainingError
from engine.partial import claimed


@pytest.mark.parametrize(
    ("error", "code", "start"),
    [
        (ConfigError("A."), 2, "Error: A.\n"),
        (DataError("B."), 2, "Error: B.\n"),
        (NotEnoughDataError("C."), 2, "Error: C.\n"),
        (RunError("D."), 2, "Error: D.\n"),
        (TrainingError("E."), 1, "Training failed: E.\n"),
        (KeyboardInterrupt(), 130, "Cancelled; nothing unfinished was kept.\n"),
    ],
)
def test_every_failure_has_its_code_and_one_sentence_and_leaves_nothing(
    train, model, tmp_path, capsys, error, code, start
):
    model.error = error
    before = sorted(tmp_path.iterdir())
    assert train() == code
    assert capsys.readouterr() == ("", start) and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("division by zero"), KeyError("x"), MemoryError(), ValueError("a\nb")]
)
def test_a_fault_of_ours_says_so_with_the_trace_before_it(train, model, tmp_path, capsys, error):
    model.error = error
    assert train() == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback") and not (tmp_path / "new-run").exists()
    sentence = f"Error: This is a fault of the program, not of the input: {type(error).__name__}: "
    assert lines[-1].startswith(sentence) and len(lines[-1]) > len(sentence)


NOWHERE = ["train", "graph", "--data", "debian-programs"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "The following arguments are required: COMMAND"),
        (["bogus"], "invalid choice: 'bogus' (choose from 'datasets', 'train', 'show', 'simulate', 'export'"),
        (["train"], "The following arguments are required: kind"),
        (["train", "tree"], "Argument kind: invalid choice: 'tree' (choose from 'graph', 'delay', 'uncertainty')"),
        (["train", "graph", "--bogus"], "Unrecognized arguments: --bogus"),
        (["train", "graph", "--thr", "2"], "Unrecognized arguments: --thr 2"),
        (["train", "graph", "--seed", "x"], "Argument --seed: invalid int value: 'x'"),
        (["train", "graph", "--seed", "-1"], "'seed' is -1"),
        (["train", "graph", "--threads", "0"], "'--threads' is 0; it must be at least 1."),
        (["train", "graph", "--checkpoint", "-1"], "'--checkpoint' is -1; it must be at least 0 seconds."),
        (["train", "graph", "--checkpoint=nan"], "'--checkpoint' is nan; it must be at least 0 seconds."),
        (["train", "graph", "--patience", "0"], "'--patience' is 0; it must be above 0 and at most 10,080 minutes."),
        (["train", "graph", "--set", "epochs"], "'--set epochs' is not of the form name=value"),
        (["train", "graph", "--set", "epoch=1"], "Setting 'epoch' is unknown; did you mean 'epochs'?"),
        (["train", "graph", "--set", "epochs=many"], "Setting 'epochs' is 'many'; allowed is a whole number."),
        (["train", "graph", "--set", "epochs=0"], "'epochs' is 0"),
        (["train", "graph", "--config", "no.toml"], "'--config no.toml' cannot be read (No such file or directory)"),
        (["train", "graph", "--data", "no.csv"], "'--data no.csv' is neither a file nor bundled graph data"),
        (["train", "graph", "--data", "journey-coupons"], "'--data journey-coupons' is delay data; for graph there is"),
        ([*NOWHERE, "--column", "source=a"], "'--data debian-programs' is bundled and has its columns named already"),
        ([*NOWHERE, "--nodes", "n.csv"], "leave out --column and --nodes"),
        (["train", "delay", "--nodes", "n.csv", "--data", "x.csv"], "'--nodes' belongs to graph data"),
        ([*NOWHERE, "--out", "Bad_Name"], "'Bad_Name' is not a name for a run"),
        ([*NOWHERE, "--out", "/dev/null/run"], "Folder '/dev/null/run' cannot be written"),
        (["show"], "The following arguments are required: RUN_DIR"),
        (["show", "nowhere"], "'nowhere' is not a run: it has no readable manifest"),
        (["simulate", "graph", "--rows", "9"], "The following arguments are required: --out"),
        (["simulate", "graph", "--rows", "0", "--out", "x.csv"], "'--rows' is 0; it must be at least 1."),
        (["simulate", "graph", "--rows", "1.5", "--out", "x.csv"], "Argument --rows: invalid int value: '1.5'"),
        (
            ["simulate", "graph", "--rows", "9", "--out", "x.txt"],
            "has the ending '.txt'; allowed are .csv and .parquet.",
        ),
        (["simulate", "delay", "--rows", "9", "--out", "x.csv", "--set", "x=1"], "Setting 'x' is unknown"),
        (["simulate", "delay", "--rows", "9", "--out", "/dev/null/x.csv"], "'--out /dev/null/x.csv' cannot be written"),
    ],
)
def test_bad_input_ends_with_code_2_and_one_sentence(words, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Error: ") and err.count("\n") == 1 and part in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--column", "source=nope"), "Column 'nope' (for role 'source') is not in edges.csv; it has 'from', 'to'."),
        (("--column", "sorce=from"), "'--column sorce=from' names no role of graph data; it has source, target"),
        (("--column", "target=to"), "Column 'source' is missing in the edge table; it has 'from', 'target'."),
    ],
)
def test_a_wrong_column_is_named(edges, model, tmp_path, capsys, words, part):
    code = cli.main(["train", "graph", "--data", str(edges), "--out", str(tmp_path / "run"), *words])
    err = capsys.readouterr().err
    assert code == 2 and err.count("\n") == 1 and part in err and model.dataset is None


def test_an_existing_run_is_refused_before_any_training(train, model, capsys):
    assert train() == 0
    model.dataset = None
    assert train() == 2
    assert "exists already and is not an empty folder" in capsys.readouterr().err and model.dataset is None


def test_a_run_that_another_process_trains_is_refused_before_any_training(train, model, tmp_path, capsys):
    with claimed(tmp_path / "new-run"):
        (claim,) = tmp_path.glob(".new-run.*/process")
        claim.write_text("process 7 on elsewhere")
        assert train() == train("--resume") == 2
        sentence = f"Error: '{tmp_path / 'new-run'}' is being trained by process 7 on elsewhere; wait for it, or choose"
        assert capsys.readouterr().err.count(sentence) == 2 and model.dataset is None
        assert train(out="other-run") == 0
    assert train() == 0


def test_a_training_whose_run_cannot_be_written_is_kept_and_says_so(train, monkeypatch, capsys):
    def fail(*_, **__):
        raise RunError("No space is left.")

    monkeypatch.setattr(train_command, "write_run", fail)
    assert train() == 2
    assert capsys.readouterr().err == "Error: No space is left.\n"
    monkeypatch.setattr(Checkpoint, "exists", True)
    assert train() == 2
    assert capsys.readouterr().err.endswith(
        "is left. The training is kept: when there is room at this very place, "
        "the same command with --resume ends it.\n"
    )


def test_what_a_process_left_that_was_killed_before_its_first_checkpoint_does_no_harm(train, tmp_path, capsys):
    (tmp_path / ".new-run.checkpoint").mkdir()
    assert train("--resume") == 0
    assert capsys.readouterr().err == "No checkpoint yet; starting from the beginning.\n"


def test_workers_agree_on_whether_they_resume_too(train, monkeypatch):
    agreed = []
    monkeypatch.setattr(train_command, "require_agreement", lambda group, identity: agreed.append(identity["resume"]))
    assert train() == train("--resume", out="other-run") == 0
    assert agreed == [False, True]


NAMES = [f"n{i}" for i in range(12)]
EDGES = pd.DataFrame([(u, v) for u in NAMES for v in NAMES if u != v], columns=["source", "target"])
EXPOSURES = pd.DataFrame({"exposure_time": np.arange(60.0), "conversion_time": np.arange(60.0) + 2, "x": 1.0})
SCORED = pd.DataFrame({"label": [0, 1] * 60, "score": np.linspace(0.1, 0.9, 120), "uncertainty": 0.1})
LABELLED = pd.DataFrame({"label": [0, 1] * 60, "x": np.arange(120.0)})


def with_row(frame, **values):
    """Return a table with other values in its third row."""
    return frame.assign(**{name: [*frame[name][:2], value, *frame[name][3:]] for name, value in values.items()})


@pytest.mark.parametrize(
    ("kind", "frame", "parts"),
    [
        ("graph", with_row(EDGES, target="n0"), ["'n0'", "row 3"]),
        ("graph", pd.concat([EDGES, EDGES[:1]]), ["'n0'", "'n1'", "row 133"]),
        ("graph", EDGES[:50], ["50 edges", "at least 100"]),
        ("graph", EDGES.assign(weight=-1), ["'weight'", "'-1'", "row 1", "at least 0"]),
        ("graph", with_row(EDGES, source=None), ["'source'", "no value", "row 3"]),
        ("graph", EDGES.assign(time="yesterday"), ["'time'", "'yesterday'", "ISO 8601"]),
        ("delay", with_row(EXPOSURES, conversion_time=1.0), ["'conversion_time'", "row 3", "exposure"]),
        ("delay", EXPOSURES.assign(engagement_time=-1.0), ["'engagement_time'", "row 1", "exposure"]),
        ("delay", with_row(EXPOSURES, exposure_time=np.inf), ["'exposure_time'", "inf", "row 3"]),
        ("delay", EXPOSURES.assign(window_days=-7), ["'window_days'", "'-7'", "in days"]),
        ("delay", EXPOSURES.drop(columns="exposure_time"), ["'exposure_time'", "missing"]),
        ("uncertainty", LABELLED.assign(label=1), ["'label'", "always 1"]),
        ("uncertainty", with_row(LABELLED, label=2), ["'label'", "'2'", "row 3"]),
        ("uncertainty", SCORED.assign(score=1.5), ["'score'", "'1.5'", "at most 1"]),
        ("uncertainty", SCORED.assign(uncertainty=np.inf), ["'uncertainty'", "'inf'", "finite"]),
        ("uncertainty", SCORED.drop(columns="uncertainty"), ["'score'", "no 'uncertainty'"]),
        ("uncertainty", SCORED.assign(weight=1.5), ["'weight'", "'1.5'", "whole number"]),
        ("uncertainty", LABELLED[["label"]], ["neither features nor"]),
    ],
)
def test_bad_rows_end_with_code_2_and_a_sentence_that_finds_them(kind, frame, parts, tmp_path, capsys):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert cli.main(["train", kind, "--data", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Error: ") and err.count("\n") == 1
    assert [part for part in parts if part not in err] == [], err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("delay", EXPOSURES.assign(conversion_time=np.nan)),
        ("delay", EXPOSURES.assign(exposure_time=5.0, conversion_time=7.0)),
        ("uncertainty", LABELLED[:30]),
        ("uncertainty", SCORED.assign(split="train")),
    ],
)
def test_rows_from_which_nothing_can_be_learnt_end_with_code_2(kind, frame, tmp_path, capsys):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert cli.main(["train", kind, "--data", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: ") and err.count("\n") == 1 and not (tmp_path / "run").exists()
