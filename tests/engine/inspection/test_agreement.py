"""What an inspection says of generated tables is what a training and a description then do."""

import re
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.datasets import load
from engine.errors import DataError
from engine.inspection import doors
from engine.inspection.report import inspect

EXAMPLES = settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # shrinking takes minutes
BAD_CELLS = ["", "NA", "x", "1,5", "inf", "-3", "0.5", "2", "1e3", "1_0", " 1 ", "true", "No", "2026-01-05", "20260105"]
BAD_CELLS += ["1767225600", "2026-13-01", "nan", "-0.0", "9" * 25, "1767225600000", '"', "a,b"]
ROLES = {
    "edges": ["source", "target", "weight", "time"],
    "exposures": ["exposure_time", "conversion_time", "engagement_time", "window_days", "unit", "segment", "age"],
    "scores": ["label", "score", "uncertainty", "weight", "unit"],
    "rows": ["label", "age", "region", "weight", "k_4", "n_4"],
}
KIND = {"edges": "graph", "exposures": "delay", "scores": "uncertainty", "rows": "uncertainty"}


def good(form, rows=120):
    """Make a table that a training lets in, every cell as text."""
    place = range(rows)
    columns = {
        "source": [f"n{k % 12}" for k in place],
        "target": [f"n{12 + k // 12}" for k in place],
        "weight": [str(1 + k % 3) for k in place],
        "time": [f"2026-01-{1 + k % 28:02}" for k in place],
        "exposure_time": [str(k) for k in place],
        "conversion_time": [str(k + 1 + k % 20) if k % 3 == 0 else "" for k in place],
        "engagement_time": [str(k + 1) if k % 2 else "" for k in place],
        "window_days": ["20"] * rows,
        "unit": [f"{k % 40:03}" for k in place],
        "segment": ["a", "b", ""] * (rows // 3),
        "age": [str(20 + k % 50) for k in place],
        "label": [str(int(k % 3 == 0)) for k in place],
        "score": [str((k * 7 % 101) / 100) for k in place],
        "uncertainty": [str((k * 13 % 97) / 97) for k in place],
        "region": ["nord", "süd", "øst"] * (rows // 3),
        "k_4": [str(k % 3) for k in place],
        "n_4": [str(3 + k % 3) for k in place],
    }
    return pd.DataFrame({name: columns[name] for name in ROLES[form]})


@st.composite
def tables(draw):
    """Draw a form and a good table with a few cells overwritten, a column dropped, or rows repeated."""
    form = draw(st.sampled_from(list(ROLES)))
    frame = good(form)
    for _ in range(draw(st.integers(0, 3))):
        row, column = draw(st.integers(0, len(frame) - 1)), draw(st.sampled_from(ROLES[form]))
        frame.loc[row, column] = draw(st.sampled_from(BAD_CELLS))
    if draw(st.integers(0, 5)) == 0:
        frame = frame.drop(columns=draw(st.sampled_from(ROLES[form])))
    if draw(st.integers(0, 5)) == 0:
        frame = pd.concat([frame, frame.iloc[[draw(st.integers(0, len(frame) - 1))]]])
    if draw(st.integers(0, 7)) == 0:
        column = draw(st.sampled_from(list(frame.columns)))
        frame[column] = draw(st.sampled_from(["", "1", "x", "2026-01-05", "1767225600"]))
    odd = draw(st.sampled_from([{}, {frame.columns[0]: 'a "b" `c`; --'}, {frame.columns[-1]: "Größe in €"}]))
    return form, frame, odd


def refusal(call):
    """Return the sentence of a refusal, or None."""
    try:
        call()
    except DataError as error:
        return str(error)
    return None


def first_named(sentence, known):
    """Return the known columns that a sentence names before anything else."""
    head = sentence.split(" of ")[0].split(" is missing")[0]
    return set(re.findall(r"'([^']+)'", head)) & set(known)


def written(form, frame, odd, folder):
    """Write a table under odd names; return its path and the roles."""
    path = Path(folder) / "t.csv"
    frame.rename(columns=odd).to_csv(path, index=False)
    roles = {name: odd.get(name, name) for name in frame.columns if name in ROLES[form]}
    return path, {role: name for role, name in roles.items() if role not in ("age", "region", "k_4", "n_4")}


@EXAMPLES
@given(tables())
def test_the_checks_foresee_a_training_without_trying_it(drawn):
    form, frame, odd = drawn
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path, roles = written(form, frame, odd, folder)
        refused = refusal(lambda: load(KIND[form], str(path), roles=roles))
        patch.setattr("engine.inspection.source.SMALL", 100)  # the rows are small text all the same
        patch.setattr(doors, "description_of", lambda *_, **__: None)
        found = inspect(path, KIND[form], roles=roles)
        assert found.data_id is None, "nothing was tried"
        stops = found.findings[found.findings["stops"].isin(("train", "both"))]
        later = stops["sentence"].str.contains("allowed are train|is infinite in data row|holds dates")
        assert found.can_train == (refused is None) or later.all(), (refused, stops["sentence"].tolist())
        if refused is not None:
            back = {odd.get(name, name): name for name in ROLES[form]}
            named = {back[name] for name in first_named(stops.iloc[0]["sentence"], back)}
            expected = first_named(refused, ROLES[form])
            assert named & expected or not expected, (refused, stops.iloc[0]["sentence"])


@EXAMPLES
@given(tables())
def test_the_verdicts_are_those_of_the_doors(drawn):
    form, frame, odd = drawn
    with tempfile.TemporaryDirectory() as folder:
        path, roles = written(form, frame, odd, folder)
        found = inspect(path, KIND[form], roles=roles)
        if refusal(lambda: load(KIND[form], str(path), roles=roles)) is not None:
            assert not found.can_train
        described = doors.description_of(path, KIND[form], roles, table=None, backend="duckdb")
        if found.form != "rows":
            assert found.can_describe == (described is None), (described, found.findings["sentence"].tolist())
        assert found.rows == len(frame) and len(found.columns) == len(frame.columns)
        assert (found.findings["sentence"].str.len() > 20).all() and not found.findings["sentence"].str.contains(
            "\n"
        ).any()
