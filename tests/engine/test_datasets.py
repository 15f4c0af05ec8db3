"""One door for data: bundled by name, own files by path."""

import numpy as np
import pandas as pd
import pytest

from engine.datasets import BUNDLED, DEFAULT, SAMPLE_DATA, load
from engine.errors import DataError, NotEnoughDataError
from engine.graph import events
from engine.result import KINDS


@pytest.fixture
def edges() -> pd.DataFrame:
    """132 edges between 12 nodes whose names look like numbers and like missing values."""
    names = ["007", "7", "NA", "null", *(f"n{i}" for i in range(8))]
    return pd.DataFrame([(u, v) for u in names for v in names if u != v], columns=["source", "target"])


def test_every_kind_has_a_default_that_is_bundled():
    assert set(DEFAULT) == set(KINDS)
    assert all(BUNDLED[name].kind == kind for kind, name in DEFAULT.items())


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_data_set_loads_and_says_what_it_is(name):
    entry = BUNDLED[name]
    dataset = load(entry.kind, name)
    assert (dataset.info.name, dataset.info.origin, dataset.info.description) == (name, entry.origin, entry.description)
    assert len(dataset.info.data_id) == 16 and all(count >= 0 for count in dataset.info.rows.values())
    assert max(dataset.info.rows.values()) > 1000
    assert load(entry.kind, name).info == dataset.info


def test_every_bundled_file_is_there_and_belongs_to_one_data_set():
    files = [file for entry in BUNDLED.values() for file in (entry.file, entry.nodes) if file]
    assert all((SAMPLE_DATA / file).is_file() for file in files) and len(set(files)) == len(files)


def test_ids_of_an_own_file_stay_as_they_are_written(edges, tmp_path):
    edges.to_csv(tmp_path / "e.csv", index=False)
    dataset = load("graph", str(tmp_path / "e.csv"))
    assert {"007", "7", "NA", "null"} <= set(dataset.nodes["name"]) and len(dataset.nodes) == 12
    assert (dataset.info.name, dataset.info.origin) == ("e.csv", "own")


def test_the_same_rows_as_csv_and_parquet_are_the_same_graph(edges, tmp_path):
    edges.to_csv(tmp_path / "e.csv", index=False)
    edges.to_parquet(tmp_path / "e.parquet", index=False)
    one, other = (load("graph", str(tmp_path / name)) for name in ("e.csv", "e.parquet"))
    pd.testing.assert_frame_equal(one.edges, other.edges)
    pd.testing.assert_frame_equal(one.nodes, other.nodes)
    assert one.info.data_id == other.info.data_id


def test_columns_are_named_by_role_and_read_as_they_are_written(edges, tmp_path):
    edges.rename(columns={"source": "from", "target": "to"}).to_csv(tmp_path / "e.csv", index=False)
    dataset = load("graph", str(tmp_path / "e.csv"), roles={"source": "from", "target": "to"})
    assert "007" in set(dataset.nodes["name"])


def test_a_node_table_describes_the_nodes_and_counts_for_the_identity(edges, tmp_path):
    edges.to_csv(tmp_path / "e.csv", index=False)
    nodes = pd.DataFrame({"node": sorted(set(edges["source"])), "label": "L", "category": "C"})
    nodes.to_csv(tmp_path / "n.csv", index=False)
    plain = load("graph", str(tmp_path / "e.csv"))
    described = load("graph", str(tmp_path / "e.csv"), nodes=str(tmp_path / "n.csv"))
    assert set(described.nodes["label"]) == {"L"} and described.info.data_id != plain.info.data_id


def test_another_row_is_another_identity(edges, tmp_path):
    edges.to_csv(tmp_path / "e.csv", index=False)
    edges.iloc[1:].to_csv(tmp_path / "f.csv", index=False)
    ids = {load("graph", str(tmp_path / name)).info.data_id for name in ("e.csv", "f.csv")}
    assert len(ids) == 2


def test_a_file_with_truth_columns_is_called_simulated(edges, tmp_path):
    edges.assign(true_relation="one_way").to_csv(tmp_path / "e.csv", index=False)
    assert load("graph", str(tmp_path / "e.csv")).info.origin == "simulated"


