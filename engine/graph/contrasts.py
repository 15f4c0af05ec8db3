"""Which methods are compared, and what the keynote's claims predict of the differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.claims import CLAIM_COLUMNS, claim_row
from engine.graph.config import BASELINES, GraphConfig
from engine.graph.intervals import Floats
from engine.graph.segments import DEGREE_BUCKETS

HIT_RATE_MARGIN = 0.01
"""One more true target in a hundred lists of ten: less would go unnoticed by a reader of the lists."""
DIRECTION_AUC_MARGIN = 0.02
"""Two more of a hundred arrows told from their reversals; about what another random split moves the figure."""
MINIMUM_QUERIES = 30
"""A degree bucket with fewer query nodes is too small to carry a claim; the next one is taken."""

_N_UNIT = "query nodes"


def contrasts(
    draws: Mapping[tuple[str, str, str], Floats], config: GraphConfig
) -> dict[tuple[str, str, str, str], Floats]:
    """Subtract the draws of a baseline from those of a method, resample by resample.

    Parameters
    ----------
    draws : mapping of (method, segment, metric) to ndarray of shape (1 + n_resamples,)
    config : GraphConfig
        Names the fitted methods and the shown form.

    Returns
    -------
    dict of (method, baseline, segment, metric) to ndarray of shape (1 + n_resamples,)
        The shown form against the single embedding, against the degree-only head (direction) and against the best
        peer of each metric; degree-adaptive against fixed neighbourhoods. The best peer is the one with the highest
        value on all test edges: chosen after the fact, which favours the peer.
    """
    found: dict[tuple[str, str, str, str], Floats] = {}
    for (method, segment, metric), values in draws.items():
        baselines: list[str] = []
        if method == config.shown_method:
            best = _best_peer(draws, metric)
            baselines = ["single", *([best] if best else []), "degree_head"]
        elif method == "adaptive":
            baselines = ["fixed"]
        for baseline in dict.fromkeys(baselines):
            other = draws.get((baseline, segment, metric))
            if other is not None:
                found[method, baseline, segment, metric] = values - other
    return found


def claims_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Judge the claims about directed graphs by the differences.

    C1 asks whether two embeddings beat one where direction matters: on one-way edges, and in telling an edge from its
    reversal, by the embeddings alone and by the direction head, to which both forms add the degrees of the nodes. C2
    asks whether neighbourhoods that shrink with in-degree beat equal ones of the same total size: for targets that few
    nodes point to, for those that most point to, and over all.

    Parameters
    ----------
    differences : DataFrame
        Columns `engine.result.DIFFERENCE_COLUMNS`.

    Returns
    -------
    DataFrame
        Columns `engine.claims.CLAIM_COLUMNS`; no rows for a claim whose two methods were not both fitted.
    """
    rows: list[dict[str, Any]] = []
    hits, direction = "hit_rate_at_10", "direction_auc"
    for method in ("dual", "paper"):
        pair = _of(differences, method, "single")
        rows += _claim("C1", pair, hits, "one_way", "HitRate@10 on one-way edges", "one-way test edges")
        words = "one-way test edges against their reversals"
        rows += _claim("C1", pair, f"{direction}_embeddings", "all", "Direction AUC, embeddings alone", words)
        rows += _claim("C1", pair, direction, "all", "Direction AUC, with degrees", words)
    pair = _of(differences, "adaptive", "fixed")
    for segment, words in _degree_ends(pair):
        rows += _claim("C2", pair, hits, segment, "HitRate@10, equal total budget", words)
    rows += _claim("C2", pair, hits, "all", "HitRate@10, equal total budget", "all test edges")
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def _best_peer(draws: Mapping[tuple[str, str, str], Floats], metric: str) -> str | None:
    """Return the peer with the highest value on all test edges."""
    values = {peer: draws[peer, "all", metric][0] for peer in BASELINES if (peer, "all", metric) in draws}
    return max(values, key=values.__getitem__) if values else None


def _of(differences: pd.DataFrame, method: str, baseline: str) -> pd.DataFrame:
    """Return the differences of one pair of methods."""
    return differences[(differences["method"] == method) & (differences["baseline"] == baseline)]


def _degree_ends(pair: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the lowest and the highest bucket of target in-degree with enough query nodes.

    Neighbourhood sizes follow the in-degree, so these buckets get the largest and the smallest neighbourhoods.
    """
    hits = pair[pair["metric"] == "hit_rate_at_10"].set_index("segment")["n"]
    large = [label for label in DEGREE_BUCKETS if hits.get(f"in_degree:{label}", 0) >= MINIMUM_QUERIES]
    return [
        (f"in_degree:{label}", f"targets with {label} training in-edges")
        for label in dict.fromkeys([*large[:1], *large[-1:]])
    ]


def _claim(claim: str, pair: pd.DataFrame, metric: str, segment: str, effect: str, words: str) -> list[dict[str, Any]]:
    """Return the claim's row for one difference, if it was measured."""
    rows = pair[(pair["metric"] == metric) & (pair["segment"] == segment)]
    return [
        claim_row(
            claim,
            effect=effect,
            comparison=row.method,
            baseline=row.baseline,
            segment=words,
            value=row.value,
            ci_low=row.ci_low,
            ci_high=row.ci_high,
            n=row.n,
            n_unit=_N_UNIT,
            margin=DIRECTION_AUC_MARGIN if metric.startswith("direction_auc") else HIT_RATE_MARGIN,
        )
        for row in rows.itertuples()
    ]
