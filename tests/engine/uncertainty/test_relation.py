"""What the door for scored rows refuses, with the column, the value and its row."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import DataError, NotEnoughDataError
from engine.schema import validate
from engine.uncertainty.data import SCHEMA
from engine.uncertainty.relation import scored_rows_of

GOOD = pd.DataFrame(
    {
        "label": [0, 1, 0, 1],
        "score": [0.1, 0.9, 0.0, 1.0],
        "uncertainty": [0.0, 0.2, 0.1, 3.0],
        "weight": [1, 2, 3, 1],
        "split": ["tune", "Test", "train", "tune"],
        "unit": ["a", "b", "a", "c"],
        "region": ["north", "south", "north", None],
    }
)


def memory(frame):
    """Hand a frame over as Arrow: the way through pandas relies on an option that pandas retires."""
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def scored(frame, roles=None, **options):
    return scored_rows_of(memory(frame), roles or {}, source="scores.csv", **options)


def changed(column, row, value):
    frame = GOOD.astype({column: "object"})
    frame.loc[row, column] = value
    return frame.astype({column: "str"}) if isinstance(value, str) else frame.infer_objects()


def test_rows_are_counted_by_weight():
    found = scored(GOOD)
    assert (found.lines, found.total, found.positives) == (4, 7, 3)
    assert found.slices == ("region",)
    rows = found.rows.to_pyarrow().to_pandas()
    assert sorted(rows["split"]) == ["test", "train", "tune", "tune"]
    assert sorted(rows["region"]) == ["missing", "north", "north", "south"]


def test_text_as_a_csv_file_has_it_is_read():
    assert scored(GOOD.astype(str).assign(region="x")).total == 7


def test_labels_may_be_words_as_in_a_training():
    words = ["yes", " NO", "t", "False"]
    found = scored(GOOD.assign(label=words)).rows.order_by("score").to_pyarrow().to_pandas()
    frame = GOOD.assign(label=words)
    trained = validate(frame, [column for column in SCHEMA if column.name in frame], source="scores.csv").sort_values(
        "score"
    )
    assert found["label"].tolist() == trained["label"].tolist()
    assert sorted(trained["label"]) == [0, 0, 1, 1]
    assert scored(GOOD.assign(label=[True, False, True, False])).rows.label.type().is_float64()


def test_uncertainty_may_be_negative():
    assert scored(GOOD.assign(uncertainty=[-3.5, -0.1, 0.0, 2.0])).lines == 4


@pytest.mark.parametrize("kind", ["float32", "float64", "str"])
def test_the_precision_of_the_uncertainty_is_kept(kind):
    found = scored(GOOD.astype({"uncertainty": kind}))
    assert found.precision == ("float32" if kind == "float32" else "float64")
    assert found.rows.uncertainty.type().is_float64()


def test_columns_are_named_by_roles():
    frame = GOOD.rename(columns={"label": "bought", "score": "p"})
    assert scored(frame, {"label": "bought", "score": "p"}).positives == 3


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("label", 2, 2, r"Column 'label' of scores.csv has '2.*' in data row 3; a label is 0 or 1"),
        (
            "label",
            0,
            "ja",
            r"Column 'label' of scores.csv has 'ja' in data row 1; .*yes/no\). It holds '.*: name a column of two",
        ),
        ("score", 2, "0,25", r"has '0,25' in data row 3; .* decimal comma: write .* 3.14 for 3,14"),
        ("score", 1, 1.5, "Column 'score' of scores.csv has '1.5' in data row 2; a score is a number from 0 to 1"),
        ("score", 3, np.nan, "Column 'score' of scores.csv has .* in data row 4"),
        ("score", 0, np.inf, "Column 'score' of scores.csv has 'inf.*' in data row 1"),
        ("uncertainty", 2, np.nan, "Column 'uncertainty' of scores.csv has .* in data row 3"),
        ("uncertainty", 0, -np.inf, "Column 'uncertainty' .* has '-inf.* an uncertainty is a finite number"),
        ("uncertainty", 0, np.inf, "Column 'uncertainty' .* finite"),
        ("weight", 1, -2, "Column 'weight' of scores.csv has '-2.*' in data row 2"),
        ("weight", 1, 0.5, "Column 'weight' of scores.csv has '0.5' in data row 2"),
        ("split", 2, "valid", "Column 'split' of scores.csv has 'valid' in data row 3; a split is one of train"),
        ("unit", 3, None, "Column 'unit' of scores.csv has no value in data row 4"),
    ],
)
def test_a_bad_value_is_named_with_its_row(column, row, value, message):
    with pytest.raises(DataError, match=message):
        scored(changed(column, row, value))


def test_several_bad_values_are_counted():
    with pytest.raises(DataError, match=r"data row 1 \(4 such rows\)"):
        scored(GOOD.assign(score=2.0))


def test_percent_are_told_from_a_score_that_is_too_high():
    percent = GOOD.assign(score=GOOD["score"] * 100).rename(columns={"score": "p"})
    with pytest.raises(DataError, match=r"Column 'p' of .* looks like percent: divide the column by 100\.$"):
        scored(percent, {"score": "p"})


def test_one_score_beyond_1_among_missing_ones_is_no_percent():
    many = pd.concat([GOOD] * 80, ignore_index=True)
    many["score"] = np.where(np.arange(len(many)) < 100, np.nan, 0.5)
    many.loc[0, "score"] = 7.0
    assert len(many) > 300
    with pytest.raises(DataError, match=r"has '7.0' in data row 1 \(100 such rows\).* Correct or drop the rows\.$"):
        scored(many)


def test_a_label_that_is_missing_is_not_said_to_be_of_other_values():
    with pytest.raises(DataError, match=r"'label' .* has no value in data row 2; .*yes/no\). Correct or drop the rows"):
        scored(changed("label", 1, None))


def test_a_missing_column_and_an_unknown_role_are_named():
    with pytest.raises(DataError, match=r"Column 'uncertainty' is missing.*--column uncertainty=NAME"):
        scored(GOOD.drop(columns="uncertainty"))
    with pytest.raises(DataError, match="names no role"):
        scored(GOOD, {"prior": "score"})
    with pytest.raises(DataError, match=r"Column 'p' .for role 'score'. is not in"):
        scored(GOOD, {"score": "p"})
    with pytest.raises(DataError, match="is to play this role too"):
        scored(GOOD, {"score": "uncertainty"})


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_not_enough(label):
    with pytest.raises(NotEnoughDataError, match=f"always {label}"):
        scored(GOOD.assign(label=label))


def test_no_rows_are_not_enough():
    with pytest.raises(NotEnoughDataError, match="no rows"):
        scored(GOOD.iloc[:0])


def test_slices_are_those_named_or_columns_of_few_texts():
    frame = pd.concat([GOOD] * 20, ignore_index=True)
    frame = frame.assign(name=[f"id {k}" for k in range(80)], same="x", age=np.arange(80) % 3)
    assert scored(frame).slices == ("region",)
    assert scored(frame, slices=["age", "region"]).slices == ("age", "region")
    assert scored(frame, slices=[]).slices == ()
    with pytest.raises(DataError, match=r"'name' of scores.csv has 80 values; at most 50"):
        scored(frame, slices=["name"])
    with pytest.raises(DataError, match="Slice column 'colour' is not in"):
        scored(frame, slices=["colour"])
