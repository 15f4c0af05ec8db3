"""The queues hold the pairs that a hand count finds, each once, pointing the way the model prefers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.errors import RunError
from engine.graph import review_pairs
from engine.graph.explore import Scene
from engine.graph.review_pairs import ALL_CATEGORIES, QUEUES, candidate_pairs, category_shares, queue_of
from engine.metrics.calibration import wilson_interval

SPLITS = ["train", "validation", "test", "none"]
COLUMNS = ["source", "target", "score", "rank", "back_score", "back_rank"]


def scene(edges: list[tuple], listed: list[tuple], *, categories: str = "xxyyz", **evidence: list[float]) -> Scene:
    """Make a scene of edges (as COLUMNS, then the split) and of listed targets (as COLUMNS).

    The log-odds of a direction are the difference of the scores.
    """
    nodes = pd.DataFrame({"name": list("abcdefgh")[: len(categories)], "category": list(categories)})
    nodes = nodes.assign(label=nodes["name"])
    table = pd.DataFrame(edges, columns=[*COLUMNS, "split"]).astype({"score": "float32", "back_score": "float32"})
    table = table.assign(split=pd.Categorical(table["split"], categories=SPLITS), **evidence)
    lists = pd.DataFrame(listed, columns=COLUMNS).astype({"score": "float32", "back_score": "float32"})
    lists = lists.rename(columns={"source": "node", "target": "other"})
    table, lists = (part.assign(direction=part["score"] - part["back_score"]) for part in (table, lists))
    lists = lists.assign(method="dual", role="target", place=range(1, len(lists) + 1))
    return Scene(nodes, table, lists, "dual")


@pytest.fixture
def shown() -> Scene:
    """a -> b and b -> a (mutual), a -> c one way and liked, c -> d one way and liked backwards, d -> e held out.

    The lists hold c -> a (the reversal of a -> c), e -> a and b -> c.
    """
    edges = [
        (0, 1, 3.0, 1.0, 1.0, 2.0, "train"),
        (1, 0, 1.0, 2.0, 3.0, 1.0, "validation"),
        (0, 2, 2.0, 2.0, 1.5, 1.0, "train"),
        (2, 3, -1.0, 9.0, 4.0, 1.0, "train"),
        (3, 4, 5.0, 1.0, 0.0, 7.0, "test"),
    ]
    listed = [(2, 0, 1.5, 1.0, 2.0, 2.0), (4, 0, 0.5, 2.0, 0.5, 3.0), (1, 2, 0.0, 3.0, 6.0, 4.0)]
    return scene(edges, listed, users=[40.0, 30.0, 20.0, 10.0, 5.0])


def arrows(pairs: pd.DataFrame) -> list[str]:
    return ["abcdefgh"[row.source] + "abcdefgh"[row.target] for row in pairs.itertuples()]


def explained(*replicates: float) -> pd.DataFrame:
    return pd.DataFrame({"replicates": replicates})


def chosen(shown: Scene, *replicates: float) -> pd.DataFrame:
    return review_pairs.review_pairs(shown, explained(*(replicates or [np.nan] * len(shown.edges))))


def test_every_pair_comes_once_and_points_the_way_the_model_prefers(shown: Scene) -> None:
    pairs = candidate_pairs(shown)
    assert sorted(arrows(pairs)) == ["ab", "ac", "ae", "cb", "dc", "de"]
    assert (pairs["score"] >= pairs["back_score"]).all()
    row = pairs.iloc[arrows(pairs).index("dc")]
    assert row[["score", "rank", "back_score", "back_rank"]].tolist() == [4.0, 1.0, -1.0, 9.0]


def test_the_log_odds_decide_not_the_scores(shown: Scene) -> None:
    edges = shown.edges.assign(direction=[-1.0, 1.0, 0.25, 2.0, 0.0])
    told = replace(shown, edges=edges, lists=shown.lists.assign(direction=[-0.25, 3.0, -4.0]))
    pairs = candidate_pairs(told)
    # b -> a against the scores, c -> d with its edge; d -> e is a tie and stays as its edge; the list turns b -> c.
    assert sorted(arrows(pairs)) == ["ac", "ba", "cb", "cd", "de", "ea"]
    assert pairs.set_index(pd.Index(arrows(pairs)))["direction"].to_dict() == {
        "ba": 1.0, "ac": 0.25, "cd": 2.0, "de": 0.0, "ea": 3.0, "cb": 4.0,
    }  # fmt: skip
    row = pairs.iloc[arrows(pairs).index("ba")]
    assert row[["score", "back_score", "edge", "back_edge"]].tolist() == [1.0, 3.0, 1, 0]


def test_a_run_of_an_earlier_version_is_refused_with_what_to_do(shown: Scene) -> None:
    for change in ({"edges": shown.edges.drop(columns="direction")}, {"lists": shown.lists.drop(columns="direction")}):
        with pytest.raises(RunError, match="hold no 'direction' of its pairs; train it again"):
            candidate_pairs(replace(shown, **change))


def test_a_pair_knows_its_edges_their_split_and_its_kind(shown: Scene) -> None:
    pairs = candidate_pairs(shown)
    facts = pairs.set_index(pd.Index(arrows(pairs)))[["edge", "back_edge", "split", "back_split", "kind"]]
    assert facts.loc["ab"].tolist() == [0, 1, "train", "validation", "observed"]
    assert facts.loc["dc"].tolist() == [-1, 3, "none", "train", "observed"]
    assert facts.loc["de"].tolist() == [4, -1, "test", "none", "held_out"]
    assert facts.loc["cb"].tolist() == [-1, -1, "none", "none", "predicted"]


def test_a_pair_whose_edges_the_table_left_out_is_known_by_the_lists() -> None:
    cut = scene([(0, 1, 3.0, 1.0, 1.0, 2.0, "train")], [(2, 3, 1.0, 1.0, 0.0, 1.0), (4, 2, 0.0, 2.0, 1.0, 1.0)])
    lists = cut.lists.assign(split=["test", "none"], back_split=["none", "validation"])
    pairs = candidate_pairs(replace(cut, lists=lists.astype({"split": "category", "back_split": "category"})))
    facts = pairs.set_index(pd.Index(arrows(pairs)))[["edge", "back_edge", "split", "back_split", "kind"]]
    assert facts.loc["cd"].tolist() == [-1, -1, "test", "none", "held_out"]
    # The model turns e -> c round, so its known edge back points this way now.
    assert facts.loc["ce"].tolist() == [-1, -1, "validation", "none", "observed"]


def test_equal_scores_leave_a_pair_the_way_of_its_edge_or_of_the_smaller_position() -> None:
    tied = scene([(3, 1, 2.0, 1.0, 2.0, 1.0, "train")], [(4, 0, 1.0, 1.0, 1.0, 1.0)])
    assert arrows(candidate_pairs(tied)) == ["db", "ae"]


def test_the_queues_by_hand(shown: Scene) -> None:
    pairs = chosen(shown, 1.0, 0.0, 0.0, 0.0, 1.0)
    # Differences: cb 6, dc 5, de 5, ab 2, ac 0.5, ae 0. A tie is no asymmetry.
    assert arrows(queue_of(pairs, "asymmetric")) == ["cb", "dc", "de", "ab", "ac"]
    # Of the lists of length 3, both ranks of ab and ac lie within; ab is an edge both ways.
    assert arrows(queue_of(pairs, "both_ways")) == ["ac"]
    # The edge a -> b replicates; that of c -> d does not, though the model turns it round.
    assert arrows(queue_of(pairs, "not_replicated")) == ["dc", "ac"]


@pytest.mark.parametrize(("rank", "queued"), [(2.5, True), (3.0, True), (3.5, False)])
def test_a_pair_is_recommended_both_ways_up_to_the_last_place_of_the_lists(rank: float, queued: bool) -> None:
    listed = [(4, place, 0.5, place + 1.0, 0.0, 9.0) for place in range(3)]
    liked = scene([(0, 1, 3.0, 1.0, 2.0, rank, "train")], listed)
    assert arrows(queue_of(chosen(liked), "both_ways")) == (["ab"] if queued else [])


def test_without_evidence_of_events_no_pair_is_called_unstable(shown: Scene) -> None:
    assert (chosen(shown)["not_replicated"] == 0).all()


def test_the_probability_of_a_direction_follows_its_log_odds(shown: Scene) -> None:
    pairs = chosen(shown)
    row = pairs.iloc[arrows(pairs).index("ab")]
    assert row["probability"] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_support_is_the_larger_of_both_edges_and_missing_for_predictions(shown: Scene) -> None:
    pairs = chosen(shown).set_index(pd.Index(arrows(chosen(shown))))
    assert pairs["support"].drop("cb").to_dict() == {"ab": 40.0, "ac": 20.0, "dc": 10.0, "de": 5.0}
    assert np.isnan(pairs.loc["cb", "support"])
    plain = scene([(0, 1, 2.0, 1.0, 1.0, 1.0, "train")], [])
    assert chosen(plain)["support"].isna().all()


def test_filters_keep_what_they_name(shown: Scene) -> None:
    pairs = chosen(shown)
    assert arrows(queue_of(pairs, "asymmetric", category="z")) == ["de"]
    assert arrows(queue_of(pairs, "asymmetric", category="x")) == ["cb", "ab", "ac"]
    assert arrows(queue_of(pairs, "asymmetric", min_score=4.0)) == ["cb", "dc", "de"]
    assert arrows(queue_of(pairs, "asymmetric", min_support=20.0)) == ["ab", "ac"]
    assert arrows(queue_of(pairs, "asymmetric", kinds=("predicted", "held_out"))) == ["cb", "de"]
    assert arrows(queue_of(pairs, "asymmetric", category="none")) == []


def test_no_hub_and_no_category_fills_a_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(source, 7, 10.0 - source, 1.0, 0.0, 1.0, "train") for source in range(5)]
    rows += [(5, 6, 1.0, 1.0, 0.0, 1.0, "train"), (0, 6, 0.5, 1.0, 0.0, 1.0, "train")]
    many = scene(rows, [], categories="xxxxxzzx")
    assert arrows(queue_of(chosen(many), "asymmetric")) == ["ah", "bh", "ch", "fg", "ag"]
    monkeypatch.setattr(review_pairs, "PER_QUEUE", 1)
    monkeypatch.setattr(review_pairs, "PER_CATEGORY", 1)
    # The first pair of all, and the first of category z on either side.
    assert arrows(queue_of(chosen(many), "asymmetric")) == ["ah", "fg"]


def test_places_count_from_one_without_gaps(shown: Scene) -> None:
    pairs = chosen(shown, 0.0, 0.0, 0.0, 0.0, 0.0)
    for queue in QUEUES:
        places = pairs.loc[pairs[queue] > 0, queue]
        assert sorted(places) == list(range(1, len(places) + 1))


def test_the_share_of_claimed_directions_by_category(shown: Scene) -> None:
    table = category_shares(shown).set_index("category")
    # Known pairs: ab (0.88), ac (0.62), dc (0.99), de (0.99); at 0.8 all but ac are claimed. One way: all but ab.
    assert table.index[0] == ALL_CATEGORIES
    assert table["n"].to_dict() == {ALL_CATEGORIES: 4, "y": 3, "x": 2, "z": 1}
    assert table["value"].to_dict() == {ALL_CATEGORIES: 0.75, "y": 2 / 3, "x": 0.5, "z": 1.0}
    assert table["one_way"].to_dict() == {ALL_CATEGORIES: 0.75, "y": 1.0, "x": 0.5, "z": 1.0}
    low, high = wilson_interval([2], [3])
    assert table.loc["y", ["ci_low", "ci_high"]].tolist() == [low[0], high[0]]


def test_ties_claim_no_direction(shown: Scene) -> None:
    tied = replace(shown, edges=shown.edges.assign(direction=0.0))
    assert (category_shares(tied)["value"] == 0).all()
