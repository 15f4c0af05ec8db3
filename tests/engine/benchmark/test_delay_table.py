"""Tables say what the summary holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.delay_summary import SUMMARY_COLUMNS
from engine.benchmark.delay_table import digest, headline, markdown


def line(data, split, segment, method, statistic, metric, value, *, baseline="", width=0.01):
    interval = (value - width, value + width)
    return (data, split, segment, method, baseline, statistic, metric, value, *interval, 50, 200, 5)


@pytest.fixture
def summary():
    rows = []
    for data, known in (("made", True), ("real", False)):
        for method, loss in (("oracle", 0.1), ("vanilla", 0.4), ("dress_style", 0.2), ("wait", 0.3)):
            rows += [
                line(data, "test", "all", method, "value", "log_loss", loss),
                line(data, "test", "all", method, "value", "roc_auc", 1 - loss),
                line(data, "test", "all", method, "gap_closed", "log_loss", (0.4 - loss) / 0.3),
                line(data, "test", "segment:A", method, "value", "log_loss", loss + 0.5),
                line(data, "test", "segment:A", method, "value", "roc_auc", 0.5, width=np.nan),
                line(data, "holdout", "age:immature", method, "value", "log_loss", loss),
                line(data, "holdout", "age:immature", method, "value", "calibration", 1 - loss),
                line(data, "train", "all", method, "cost", "ess_share", 0.9),
                line(data, "train", "all", "shared", "cost", "seconds", 12.0),
            ]
            if known:
                rows += [
                    line(data, "test", "all", method, "value", "excess_log_loss", loss / 100, width=0.001),
                    line(data, "holdout", "age:immature", method, "value", "calibration_truth", 1 + loss / 10),
                    line(data, "stream", "all", method, "value", "log_loss", loss + 0.1),
                ]
        ours = ("difference", "log_loss", -0.1)
        rows.append(line(data, "test", "all", "dress_style", *ours, baseline="wait"))
        rows.append(line(data, "test", "segment:A", "dress_style", *ours, baseline="wait"))
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def test_the_digest_marks_the_best_method_but_the_oracle(summary):
    text = digest(summary)
    assert "| DRESS-style (ours) | **0.2000** [0.1900, 0.2100] | **0.2000** [0.1900, 0.2100] |" in text
    assert "| Oracle (final labels) | 0.1000 [0.0900, 0.1100] |" in text
    assert text.count("**0.2000**") == 2


def test_the_digest_measures_calibration_by_the_truth_where_it_is_known(summary):
    lines = digest(summary).partition("| calibration, recent exposures |")[2].splitlines()
    (ours,) = [text for text in lines if text.startswith("| DRESS-style (ours) | ")]
    assert ours == "| DRESS-style (ours) | **1.020** [1.010, 1.030] | **0.800** [0.790, 0.810] |"


def test_the_page_shows_every_part_that_was_measured(summary):
    made, real = markdown(summary).split("## real")
    for text in (made, real):
        assert "5 seeds · 200 later exposures, 200 earlier exposures of other units" in text
        assert "| models of label arrival, for several methods | – | – | 12.000 |" in text
        assert "log loss, A (200 rows)" in text and "log loss, inside their window (200 rows)" in text
    assert "As a stream" in made and "As a stream" not in real
    assert "| DRESS-style (ours) | 0.2000 [0.1900, 0.2100] | 0.6667 [0.6567, 0.6767] | 2.00 [1.00, 3.00] |" in made


def test_what_is_kept_gives_the_same_tables(summary):
    kept = headline(summary)
    assert len(kept) < len(summary)
    assert markdown(kept) == markdown(summary) and digest(kept) == digest(summary)
    assert not ((kept["segment"] == "segment:A") & (kept["metric"] == "roc_auc")).any()
