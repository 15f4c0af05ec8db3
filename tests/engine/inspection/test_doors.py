"""What a dry run says of a description is what becomes of it."""

import numpy as np
import pandas as pd
import pytest

from engine import cli
from engine.inspection.report import inspect

RNG = np.random.default_rng(0)
EVENTS = pd.DataFrame(
    {"user": RNG.integers(0, 200, 2000), "item": RNG.integers(0, 30, 2000), "time": RNG.integers(0, 300, 2000)}
)
SCORES = pd.DataFrame(
    {"label": RNG.integers(0, 2, 500), "score": RNG.random(500).round(3), "uncertainty": RNG.random(500).round(3)}
)
EXPOSURES = pd.DataFrame({"exposure_time": RNG.uniform(0, 120, 500), "conversion_time": np.nan})
REFUSED = {
    "events that make no edge": ("graph", EVENTS, "Lower it with --set minimum_users=NUMBER"),
    "events of a few days": ("graph", EVENTS.assign(time=EVENTS["time"] % 20), "spans 20 days"),
    "events of one user": ("graph", EVENTS.assign(user="a"), "has one value only"),
    "scores without test rows": ("uncertainty", SCORES.assign(split="tune"), "'test'"),
    "scores of one unit": ("uncertainty", SCORES.assign(unit="a"), "'unit' of t.csv has 1 distinct value"),
    "few scores": ("uncertainty", SCORES.head(10), "at least 20 of each are needed"),
    "exposures at one moment": ("delay", EXPOSURES.assign(exposure_time=3.0), "are the same moment"),
    "too many segments": ("delay", EXPOSURES.assign(segment=np.arange(500)), "'segment' of t.csv has 500 values"),
}
ACCEPTED = {
    "scores": ("uncertainty", SCORES),
    "scores for tests alone beside others": ("uncertainty", SCORES.assign(split=["tune", "test"] * 250)),
    "exposures without a conversion": ("delay", EXPOSURES),
}


def described(kind, path):
    return cli.main(["describe", kind, "--data", str(path)])


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_description_would_refuse_is_foreseen(name, tmp_path, capsys):
    kind, frame, words = REFUSED[name]
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = inspect(tmp_path / "t.csv", kind)
    stops = found.findings[found.findings["stops"].isin(("describe", "both"))]
    assert not found.can_describe and stops["sentence"].str.contains(words, regex=False).any()
    assert described(kind, tmp_path / "t.csv") == 2, capsys.readouterr()


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_a_description_takes_is_said_to_be_described(name, tmp_path, capsys):
    kind, frame = ACCEPTED[name]
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert inspect(tmp_path / "t.csv", kind).can_describe
    assert described(kind, tmp_path / "t.csv") == 0, capsys.readouterr()
