"""The isotonic reliability curve against scikit-learn, and its band."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from engine.uncertainty.corp import COLUMNS, corp_table
from engine.uncertainty.grid import Layout
from engine.uncertainty.names import ALL
from engine.uncertainty.rows import Rows

LAYOUT = Layout(uncertainty_edges=np.array([0.12, 0.25]), score_edges=np.array([0.2, 0.5]))


def table_of(rows, layout=LAYOUT):
    return corp_table({"test": rows}, layout, rng=np.random.default_rng(0))


def test_the_curve_is_the_isotonic_regression_of_every_bucket(make_rows):
    rows = make_rows(weighted=True)
    table = table_of(rows)
    assert list(table.columns) == list(COLUMNS)
    bucket = np.searchsorted(LAYOUT.uncertainty_edges, rows.uncertainty)
    for number in (ALL, 0, 1, 2):
        kept = slice(None) if number == ALL else bucket == number
        fitted = IsotonicRegression().fit(rows.score[kept], rows.label[kept], sample_weight=rows.weight[kept])
        own = table[table["bucket"] == number]
        for end in ("score_low", "score_high"):
            np.testing.assert_allclose(own["rate"], fitted.predict(own[end]), atol=1e-12)
        assert own["n"].sum() == rows.weight[kept].sum()
        assert own["positives"].sum() == (rows.weight * rows.label)[kept].sum()


def test_stretches_rise_and_do_not_overlap_and_the_band_holds_them(make_rows):
    own = table_of(make_rows()).query("bucket == -1")
    assert (np.diff(own["rate"]) > 0).all()
    assert (own["score_high"].to_numpy()[:-1] < own["score_low"].to_numpy()[1:]).all()
    assert ((own["ci_low"] <= own["rate"]) & (own["rate"] <= own["ci_high"])).all()


def test_the_band_narrows_with_more_rows():
    def width(n):
        rng = np.random.default_rng(3)
        score = rng.random(n)
        label = (rng.random(n) < score).astype(np.int64)
        rows = Rows(score, score, label, np.ones(n, dtype=np.int64), np.arange(n))
        table = table_of(rows, Layout(np.empty(0), np.empty(0))).query("bucket == -1")
        return np.average(table["ci_high"] - table["ci_low"], weights=table["n"])

    assert width(5000) < 0.6 * width(500)


def test_a_bucket_without_rows_has_no_curve(make_rows):
    rows = make_rows()
    layout = Layout(uncertainty_edges=np.array([1e9]), score_edges=np.empty(0))
    assert sorted(set(table_of(rows, layout)["bucket"])) == [ALL, 0]


def test_one_score_is_one_stretch(make_rows):
    rows = make_rows()
    rows = Rows(np.full(400, 0.3), rows.uncertainty, rows.label, rows.weight, rows.unit)
    own = table_of(rows).query("bucket == -1")
    assert len(own) == 1 and own["rate"].iloc[0] == pytest.approx(rows.label.mean())
