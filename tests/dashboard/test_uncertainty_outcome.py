"""What the editor says about the sample behind a precision."""

from __future__ import annotations

import pytest

from dashboard.controls.uncertainty_outcome import sample_size
from engine.metrics.calibration import wilson_interval
from engine.uncertainty.decision import Decision


def selected(hits: int, rows: int) -> Decision:
    low, high = (float(end) for end in wilson_interval(hits, rows))
    shares = {"precision": (hits / rows, low, high), "recall": (1.0, 0.9, 1.0)}
    counts = {"true_positive": hits, "false_positive": rows - hits, "false_negative": 0, "true_negative": 0}
    return Decision(**counts, **shares)


def test_a_common_precision_is_judged_by_points() -> None:
    is_few, text = sample_size(selected(450, 1000))
    # 1.96^2 x 0.45 x 0.55 / 0.02^2 = 2,377 rows.
    assert not is_few and text.endswith("± 0.02 takes about 2,380 rows.")
    assert sample_size(selected(20, 50))[0]


@pytest.mark.parametrize(("hits", "is_few"), [(7, True), (70, False)])
def test_a_rare_one_is_judged_beside_itself(hits: int, is_few: bool) -> None:
    told, text = sample_size(selected(hits, 183 * hits))
    # A precision of 0.55 % to a fifth: 1.96^2 x 0.00546 x 0.99454 / 0.001^2 = 20,876 rows.
    assert told == is_few and "± 0.001 takes about 20,8" in text
