"""A policy leaves a run, comes back whole, and decides the same everywhere."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from engine.runs import read_run, write_run
from engine.uncertainty.boundaries import count_selected
from engine.uncertainty.editor import open_editor
from engine.uncertainty.policy import (
    Policy,
    apply_policy,
    export_policy,
    make_policy,
    outcome_metrics,
    policy_text,
    read_policy,
)
from engine.uncertainty.policy_use import judge_policy, policy_code

INF = math.inf
POLICY = Policy(
    scorer="given",
    method="mist",
    target=0.5,
    uncertainty_edges=(0.1, 0.3),
    thresholds=(-INF, 0.4, INF),
    run="a-run",
    model_hash="none",
    data_id="0" * 16,
    split_hash="1" * 16,
    made="2026-01-01T00:00:00+00:00",
    tune={"precision": {"value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 9.0}},
    test={"precision": {"value": math.nan, "ci_low": math.nan, "ci_high": math.nan, "n": 9.0}},
)


@pytest.fixture(scope="module")
def stored(scored_run, tmp_path_factory):
    return read_run(write_run(scored_run, tmp_path_factory.mktemp("runs") / "a-run", command=["python"]))


def test_rows_on_an_edge_and_on_a_threshold_are_decided_as_on_the_grid():
    score = [0.0, 0.39, 0.4, 0.4, 1.0, -INF, INF]
    uncertainty = [0.1, 0.2, 0.3, 0.30001, 5.0, 0.0, INF]
    # Bucket 0 takes all, bucket 1 from 0.4 on, bucket 2 nothing, not even an infinite score.
    assert apply_policy(POLICY, score, uncertainty).tolist() == [True, False, True, False, False, True, False]


numbers = st.floats(allow_nan=False) | st.sampled_from((0.1, 0.3, 0.4, -INF, INF))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_the_program_text_decides_as_the_policy_does(rows):
    space: dict[str, object] = {}
    exec(policy_code(POLICY), space)
    score, uncertainty = zip(*rows, strict=True)
    assert [space["select"](s, u) for s, u in rows] == apply_policy(POLICY, score, uncertainty).tolist()


@pytest.mark.parametrize("kind", [np.float32, "Float32"])
def test_rows_of_a_float32_file_are_decided_as_before_they_were_rounded(kind):
    grid = np.round(np.arange(0, 1, 0.05), 2)
    rows = pd.DataFrame({"score": np.repeat(grid, grid.size), "uncertainty": np.tile(grid, grid.size)})
    policy = replace(POLICY, uncertainty_edges=(0.1, 0.3, 0.7), thresholds=(0.1, 0.35, 0.7, 0.8))
    expected = apply_policy(policy, rows["score"], rows["uncertainty"])
    narrow = rows.astype(kind)
    assert 0.1 < expected.mean() < 0.9
    assert apply_policy(policy, narrow["score"], narrow["uncertainty"]).tolist() == expected.tolist()
    labelled = narrow.assign(label=np.arange(len(rows)) % 2)
    assert judge_policy(policy, labelled).selected == expected.sum()
    space: dict[str, object] = {}
    exec(policy_code(policy), space)
    plain = rows.to_numpy(np.float32)
    by_row = [space["select"](s, u) for s, u in plain]
    assert by_row == expected.tolist()


def test_names_in_a_policy_never_become_program_text():
    hostile = '"""\nraise SystemExit\n"""'
    fields = json.loads(policy_text(POLICY)) | {"method": hostile, "run": hostile}
    space: dict[str, object] = {}
    exec(policy_code(read_policy(json.dumps(fields))), space)
    assert space["ORIGIN"]["method"] == hostile


@pytest.mark.parametrize("place", ["score", "uncertainty"])
def test_a_missing_value_is_refused_by_both(place):
    values = {"score": 0.5, "uncertainty": 0.2} | {place: math.nan}
    space: dict[str, object] = {}
    exec(policy_code(POLICY), space)
    with pytest.raises(ValueError, match="must be numbers"):
        space["select"](values["score"], values["uncertainty"])
    with pytest.raises(DataError, match=f"'{place}' is missing in row 2"):
        apply_policy(POLICY, [0.5, values["score"]], [0.2, values["uncertainty"]])


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError, match="one of each per row"):
        apply_policy(POLICY, [0.5, 0.6], [0.2])


def test_a_policy_is_read_back_whole():
    again = read_policy(policy_text(POLICY))
    assert again.thresholds == POLICY.thresholds and again.uncertainty_edges == POLICY.uncertainty_edges
    assert again.tune == POLICY.tune and math.isnan(again.test["precision"]["value"])
    assert policy_text(again) == policy_text(POLICY)
    assert json.loads(policy_text(POLICY))["thresholds"] == ["all", 0.4, "nothing"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "other"}, "'kind' is not"),
        ({"schema_version": 2}, "'schema_version' is 2"),
        ({"scorer": 3}, "'scorer' is 3; a text"),
        ({"thresholds": [0.1]}, "1 entries; 2 edges need 3"),
        ({"thresholds": [0.1, "some", 0.2]}, "holds 'some' at place 2"),
        ({"thresholds": [0.1, True, 0.2]}, "holds True at place 2"),
        ({"thresholds": [0.1, math.nan, 0.2]}, "holds nan at place 2"),
        ({"uncertainty_edges": [0.3, 0.3]}, "do not rise"),
        ({"uncertainty_edges": ["all", 0.3]}, "holds 'all' at place 1"),
        ({"uncertainty_edges": 0.3}, "a list of numbers"),
        ({"target": 1.5}, "'target' is 1.5"),
        ({"test": {"precision": {"value": "high"}}}, "'test' is no table"),
        ({"tune": None}, "'tune' is no table"),
    ],
)
def test_a_damaged_policy_is_refused_with_the_place(change, words):
    with pytest.raises(DataError, match=words):
        read_policy(json.dumps(json.loads(policy_text(POLICY)) | change))


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(DataError, match="no threshold file"):
        read_policy(text)


def test_an_exported_policy_selects_the_rows_that_the_run_counted(stored, scored_run):
    tables = {scorer: part for scorer, part in stored.curve("boundaries").groupby("scorer")}
    editor = open_editor(stored.curve("cells"), stored.curve("edges"), "given")
    for target in tables["given"]["target"].unique():
        policy = export_policy(stored, scorer="given", method="mist", target=target)
        cuts = editor.snap("mist", target)
        assert policy.thresholds == tuple(editor.thresholds_of(cuts))
        found = editor.decide(cuts, "test")
        if found.selected:
            assert policy.test["precision"]["value"] == pytest.approx(found.precision[0])
        assert policy.test["recall"]["value"] == pytest.approx(found.recall[0])
        sample = scored_run.predictions
        chosen = apply_policy(policy, sample["prob"], sample["uncertainty"])
        assert chosen.mean() == pytest.approx(found.coverage, abs=0.02)


@pytest.mark.parametrize("method", ["equal_weight_dp", "guaranteed", "monotone_dp", "best_of"])
def test_every_method_on_score_and_uncertainty_can_be_exported(stored, method):
    policy = export_policy(stored, scorer="given", method=method, target=stored.curve("boundaries")["target"].iloc[0])
    assert len(policy.thresholds) == len(policy.uncertainty_edges) + 1 and set(policy.test) >= {"precision", "recall"}


def test_a_boundary_moved_by_hand_can_be_exported(stored):
    editor = open_editor(stored.curve("cells"), stored.curve("edges"), "given")
    cuts = [3] * editor.n_buckets
    policy = make_policy(
        stored,
        scorer="given",
        method="edited",
        target=None,
        edges=editor.layout.uncertainty_edges,
        thresholds=editor.thresholds_of(cuts),
        tune=outcome_metrics(editor.decide(cuts, "tune")),
        test=outcome_metrics(editor.decide(cuts, "test")),
    )
    won, taken = count_selected(editor.grids["test"], np.array(cuts))
    assert policy.test["precision"]["value"] == pytest.approx(won / taken)
    assert read_policy(policy_text(policy)).target is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scorer": "other"}, "'scorer' is 'other'.*given, rate_all_flat"),
        ({"method": "placebo"}, "'method' is 'placebo'.*mist"),
        ({"target": 0.123}, "'target' is '0.123'"),
    ],
)
def test_a_boundary_that_a_run_has_not_is_refused_with_what_there_is(stored, change, words):
    wanted = {"scorer": "given", "method": "mist", "target": stored.curve("boundaries")["target"].iloc[0]} | change
    with pytest.raises(ConfigError, match=words):
        export_policy(stored, **wanted)


def new_rows(n=400, rate=0.8, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"label": (rng.random(n) < rate).astype(int), "score": 0.5, "uncertainty": 0.2})


@pytest.mark.parametrize(("rate", "verdict"), [(0.2, "missed"), (0.5, "met"), (0.8, "exceeded")])
def test_new_rows_say_whether_the_target_holds(rate, verdict):
    judged = judge_policy(POLICY, new_rows(rate=rate))
    assert judged.verdict == verdict and judged.selected == 400
    precision = judged.metrics.set_index("metric").loc["precision"]
    assert precision["value"] == pytest.approx(new_rows(rate=rate)["label"].mean())


def test_few_or_no_rows_selected_give_no_verdict():
    assert judge_policy(POLICY, new_rows(20)).verdict == "few"
    nothing = judge_policy(POLICY, new_rows().assign(score=0.1))
    assert nothing.verdict == "nothing" and nothing.metrics["value"].isna().tolist() == [True, False, False]


def test_copies_of_the_rows_of_a_unit_narrow_no_interval():
    once = new_rows(60).assign(unit=np.arange(60) // 2)
    copies = pd.concat([once] * 5)
    one, many = (judge_policy(POLICY, rows).metrics for rows in (once, copies))
    pd.testing.assert_frame_equal(one, many)
    assert many["n"].tolist() == [30] * 3


def test_a_weight_counts_as_that_many_rows():
    rows = new_rows(100)
    weighted = judge_policy(POLICY, rows.assign(weight=3)).metrics
    pd.testing.assert_frame_equal(weighted, judge_policy(POLICY, pd.concat([rows] * 3)).metrics)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (new_rows().drop(columns="score"), "Column 'score' is missing"),
        (new_rows().assign(label=2), "Column 'label' is .*2.* in row 1"),
        (new_rows().assign(weight=-1), "Column 'weight' is .*-1.* in row 1"),
        (new_rows().assign(weight=np.inf), "Column 'weight' is 'inf' in row 1; 0 or more"),
        (new_rows().assign(score="high"), "Column 'score' is 'high' in row 1; a number from 0 to 1"),
        (new_rows().assign(score=np.where(np.arange(400) == 6, 50.0, 0.5)), "Column 'score' is '50.0' in row 7"),
        (new_rows().assign(score=np.nan), "Column 'score' has no value in row 1"),
        (new_rows().assign(uncertainty="low"), "'uncertainty' is missing in row 1"),
        (new_rows().assign(unit=[None, *range(399)]), "Column 'unit' has no value in row 1"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused(rows, words):
    with pytest.raises(DataError, match=words):
        judge_policy(POLICY, rows)
