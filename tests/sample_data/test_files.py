"""The data files: rows, checksums, and what must hold in every row."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine import datasets
from engine.datasets import BUNDLED, SAMPLE_DATA
from engine.graph.explain import explain_edges, explanation_summary
from engine.tables import read_table

# A file that changes on purpose gets its new row count and checksum here and in the data card.
FILES = {
    "airline_routes_edges.csv.gz": (6_022, "de3a237d3c5c750b1442e1ab91241ee9be4adeeeaacf58a9f973cd9f0a271d10"),
    "airline_routes_nodes.csv.gz": (352, "f100397875f7f8c65f033705ab01bab79a12a3bb89c6d6c075c393c24be7f894"),
    "debian_programs_edges.csv.gz": (13_263, "bf47766165162a5d0ffc9e2f78ee3abe618bbf60ea220c25e8b88302763195e3"),
    "debian_programs_nodes.csv.gz": (5_568, "07300e725b36586e4a273bc9a8def100bc6b4aca66a43c5303376be9a6c5b18f"),
    "journey_categories_edges.csv.gz": (2_624, "792ad865abce1a9daf09111f66def414dc86ebf4f64025d64368484be55f986c"),
    "journey_categories_nodes.csv.gz": (272, "ad19adf79959144ca476d68fc59d92698b1770d4e2be639bacb94ddf484937fa"),
    "journey_coupons.csv.gz": (5_657, "9dac6775011b6802da735656a0ce75729946ca2d774ea53277d9d37562d6d8c5"),
    "journey_purchases.parquet": (60_000, "f9895896f756cc7395b19af7f1821a4a57af6ebbafb7b539cd24ba5a14f0205d"),
    "journey_types_edges.csv.gz": (11_075, "8849713b69a39f1cf220bce8f3325d88b8c5b32156b4685c92a7ea8790074ac2"),
    "journey_types_nodes.csv.gz": (1_272, "19cf41226ba2d8efcba92c6a1b16828bf67066ef40b811cfbe45b07308bb649b"),
}
JOURNEY_GRAPHS = ("journey_categories", "journey_types")
GRAPHS = ("airline_routes", "debian_programs", *JOURNEY_GRAPHS)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: read_table(SAMPLE_DATA / name) for name in FILES}


@pytest.fixture(scope="module")
def coupons(tables) -> pd.DataFrame:
    table = tables["journey_coupons.csv.gz"].copy()
    times = [name for name in table.columns if name.endswith("_time")]
    return table.assign(**{name: pd.to_datetime(table[name], format="%Y-%m-%d") for name in times})


@pytest.fixture(scope="module")
def purchases(tables) -> pd.DataFrame:
    return tables["journey_purchases.parquet"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_its_rows_and_its_checksum(tables, name):
    rows, checksum = FILES[name]
    assert len(tables[name]) == rows
    assert hashlib.sha256((SAMPLE_DATA / name).read_bytes()).hexdigest() == checksum


def test_every_data_file_is_listed_bundled_and_small():
    found = {path.name for path in SAMPLE_DATA.iterdir() if path.is_file()} - {"README.md"}
    bundled = {name for entry in BUNDLED.values() for name in (entry.file, entry.nodes) if name}
    assert found == set(FILES) == bundled
    assert sum((SAMPLE_DATA / name).stat().st_size for name in FILES) < 2.2e6


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_data_set_loads_with_all_its_rows(name):
    entry = BUNDLED[name]
    loaded = datasets.load(entry.kind, name)
    assert FILES[entry.file][0] in loaded.info.rows.values()
    assert loaded.info.origin == entry.origin


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".gz")])
def test_a_gzipped_file_holds_no_time_of_writing(name):
    assert (SAMPLE_DATA / name).read_bytes()[4:8] == bytes(4)


def test_the_parquet_file_is_compressed_and_knows_nothing_of_pandas():
    file = pq.ParquetFile(SAMPLE_DATA / "journey_purchases.parquet")
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.metadata is None


@pytest.mark.parametrize("stem", GRAPHS)
def test_graph_tables_fit_together(tables, stem):
    edges, nodes = tables[f"{stem}_edges.csv.gz"], tables[f"{stem}_nodes.csv.gz"]
    assert (edges["source"] != edges["target"]).all()
    assert not edges.duplicated(["source", "target"]).any()
    assert nodes["node"].is_unique
    assert set(edges["source"]) | set(edges["target"]) == set(nodes["node"])


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_labels_are_readable(tables, stem):
    nodes = tables[f"{stem}_nodes.csv.gz"]
    assert nodes["label"].is_unique
    shown = pd.concat([nodes[name] for name in ("label", "category", "department") if name in nodes])
    assert (shown == shown.str.split().str.join(" ")).all()
    assert shown.str[:1].str.isupper().all()
    loud = {label for label in shown if label.isupper() and len(label) > 4}
    assert loud == set()


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_edges_keep_the_rules_of_their_construction(tables, stem):
    edges = tables[f"{stem}_edges.csv.gz"]
    assert edges.groupby("source").size().max() == 10
    assert edges["users"].min() >= 15
    assert (edges["days_followed"] >= edges["users"]).all()
    assert edges["season_share"].between(0, 1).all()
    # A lower bound of at most 1 times the lift is above 1.
    assert edges["lift"].min() > 1


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_the_score_of_every_edge_is_above_one(tables, stem):
    edges = tables[f"{stem}_edges.csv.gz"]
    # The Poisson chance of at least as many households, were the true number households / lift: below 5 %.
    rates = edges["users"] / (edges["lift"] + 0.0005)
    for count, rate in zip(edges["users"], rates, strict=True):
        below = math.fsum(math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(count))
        assert 1 - below <= 0.05 + 1e-9


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_both_directions_of_a_mutual_pair_agree(tables, stem):
    edges = tables[f"{stem}_edges.csv.gz"]
    both = edges.merge(edges, left_on=["source", "target"], right_on=["target", "source"])
    assert len(both) > 100
    assert (both["reverse_lift_x"] == both["lift_y"]).all()


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_the_evidence_of_an_edge_fits_together(tables, stem):
    edges = tables[f"{stem}_edges.csv.gz"]
    for side in ("", "reverse_"):
        for name in ("followed", "preceded"):
            assert (edges[f"{side}days_{name}"] <= edges["target_days" if side else "source_days"]).all()
    days = edges.groupby("source")["source_days"].nunique()
    assert (days == 1).all()
    # Pooled evidence lies between the halves but for a smoothing of half an occasion and the calendar of each half.
    low, high = edges[["lift_first", "lift_second"]].min(axis=1), edges[["lift_first", "lift_second"]].max(axis=1)
    assert ((low - 0.05 <= edges["lift"]) & (edges["lift"] <= high + 0.05)).mean() > 0.98
    assert set(edges["direction_replicates"]) == {0, 1}
    told = edges[edges["direction_replicates"] == 1]
    assert (np.sign(told["time_order_first"]) == np.sign(told["time_order_second"])).all()
    assert (edges["time_order_se"] > 0).all() and (edges["asymmetry_se"] > 0).all()


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_popularity_and_not_time_order_carries_the_asymmetries_of_the_groceries(tables, stem):
    summary = explanation_summary(explain_edges(tables[f"{stem}_edges.csv.gz"])).set_index("explanation")
    assert summary.loc["popularity", "ci_low"] > 0.5
    assert summary.loc["time_order", "ci_high"] < 0.01


@pytest.mark.parametrize("stem", JOURNEY_GRAPHS)
def test_an_edge_cannot_have_more_days_or_households_than_its_ends(tables, stem):
    nodes = tables[f"{stem}_nodes.csv.gz"].set_index("node")
    edges = tables[f"{stem}_edges.csv.gz"]
    assert (edges["days_followed"] <= edges["source"].map(nodes["purchases"])).all()
    for end in ("source", "target"):
        assert (edges["users"] <= edges[end].map(nodes["households"])).all()


def test_relations_of_programs_have_four_names(tables):
    assert set(tables["debian_programs_edges.csv.gz"]["relation"]) == {"depends", "recommends", "suggests", "enhances"}


def test_programs_with_a_security_update_are_there(tables):
    # The security archive's index has no tags: reading it would drop these.
    assert {"vlc", "thunderbird", "inkscape", "ffmpeg"} <= set(tables["debian_programs_nodes.csv.gz"]["node"])


def test_exposures_are_distinct_and_lie_wholly_in_the_year(coupons):
    assert coupons["exposure_id"].is_unique
    assert not coupons.duplicated(["unit", "campaign"]).any()
    ends = coupons["exposure_time"] + pd.to_timedelta(coupons["window_days"], unit="D")
    assert coupons["exposure_time"].min() >= pd.Timestamp("2017-01-01")
    assert ends.max() <= pd.Timestamp("2017-12-31")
    campaigns = coupons[["campaign", "exposure_time", "window_days", "segment"]].drop_duplicates()
    assert campaigns["campaign"].is_unique


def test_no_conversion_is_early_or_late(coupons):
    delay = (coupons["conversion_time"] - coupons["exposure_time"]).dt.days.dropna()
    assert delay.min() >= 0
    assert (delay <= coupons["window_days"].loc[delay.index]).all()


@pytest.mark.parametrize("name", ["engagement_time", "visit_time"])
def test_signals_come_after_the_exposure_inside_the_window(coupons, name):
    delay = (coupons[name] - coupons["exposure_time"]).dt.days.dropna()
    assert delay.min() == 1
    assert (delay <= coupons["window_days"].loc[delay.index]).all()


def test_an_engaged_household_has_visited(coupons):
    engaged = coupons[coupons["engagement_time"].notna()]
    assert (engaged["visit_time"] <= engaged["engagement_time"]).all()


def test_prior_redemptions_leave_out_those_of_the_exposure_and_later(coupons):
    # What a row counts must be at least the conversions of the same household that came before its exposure, and
    # a household without any earlier exposure that converted may still have redeemed coupons of the left-out campaigns.
    pairs = coupons.merge(coupons, on="unit", suffixes=("", "_other"))
    earlier = pairs[pairs["conversion_time_other"] < pairs["exposure_time"]]
    known = earlier.groupby("exposure_id").size().reindex(coupons["exposure_id"], fill_value=0).to_numpy()
    assert (coupons["prior_redemptions"].to_numpy() >= known).all()
    first = coupons["exposure_time"] == coupons["exposure_time"].min()
    assert coupons.loc[first, "prior_redemptions"].mean() < coupons["prior_redemptions"].mean() / 2


def test_purchase_rows_are_distinct_and_compact(purchases):
    assert not purchases.duplicated(["unit", "week", "category"]).any()
    assert purchases["week"].between(20, 52).all()
    assert set(purchases["label"]) == {0, 1}
    assert not purchases.isna().any().any()


def test_evidence_is_nested(purchases):
    for name in ("4", "8", "all"):
        assert (purchases[f"k_{name}"] >= 0).all()
        assert (purchases[f"k_{name}"] <= purchases[f"n_{name}"]).all()
    for kind in "kn":
        assert (purchases[f"{kind}_4"] <= purchases[f"{kind}_8"]).all()
        assert (purchases[f"{kind}_8"] <= purchases[f"{kind}_all"]).all()
    assert purchases["n_4"].max() == 4
    assert purchases["n_8"].max() == 8
    assert (purchases["n_all"] < purchases["week"]).all()


def test_recency_agrees_with_the_evidence(purchases):
    since, never = purchases["weeks_since_purchase"], purchases["k_all"] == 0
    assert ((since == 52) == never).all()
    assert ((since <= 4) == (purchases["k_4"] > 0)).all()
    assert ((since <= 8) == (purchases["k_8"] > 0)).all()
    assert ((since == 1) == (purchases["bought_last_week"] == 1)).all()
    assert ((purchases["weeks_since_visit"] <= 4) == (purchases["n_4"] > 0)).all()


def test_evidence_holds_earlier_labels_and_not_the_own(purchases):
    # Two rows of one household and category: what the earlier week's label adds, the later row has seen, once.
    ordered = purchases.sort_values(["unit", "category", "week"])
    later = ordered.groupby(["unit", "category"], sort=False)[["week", "k_all", "n_all"]].shift(-1)
    pairs = ordered.assign(gap=later["week"] - ordered["week"], gain=later["k_all"] - ordered["k_all"])
    pairs = pairs.assign(visits=later["n_all"] - ordered["n_all"])[later["week"].notna()]
    assert (pairs["gain"] >= pairs["label"]).all()
    assert (pairs["gain"] <= pairs["visits"] - 1 + pairs["label"]).all()
    assert (pairs["visits"] <= pairs["gap"]).all()
    adjacent = pairs[pairs["gap"] == 1]
    assert len(adjacent) > 500
    assert adjacent["label"].sum() > 50
    assert (adjacent["gain"] == adjacent["label"]).all()
    assert (adjacent["visits"] == 1).all()


def test_promotions_are_known_only_with_a_home_store(purchases):
    counts = ["mailer_items", "feature_items", "display_items"]
    assert (purchases.loc[purchases["home_store_known"] == 0, counts] == 0).all().all()
    assert (purchases["feature_items"] <= purchases["mailer_items"]).all()


def test_households_and_weeks_see_one_store_and_one_history(purchases):
    shared = ["weeks_since_visit", "trips_4w", "basket_spend_4w", "categories_4w", "n_4", "n_8", "n_all", "age"]
    assert not purchases[["unit", "week", *shared]].drop_duplicates().duplicated(["unit", "week"]).any()
    rates = purchases.groupby(["week", "category"])["category_rate_8w"]
    assert np.allclose(rates.max(), rates.min())
