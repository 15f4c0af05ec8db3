"""The shape that all three models return."""

import dataclasses

import pytest

from engine.result import DIFFERENCE_COLUMNS, KINDS, METRIC_COLUMNS, EpochRecord, metric_row


def test_a_metric_row_has_exactly_the_columns_of_the_table_in_their_order():
    row = metric_row(method="dual", split="test", segment="all", metric="mrr", value=1, ci_low=0, ci_high=2, n=3.0)
    assert tuple(row) == METRIC_COLUMNS
    assert row["value"] == 1.0 and type(row["value"]) is float and type(row["n"]) is int


def test_differences_are_metrics_with_a_baseline():
    assert tuple(name for name in DIFFERENCE_COLUMNS if name != "baseline") == METRIC_COLUMNS


def test_there_are_three_kinds():
    assert KINDS == ("graph", "delay", "uncertainty")


def test_results_and_records_cannot_be_changed(tiny_result):
    record = EpochRecord(stage="dual", epoch=1, epochs=2, losses={})
    for frozen, name in ((tiny_result, "seconds"), (tiny_result.dataset, "name"), (record, "epoch")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, 0)
