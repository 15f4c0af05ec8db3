"""Whether both parts of given scores are large enough is known before a description."""

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import NotEnoughDataError
from engine.uncertainty import divided
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.divided import counted, require_enough
from engine.uncertainty.relation import scored_rows_of

CONFIG = UncertaintyConfig()


def scored(n, positives, **columns):
    """Scores of which the first rows are positive."""
    rng = np.random.default_rng(n)
    frame = pd.DataFrame({"label": (np.arange(n) < positives).astype(int), "score": rng.random(n)})
    frame = frame.assign(uncertainty=rng.random(n), **columns)
    return scored_rows_of(ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)), {}, source="scores")


def refused(call):
    try:
        call()
    except NotEnoughDataError as error:
        return str(error)
    return None


UNITS = [f"u{k % 90}" for k in range(600)]
CASES = {
    "by chance, hopeless": lambda: scored(300, 25),
    "by chance, near the least": lambda: scored(600, 48),
    "by chance, enough": lambda: scored(600, 150),
    "by chance, few negatives": lambda: scored(600, 575),
    "by units, few positives": lambda: scored(600, 36, unit=UNITS),
    "by units, enough": lambda: scored(600, 300, unit=UNITS),
    "as given, no test rows": lambda: scored(600, 300, split="tune"),
    "as given, enough": lambda: scored(600, 300, split=["tune", "test"] * 300),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_description_finds_too_few_is_refused_before_it(name):
    rows = CASES[name]()
    found = refused(lambda: require_enough(rows, CONFIG, source="scores"))
    assert found == refused(lambda: prepare(counted(rows, CONFIG, source="scores")[1], CONFIG))
    assert (found is None) == name.endswith("enough") or "near" in name


def test_in_many_rows_only_parts_that_are_given_are_counted(monkeypatch):
    monkeypatch.setattr(divided, "MAX_LINES", 500)
    assert refused(lambda: require_enough(CASES["by chance, few negatives"](), CONFIG, source="scores")) is None
    assert "no rows" in refused(lambda: require_enough(CASES["as given, no test rows"](), CONFIG, source="scores"))
