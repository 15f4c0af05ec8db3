"""Columns of a node table become a matrix with named columns; counts and truth stay out unless asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError, DataError
from engine.graph.config import GraphConfig
from engine.graph.data import Dataset, prepare
from engine.graph.features import MAXIMUM_FEATURES, node_features
from engine.graph.train import fit

SIX = pd.DataFrame(
    {
        "section": ["net", "net", "net", "games", "games", None],
        "tags": ["a;b", "a; b", "b;b;a", "c", "", "b"],
        "size": [0.0, 1.0, 2.0, 3.0, 4.0, np.nan],
        "true_group": [0, 0, 0, 1, 1, 1],
    }
)


def columns_of(table, columns):
    """Return name to dense column."""
    features = node_features(table, columns)
    return dict(zip(features.names, features.matrix.toarray().T.tolist(), strict=True))


def test_every_value_of_a_cell_becomes_a_flag_and_rare_values_are_dropped():
    # games, c and the missing section or tag are on fewer than three nodes.
    assert columns_of(SIX, ("section", "tags")) == {
        "tags: b": [1, 1, 1, 0, 0, 1],
        "section: net": [1, 1, 1, 0, 0, 0],
        "tags: a": [1, 1, 1, 0, 0, 0],
    }


def test_numbers_are_standardised_and_missing_ones_are_the_mean():
    assert columns_of(SIX, ("size",)) == {
        "size (standardised)": pytest.approx([-(2**0.5), -(2**-0.5), 0, 2**-0.5, 2**0.5, 0])
    }


def test_huge_numbers_are_standardised_and_rounding_is_no_difference():
    size = np.array([1.0, 2, 3, 4, 5, 6])
    table = pd.DataFrame({"small": size, "huge": size * 2e307, "almost": 1e9 + size * 1e-6})
    features = node_features(table, ("small", "huge", "almost"))
    assert features.names == ("small (standardised)", "huge (standardised)")
    small, huge = features.matrix.toarray().T
    assert huge == pytest.approx(small) and small == pytest.approx((size - 3.5) / size.std())


def test_a_skewed_count_enters_as_its_logarithm():
    table = pd.DataFrame({"size": np.expm1([0.0, 0, 0, 0, 0, 0, 0, 3])})
    name, column = next(iter(columns_of(table, ("size",)).items()))
    assert name == "size (log, standardised)"
    logs = np.array([0.0] * 7 + [3])
    assert column == pytest.approx((logs - logs.mean()) / logs.std(), abs=1e-6)


def test_a_missing_cell_raises_a_flag_where_there_are_enough_of_them():
    table = pd.DataFrame({"size": [1.0, 2.0, 3.0, np.nan, np.nan, np.nan]})
    assert columns_of(table, ("size",))["size: missing"] == [0, 0, 0, 1, 1, 1]


def test_auto_takes_no_number_and_no_truth():
    assert set(columns_of(SIX, ("auto",))) == {"tags: b", "section: net", "tags: a"}


def test_the_truth_of_a_simulation_is_refused_as_a_feature():
    with pytest.raises(DataError, match="'true_group', which holds the truth of a simulation"):
        node_features(SIX, ("true_group",))


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match=r"'sise', which is no column .* section, tags, size"):
        node_features(SIX, ("sise",))
    with pytest.raises(DataError, match=r"'sise', which is no column .* auto, none\."):
        node_features(None, ("sise",))


def test_nothing_to_encode_is_no_features():
    assert node_features(SIX, ("none",)) is None
    assert node_features(None, ("auto",)) is None
    assert node_features(SIX[["size"]], ("auto",)) is None
    assert node_features(pd.DataFrame({"group": ["all"] * 9}), ("auto",)) is None


def test_values_of_unknown_rows_teach_nothing():
    known = np.array([True, True, True, True, True, False])
    table = SIX.assign(tags=["a", "a", "a", "c", "c", "c"], size=[1, 1, 1, 3, 3, 99.0])
    features = node_features(table, ("tags", "size"), known=known)
    assert features.names == ("size (standardised)", "tags: a")
    # Mean 1.8 and deviation 0.98 of the five known; 99 is cut at three deviations.
    assert features.matrix.toarray()[:, 0] == pytest.approx([-0.8165, -0.8165, -0.8165, 1.2247, 1.2247, 3], abs=1e-4)


def test_at_most_so_many_features_are_kept_the_most_frequent_first():
    many = MAXIMUM_FEATURES + 5
    tags = [";".join(f"t{i:04d}" for i in range(many))] * 3 + ["t0003;t1004"] * 2 + [""] * 3
    features = node_features(pd.DataFrame({"tags": tags, "size": np.arange(8.0)}), ("tags", "size"))
    assert len(features.names) == MAXIMUM_FEATURES
    assert features.names[:3] == ("size (standardised)", "tags: t0003", "tags: t1004")


def test_normalised_rows_have_length_one_or_zero():
    features = node_features(SIX, ("section", "tags"))
    lengths = np.linalg.norm(features.row_normalised().toarray(), axis=1)
    assert lengths == pytest.approx([1, 1, 1, 0, 0, 1])


def test_the_node_table_keeps_its_columns_in_the_order_of_positions(dataset: Dataset):
    assert list(dataset.features) == ["category", "true_group", "true_activity", "true_popularity"]
    assert np.array_equal(dataset.features["category"], dataset.nodes["category"])


def test_features_do_not_depend_on_the_edges(dataset: Dataset, quick: GraphConfig):
    edges = dataset.edges.iloc[::-1].reset_index(drop=True)
    one, other = prepare(dataset, quick), prepare(dataclasses.replace(dataset, edges=edges), quick)
    assert one.training.features.names == other.training.features.names
    assert np.array_equal(one.training.features.matrix.toarray(), other.training.features.matrix.toarray())


def test_a_graph_without_features_trains_as_if_none_were_wanted(dataset: Dataset, quick: GraphConfig):
    bare = dataclasses.replace(dataset, features=None)
    trained = ("dual", "single", "paper")
    auto = dataclasses.replace(quick, methods=trained)
    none = dataclasses.replace(auto, features=("none",))
    one, other = fit(prepare(bare, auto), auto), fit(prepare(dataset, none), none)
    for method in trained:
        assert np.array_equal(one.scorers[method].source, other.scorers[method].source)
    assert one.model.keys() == other.model.keys() and "dual.feature_weight" not in one.model


@pytest.mark.parametrize(("form", "method"), [("default", "dual"), ("paper", "paper")])
def test_features_enter_every_trained_form(dataset: Dataset, quick: GraphConfig, form, method):
    config = dataclasses.replace(quick, methods=("dual", "single", "paper"), form=form)
    none = dataclasses.replace(config, features=("none",))
    one, other = fit(prepare(dataset, config), config), fit(prepare(dataset, none), none)
    assert all(not np.array_equal(one.scorers[m].source, other.scorers[m].source) for m in config.methods)
    assert one.model[f"{method}.feature_weight"].shape == (5, 8)


def test_auto_and_none_stand_alone():
    for columns in ((), ("auto", "tags"), ("none", "tags")):
        with pytest.raises(ConfigError, match="'features' is"):
            GraphConfig(features=columns)
