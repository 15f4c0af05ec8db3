"""A graph is described alike on Spark and on DuckDB, from edges and from events. One session: Spark starts once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import spark_session
from engine.cli import main
from engine.runs import read_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("spark")]
BACKENDS = ("duckdb", "local[2]")


def edges(n: int = 900) -> pd.DataFrame:
    """Edges between names, some beyond ASCII; they repeat, answer each other, lack an end or lead back."""
    rng = np.random.default_rng(1)
    names = np.array([f"häuser {k}" for k in range(40)] + [" a ", "", None], dtype=object)
    ends = [names[(rng.pareto(1.0, n) * 6).astype(int) % len(names)] for _ in range(2)]
    return pd.DataFrame({"source": ends[0], "target": ends[1], "weight": rng.integers(1, 9, n)})


def events(n: int = 1500) -> pd.DataFrame:
    """A third of the events are of the item after that of another event of their user, days later."""
    rng = np.random.default_rng(2)
    user, item, day = rng.integers(0, 90, n), rng.integers(0, 7, n), rng.integers(0, 100, n)
    later = slice(0, n // 2)
    days = np.r_[day, day[later] + rng.integers(1, 6, n // 2)]
    return pd.DataFrame(
        {
            "user": np.r_[user, user[later]],
            "item": [f"ü{k}" for k in np.r_[item, (item[later] + 1) % 7]],
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"),
        }
    )


def described(backend: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], Any]:
    out = folder / backend.partition("[")[0]
    words = ("--data", str(folder / "data.parquet"), "--set", "window_days=8", "stored_edges=100", "stored_nodes=15")
    assert main(["describe", "graph", *words, "--backend", backend, "--out", str(out), "--json"]) == 0
    return json.loads(capsys.readouterr().out), read_run(out)


@pytest.mark.parametrize(("make", "most"), [(edges, "self_loops"), (events, "users")])
def test_a_graph_is_described_alike(make, most, tmp_path, capsys):
    make().to_parquet(tmp_path / "data.parquet", index=False)
    (said, ours), (told, theirs) = (described(backend, tmp_path, capsys) for backend in BACKENDS)
    assert said["sentences"] == told["sentences"] and said["facts"][most] > 0
    assert ours.manifest["dataset"] == theirs.manifest["dataset"]
    assert set(ours.manifest["curves"]) == set(theirs.manifest["curves"])
    for name in ours.manifest["curves"]:
        pd.testing.assert_frame_equal(ours.curve(name), theirs.curve(name), check_dtype=False, rtol=1e-9, obj=name)
    pd.testing.assert_frame_equal(ours.metrics, theirs.metrics, rtol=1e-9)


def test_what_the_user_has_set_wins_over_what_we_would_set(spark):
    java = spark.sparkContext._jvm
    for name, ours in spark_session.UNLESS_SET.items():
        assert spark.conf.get(name) == ours
        java.System.setProperty(name, "of the user")  # as Java does with what stands in spark-defaults.conf
        try:
            assert spark_session._completed({}, {name: ours}, java).get(name) == "of the user"
        finally:
            java.System.clearProperty(name)


def test_spark_leaves_no_folder_where_the_reader_works(spark):
    warehouse = Path(spark.conf.get(spark_session.WAREHOUSE).removeprefix("file:"))
    assert warehouse.is_relative_to(tempfile.gettempdir()) and not warehouse.is_relative_to(Path.cwd())
    assert not Path("spark-warehouse").exists()
