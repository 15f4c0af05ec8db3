"""A described graph: facts, intervals, labels, and no asymmetry where there is none."""

from __future__ import annotations

import ibis
import networkx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import ConfigError, DataError
from engine.graph.described import UNDESCRIBED, describe
from engine.graph.described_config import DescribeSettings
from engine.graph.described_tables import graph_tables
from engine.graph.described_text import answer, leaning, percent, sentences
from engine.result import METRIC_COLUMNS, DatasetInfo, RunResult

INFO = DatasetInfo(name="made.csv", origin="own", data_id="")


def memory(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def described(frame: pd.DataFrame, nodes: pd.DataFrame | None = None, **settings: int) -> RunResult:
    about = None if nodes is None else memory(nodes)
    return describe(memory(frame), {}, DescribeSettings(**settings), info=INFO, nodes=about)


def random_edges(count: int = 80, degree: int = 6, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ends = rng.integers(count, size=(count * degree, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    return pd.DataFrame(ends, columns=["source", "target"])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return random_edges()


def test_facts_are_those_of_networkx(frame):
    facts = described(frame).curves["described"].iloc[0]
    graph = networkx.DiGraph(frame.to_numpy().tolist())
    assert (facts["edges"], facts["nodes"]) == (graph.number_of_edges(), graph.number_of_nodes())
    assert facts["one_way_share"] == pytest.approx(1 - networkx.overall_reciprocity(graph))
    assert facts["repeated"] == len(frame) - graph.number_of_edges() > 0
    assert facts["one_way_low"] < facts["one_way_share"] < facts["one_way_high"]
    assert facts["chance_one_way"] == pytest.approx(facts["one_way_share"], abs=0.05)


def test_the_interval_is_that_of_resampled_nodes():
    frame = random_edges(300, 5, seed=2).drop_duplicates()
    facts = graph_tables(memory(frame))["described"].iloc[0]
    known = set(frame.itertuples(index=False, name=None))
    mutual = frame.assign(mutual=[(target, source) in known for source, target in known_rows(frame)])
    by_node = mutual.groupby("source")["mutual"].agg(["sum", "size"]).to_numpy()
    rng = np.random.default_rng(0)
    draws = [
        1 - part[:, 0].sum() / part[:, 1].sum()
        for part in by_node[rng.integers(len(by_node), size=(2000, len(by_node)))]
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    assert (facts["one_way_low"], facts["one_way_high"]) == (
        pytest.approx(low, abs=4e-3),
        pytest.approx(high, abs=4e-3),
    )


def known_rows(frame: pd.DataFrame) -> list[tuple[int, int]]:
    return list(frame[["source", "target"]].itertuples(index=False, name=None))


def test_shares_by_degree_add_up_and_match_a_count_by_hand(frame):
    edges = frame.drop_duplicates()
    tables = graph_tables(memory(frame))
    known = set(known_rows(edges))
    one_way = np.array([(target, source) not in known for source, target in known_rows(edges)])
    for degree, end in (("out_degree", "source"), ("in_degree", "target")):
        of_node = edges.groupby(end).size()
        size = edges[end].map(of_node).to_numpy()
        rows = tables["one_way_by_degree"].set_index(["degree", "bucket"]).loc[degree]
        assert rows["n"].sum() == len(edges)
        for bucket, low, high in (("3–4", 3, 4), ("5–9", 5, 9)):
            inside = (size >= low) & (size <= high)
            assert rows.loc[bucket, "value"] == pytest.approx(one_way[inside].mean())
            assert rows.loc[bucket, "nodes"] == ((of_node >= low) & (of_node <= high)).sum()
        expected = (rows["expected"] * rows["n"]).sum() / len(edges)
        assert expected == pytest.approx(tables["described"]["chance_one_way"].iloc[0], abs=1e-9)


def test_distribution_and_quantiles_are_those_of_the_degrees(frame):
    graph = networkx.DiGraph(frame.to_numpy().tolist())
    tables = graph_tables(memory(frame))
    for kind, degree in (("out_degree", dict(graph.out_degree())), ("in_degree", dict(graph.in_degree()))):
        values = np.array(list(degree.values()))
        rows = tables["degree_distribution"].set_index("kind").loc[kind]
        assert rows.set_index("degree")["nodes"].to_dict() == pd.Series(values).value_counts().to_dict()
        assert rows["share_at_least"].tolist() == [np.mean(values >= k) for k in rows["degree"]]
        found = tables["degree_quantiles"].set_index(["kind", "quantile"]).loc[kind, "degree"]
        assert found[0.5] == np.quantile(values, 0.5, method="inverted_cdf")
        assert (found[0.0], found[1.0]) == (values.min(), values.max())


def test_a_symmetric_graph_claims_no_asymmetry(frame):
    both = pd.concat([frame, frame.rename(columns={"source": "target", "target": "source"})])
    result = described(both)
    facts = result.curves["described"].iloc[0]
    assert facts["one_way"] == 0 and facts["one_way_low"] == 0 and facts["one_way_high"] < 0.06
    assert answer(result.curves).startswith("No edge points one way: each of ")
    assert (result.curves["one_way_by_degree"]["value"].dropna() == 0).all()
    assert result.curves["listed_nodes"].empty and leaning(result.curves["leaning"], "nodes") is None
    assert (result.curves["edges"]["is_mutual"]).all()
    pairs = result.curves["listed_pairs"]
    assert (pairs["share"] == 0.5).all() and len(result.curves["claims"]) == 0


def test_repeats_thrown_by_a_fair_coin_lean_no_more_than_it():
    rng = np.random.default_rng(4)
    low, high = np.triu_indices(40, 1)
    times = rng.integers(5, 30, len(low))
    heads = rng.random(times.sum()) < 0.5
    one, two = np.repeat(low, times), np.repeat(high, times)
    frame = pd.DataFrame({"source": np.where(heads, one, two), "target": np.where(heads, two, one)})
    row = leaning(graph_tables(memory(frame))["leaning"], "pairs")
    assert row is not None and row["n"] == len(low)
    assert row["ci_low"] <= row["expected"] <= row["ci_high"]


def test_a_part_of_a_large_graph_is_stored_and_said(frame):
    result = described(frame, stored_edges=100, stored_nodes=20, stored_links=2)
    facts, rows = result.curves["described"].iloc[0], result.dataset.rows
    assert facts["stored_nodes"] == rows["nodes kept to look around"] == len(result.curves["nodes"]) == 20
    assert facts["stored_edges"] == rows["edges kept among them"] == len(result.curves["edges"]) < facts["edges"]
    degree = networkx.DiGraph(frame.to_numpy().tolist()).degree()
    kept = [degree[int(name)] for name in result.curves["nodes"]["name"]]
    assert sorted(kept) == sorted(dict(degree).values())[-20:]
    assert "nodes kept to look around" not in described(frame).dataset.rows


def test_nodes_carry_their_labels_and_those_without_keep_their_name(frame):
    nodes = pd.DataFrame({"node": [1, 2, 2], "label": ["One", "Two", "again"], "section": ["a", None, "b"]})
    found = described(frame, nodes).curves["nodes"].set_index("name")
    assert found.loc["1", ["label", "category"]].tolist() == ["One", "a"]
    assert found.loc["2", ["label", "category"]].tolist() == ["Two", UNDESCRIBED]
    assert found.loc["3", ["label", "category"]].tolist() == ["3", UNDESCRIBED]
    assert set(described(frame).curves["nodes"]["category"]) == {"all"}
    with pytest.raises(DataError, match="Column 'node' is missing in the node table"):
        described(frame, nodes.rename(columns={"node": "id"}))


def test_metrics_have_the_baseline_beside_every_share(frame):
    metrics = described(frame).metrics
    assert list(metrics.columns) == list(METRIC_COLUMNS)
    assert metrics.groupby(["segment", "metric"])["method"].agg(sorted).map(tuple).unique().tolist() == [
        ("degrees", "observed")
    ]


def test_sentences_compare_with_chance_only_where_there_is_enough(frame):
    tables = dict(described(frame).curves)
    assert "about as many edges have an edge back as by chance" in sentences(tables)[0]
    facts = tables["described"].assign(one_way_low=0.1, one_way_high=0.2)
    assert "more edges have an edge back than by chance" in answer(tables | {"described": facts})
    assert "fewer edges have an edge back" in answer(
        tables | {"described": facts.assign(one_way_low=1.0, one_way_high=1.0)}
    )
    few = described(pd.DataFrame({"source": [1], "target": [2]}))
    assert "1 edge point" in answer(few.curves) and "(n 1 node, too few to compare)" in answer(few.curves)


@pytest.mark.parametrize(("share", "written"), [(0.0, "0 %"), (0.5, "50.0 %"), (0.99997, ">99.99 %"), (1.0, "100 %")])
def test_a_share_is_never_rounded_to_all_or_more(share, written):
    assert percent(share) == written


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="'stored_nodes' is 5; allowed is a whole number from 10"):
        DescribeSettings(stored_nodes=5)
    with pytest.raises(ConfigError, match="'window_days' is 0"):
        DescribeSettings(window_days=0)
