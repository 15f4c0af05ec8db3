"""Lines of counts hold what the rows hold, and their thresholds are thresholds on the rows."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import NotEnoughDataError
from engine.uncertainty import compress as compress_module
from engine.uncertainty.compress import GROUPS, LINE_COLUMNS, compress, step_counts, step_layout
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import scored_rows_of
from engine.uncertainty.simulate import simulate


def memory(frame):
    """Hand a frame over as Arrow: the way through pandas relies on an option that pandas retires."""
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def rows_of(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    frame = simulate(n)[["label", "score", "uncertainty", "split"]]
    return frame.assign(weight=rng.integers(1, 4, n), unit=[f"u{k}" for k in rng.integers(0, 400, n)])


def compressed(frame, **options):
    scored = scored_rows_of(memory(frame), {}, source="scores")
    return compress(scored, **({"seed": 0, "tune_share": 0.4, "source": "scores"} | options))


def test_lines_add_up_to_the_rows_of_every_split():
    frame = rows_of()
    lines = compressed(frame).lines
    assert list(lines.columns) == list(LINE_COLUMNS)
    for keys in (["split"], ["split", "label"]):
        expected = frame.groupby(keys)["weight"].sum()
        pd.testing.assert_series_equal(lines.groupby(keys)["weight"].sum(), expected, check_dtype=False)
    assert (lines["weight"] * lines["score"]).sum() == pytest.approx((frame["weight"] * frame["score"]).sum())


def test_equal_scores_share_a_line_and_a_threshold_selects_the_rows_that_its_lines_hold():
    frame = rows_of()
    found = compressed(frame)
    for place in np.flatnonzero(np.isfinite(found.means))[::17]:
        threshold = float(found.threshold(np.array([found.means[place]]))[0])
        by_rows = frame.loc[frame["score"] >= threshold, "weight"].sum()
        by_lines = found.lines.loc[found.lines["score"] >= found.means[place], "weight"].sum()
        assert by_rows == by_lines


def test_a_number_that_is_no_score_of_a_line_stays():
    found = compressed(rows_of())
    assert found.threshold(np.array([np.inf, -np.inf, 0.123456789])).tolist() == [np.inf, -np.inf, 0.123456789]


def test_units_stay_together_in_split_and_group():
    frame = rows_of().drop(columns="split").assign(unit=lambda f: f["unit"].where(f.index > 2000, "one"))
    lines = compressed(frame, tune_share=0.5).lines
    sizes = lines.groupby("unit")["weight"].sum()
    assert len(sizes) <= GROUPS
    # The large unit lies in one split: it is heavier than all others of its group.
    weight = frame.loc[frame["unit"] == "one", "weight"].sum()
    group = sizes.idxmax()
    by_split = lines[lines["unit"] == group].groupby("split")["weight"].sum()
    assert by_split.max() >= weight


def test_without_a_split_the_share_that_tunes_is_the_one_asked_for():
    frame = rows_of(20_000).drop(columns=["split", "unit"])
    lines = compressed(frame, tune_share=0.3).lines
    share = lines.groupby("split")["weight"].sum() / frame["weight"].sum()
    assert share["tune"] == pytest.approx(0.3, abs=0.015)
    assert lines["unit"].nunique() == GROUPS
    again = compressed(frame, tune_share=0.3).lines
    assert share["tune"] == pytest.approx((again.groupby("split")["weight"].sum() / frame["weight"].sum())["tune"])


def test_rows_of_the_training_split_are_left_out():
    frame = rows_of()
    frame.loc[:99, "split"] = "train"
    assert compressed(frame).lines["weight"].sum() == frame.loc[100:, "weight"].sum()


def test_a_split_without_rows_is_refused():
    with pytest.raises(NotEnoughDataError, match="Split 'tune' of scores has no rows"):
        compressed(rows_of().assign(split="test"))


def test_too_few_rows_to_be_divided_are_not_said_to_be_a_split_of_the_reader():
    few = rows_of().drop(columns=["split", "unit", "weight"], errors="ignore").head(2)
    with pytest.raises(NotEnoughDataError, match=r"scores has too few rows \(2 rows\) to be divided into 'tune' and"):
        compressed(few, tune_share=0.001)
    with pytest.raises(NotEnoughDataError, match=r"scores has too few units or rows .* in a column 'split'"):
        compressed(few.assign(unit="only"), tune_share=0.001)


def test_a_constant_uncertainty_is_one_step():
    scored = scored_rows_of(memory(rows_of().assign(uncertainty=0.2)), {}, source="scores")
    assert step_layout(scored).uncertainty_edges.size == 0


def test_steps_are_finer_at_the_top():
    rng = np.random.default_rng(0)
    n = 50_000
    frame = pd.DataFrame({"label": rng.integers(0, 2, n), "score": rng.random(n), "uncertainty": rng.random(n)})
    edges = step_layout(scored_rows_of(memory(frame), {}, source="scores")).score_edges
    top = (frame["score"] >= edges[-1]).sum()
    assert 3 <= top <= 30
    assert np.diff(edges)[:150].max() < 0.02


def test_steps_equal_a_count_by_pandas():
    layout = Layout(uncertainty_edges=np.array([0.02, 0.05]), score_edges=np.array([0.1, 0.3, 0.6]))
    frame = rows_of().assign(split=lambda rows: rows["split"].where(rows.index % 5 > 0, "train"))
    found = step_counts(scored_rows_of(memory(frame), {}, source="scores"), layout, tune_share=0.4)
    found = found.to_pyarrow().to_pandas()
    kept = frame[frame["split"] != "train"]
    bucket = np.searchsorted(layout.uncertainty_edges, kept["uncertainty"], side="left")
    score_bin = np.searchsorted(layout.score_edges, kept["score"], side="right")
    counted = kept.assign(bucket=bucket, bin=score_bin, won=kept["weight"] * kept["label"])
    expected = counted.groupby(["split", "bucket", "bin"])[["weight", "won"]].sum()
    summed = found.groupby(["split", "bucket", "bin"])[["n", "positives"]].sum()
    assert summed.to_numpy().tolist() == expected.to_numpy().tolist()


def test_draws_do_not_follow_the_order_in_which_counts_come(monkeypatch):
    frame = rows_of().drop(columns=["split", "unit"])
    lines, counts = compressed(frame).lines, compress_module.step_counts

    def backwards(*arguments, **options):
        return counts(*arguments, **options).order_by(ibis.desc("bucket"), ibis.desc("bin"))

    monkeypatch.setattr(compress_module, "step_counts", backwards)
    pd.testing.assert_frame_equal(compressed(frame).lines, lines)