def test_a_file_of_events_becomes_edges_with_their_evidence(tmp_path):
    rng = np.random.default_rng(0)
    # Six groups of users, each with five items of its own.
    who = rng.integers(180, size=8000)
    table = pd.DataFrame({"who": who, "sku": who % 6 + 6 * rng.integers(5, size=8000)})
    table.assign(time=rng.integers(200, size=8000)).to_csv(tmp_path / "events.csv", index=False)
    dataset = load("graph", str(tmp_path / "events.csv"), roles={"user": "who", "item": "sku"})
    assert dataset.info.rows["edges"] == 120 and dataset.edges["users"].min() >= 15
    assert set(dataset.nodes["name"]) <= {str(item) for item in range(30)}
    assert "U, then V on a later day" in dataset.info.description and dataset.info.origin == "own"
    # Events may come from a source, which is no end of an edge.
    pd.read_csv(tmp_path / "events.csv").assign(source="app").to_csv(tmp_path / "sourced.csv", index=False)
    sourced = load("graph", str(tmp_path / "sourced.csv"), roles={"user": "who", "item": "sku"})
    assert sourced.edges.equals(dataset.edges)


def test_events_that_make_no_edge_say_so(tmp_path):
    table = pd.DataFrame({"user": [1, 1, 2, 2], "item": ["a", "b", "a", "b"], "time": [0, 40, 50, 90]})
    table.to_csv(tmp_path / "events.csv", index=False)
    with pytest.raises(
        NotEnoughDataError, match=r"The events of 'events.csv' make no edge by .* 'edges', .* within 30 days, so"
    ):
        load("graph", str(tmp_path / "events.csv"))


def test_events_that_make_too_few_edges_are_called_events(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "edges_from_events", lambda frame: frame.head(3))
    pd.DataFrame({"user": [1] * 4, "item": list("abcd"), "time": range(4)}).to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(NotEnoughDataError, match=r"The events of 'e.csv' make 3 edges by .* at least 100 are needed"):
        load("graph", str(tmp_path / "e.csv"))


@pytest.mark.parametrize(
    ("kind", "data", "options", "part"),
    [
        ("delay", "debian-programs", {}, "is graph data; for delay there is journey-coupons, or a file of your own."),
        ("graph", "nope", {}, "'--data nope' is neither a file nor bundled graph data; bundled are debian-programs,"),
        ("graph", "x" * 300, {}, "is neither a file nor bundled graph data"),
        ("graph", ".", {}, "'.' is a folder; name one CSV or Parquet file."),
        ("graph", "debian-programs", {"roles": {"source": "a"}}, "is bundled and has its columns named already"),
        ("graph", "debian-programs", {"nodes": "n.csv"}, "leave out --column and --nodes."),
        ("delay", "x.csv", {"nodes": "n.csv"}, "'--nodes' belongs to graph data; leave it out for delay."),
        ("delay", "x.csv", {"merge_repeats": True}, "'--merge-repeats' belongs to graph data; leave it out for delay."),
        ("graph", "x.csv", {"roles": {"sorce": "a"}}, "'--column sorce=a' names no role of graph data; it has source,"),
        ("delay", "x.csv", {"roles": {"source": "a"}}, "names no role of delay data; it has exposure_id"),
        ("uncertainty", "x.csv", {"roles": {"k": "a"}}, "names no role of uncertainty data; it has label"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_what_can(kind, data, options, part):
    with pytest.raises(DataError) as caught:
        load(kind, data, **options)
    assert part in str(caught.value)


def test_windows_of_evidence_are_roles_too(tmp_path):
    frame = pd.DataFrame({"label": [0, 1] * 20, "hits": [1, 2] * 20, "tries": [3, 4] * 20})
    frame.to_csv(tmp_path / "u.csv", index=False)
    dataset = load("uncertainty", str(tmp_path / "u.csv"), roles={"k_all": "hits", "n_all": "tries"})
    assert dataset.windows == ("all",)


def test_a_missing_node_table_is_named(edges, tmp_path):
    edges.to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(DataError, match=r"no\.csv' does not exist"):
        load("graph", str(tmp_path / "e.csv"), nodes=str(tmp_path / "no.csv"))
