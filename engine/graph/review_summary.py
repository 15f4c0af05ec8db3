"""What the verdicts say together: how far reviewers agree, and how often the model's direction is judged right."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.graph.review import REVERSED, VERDICTS
from engine.metrics.calibration import wilson_interval
from engine.metrics.resampling import percentile_interval
from engine.seeding import generator

UNDECIDED = "undecided"
"""Joint verdict on a pair whose reviewers name no verdict more often than every other."""
RESAMPLES = 1000
"""Bootstrap resamples of the pairs behind the interval of kappa."""


def matched(current: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Find the pairs that the verdicts of a run are about, and say each verdict of the arrow as it is shown now.

    Parameters
    ----------
    current : DataFrame
        From `review.current`, of one run.
    pairs : DataFrame
        Columns ``source, target``: names of the nodes as they are stored with the verdicts.

    Returns
    -------
    DataFrame
        ``pair`` (index label of `pairs`), ``reviewer, verdict, note, time_utc``. A verdict on the reversed arrow is
        turned round: right becomes wrong. Verdicts on other pairs fall away.
    """
    place = {(row.source, row.target): row.Index for row in pairs[["source", "target"]].itertuples()}
    rows = []
    for row in current.itertuples():
        this_way, other_way = place.get((row.source, row.target)), place.get((row.target, row.source))
        pair = other_way if this_way is None else this_way
        if pair is not None:
            verdict = row.verdict if this_way is not None else REVERSED.get(str(row.verdict), row.verdict)
            rows.append((pair, row.reviewer, verdict, row.note, row.time_utc))
    return pd.DataFrame(rows, columns=["pair", "reviewer", "verdict", "note", "time_utc"])


def joint_verdicts(verdicts: pd.DataFrame) -> pd.Series:
    """Return one verdict per pair: the one that most of its reviewers gave.

    Parameters
    ----------
    verdicts : DataFrame
        From `matched`: one row per pair and reviewer.

    Returns
    -------
    Series
        Pair to one of `VERDICTS`, or `UNDECIDED` if two verdicts share the first place.

    Examples
    --------
    >>> table = pd.DataFrame({"pair": [7, 7, 7, 8, 8], "verdict": ["right", "both", "right", "right", "wrong"]})
    >>> joint_verdicts(table).to_dict()
    {7: 'right', 8: 'undecided'}
    """
    counts = pd.crosstab(verdicts["pair"], verdicts["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    top = counts.max(axis=1)
    is_tied = counts.eq(top, axis=0).sum(axis=1) > 1
    return counts.idxmax(axis=1).mask(is_tied, UNDECIDED).astype(object) if len(counts) else pd.Series(dtype=object)


def precision(joint: pd.Series, is_new: pd.Series) -> pd.DataFrame:
    """Return how often the model's preferred direction is judged right.

    Two readings: over all decided pairs, where "both ways are fine" and "unrelated" count against the model, as it did
    prefer one way; and over the pairs to which reviewers gave a direction, right or wrong, alone, where a coin would
    reach 0.5. Undecided pairs are left out of both.

    Parameters
    ----------
    joint : Series
        From `joint_verdicts`.
    is_new : Series of bool
        By pair: whether training saw no edge between the two.

    Returns
    -------
    DataFrame
        ``scope`` (all, new, seen), ``measure`` (all_verdicts, one_way), ``value, ci_low, ci_high`` (Wilson's 95 %
        interval), ``n`` (pairs). NaN where n is 0.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    decided = joint[joint != UNDECIDED]
    new = is_new.reindex(decided.index).to_numpy(dtype=bool)
    rows = []
    for scope, inside in (("all", np.ones(len(decided), dtype=bool)), ("new", new), ("seen", ~new)):
        verdict = decided.to_numpy()[inside]
        right = int((verdict == "right").sum())
        one_way = right + int((verdict == "wrong").sum())
        rows += [(scope, "all_verdicts", right, len(verdict)), (scope, "one_way", right, one_way)]
    table = pd.DataFrame(rows, columns=["scope", "measure", "right", "n"])
    return _with_shares(table)


def precision_by_method(joint: pd.Series, scores: pd.DataFrame) -> pd.DataFrame:
    """Return how often each method prefers the direction that the reviewers gave a pair.

    Parameters
    ----------
    joint : Series
        From `joint_verdicts`; only pairs judged right or wrong are counted.
    scores : DataFrame
        ``pair, method, direction``: above 0 if the method prefers the shown direction.

    Returns
    -------
    DataFrame
        ``method, value, ci_low, ci_high`` (Wilson's 95 % interval), ``n`` (pairs), ``ties`` (pairs of which the method
        prefers neither direction; none of them counts as right). Best first.

    Notes
    -----
    The pairs were chosen by the scores of one method, so the figures compare methods on these pairs and say nothing of
    others.
    """
    wanted = joint[joint.isin(("right", "wrong"))]
    rows = scores[scores["pair"].isin(wanted.index)]
    forward = np.sign(rows["direction"].to_numpy(dtype=float))
    truth = np.where(wanted.reindex(rows["pair"]).to_numpy() == "right", 1.0, -1.0)
    counted = pd.DataFrame(
        {"method": rows["method"].astype(str).to_numpy(), "right": forward == truth, "ties": forward == 0}
    )
    table = counted.groupby("method", as_index=False).agg(
        right=("right", "sum"), n=("right", "size"), ties=("ties", "sum")
    )
    return _with_shares(table).sort_values(["value", "method"], ascending=[False, True], ignore_index=True)


def agreement(verdicts: pd.DataFrame, *, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Return Cohen's kappa of every two reviewers on the pairs that both judged.

    kappa = (p_o - p_e) / (1 - p_e), p_o the share of pairs with equal verdicts, p_e what two independent reviewers
    with the same habits would share.

    Parameters
    ----------
    verdicts : DataFrame
        From `matched`.
    resamples : int, default `RESAMPLES`

    Returns
    -------
    DataFrame
        ``first, second`` (reviewers), ``value`` (kappa, in [-1, 1]) with ``ci_low, ci_high`` (95 % bootstrap over
        pairs), ``equal`` (p_o), ``n`` (pairs that both judged, >= 1). Kappa is NaN where both reviewers gave one and
        the same verdict to every pair: chance alone would do the same. Most pairs first.

    References
    ----------
    Cohen (1960), A coefficient of agreement for nominal scales. The value is scikit-learn's; the draws use the same
    formula on tables of counts.
    """
    given = {str(name): rows.set_index("pair")["verdict"] for name, rows in verdicts.groupby("reviewer")}
    columns = ["first", "second", "value", "ci_low", "ci_high", "equal", "n"]
    rows = []
    for first, second in itertools.combinations(sorted(given), 2):
        both = pd.concat({first: given[first], second: given[second]}, axis=1, join="inner")
        if len(both):
            codes = [pd.Categorical(both[name], categories=list(VERDICTS)).codes for name in (first, second)]
            counts = _draws(np.asarray(codes[0]), np.asarray(codes[1]), resamples)
            low, high = percentile_interval(kappas(counts))
            equal = float((both[first] == both[second]).mean())
            rows.append((first, second, _kappa(both[first], both[second]), low[0], high[0], equal, len(both)))
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["n", "first", "second"], ascending=[False, True, True], ignore_index=True)


def kappas(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Cohen's kappa of tables of counts.

    Parameters
    ----------
    counts : ndarray of shape (n_tables, k, k), float64, >= 0
        Row: verdict of one reviewer, column: of the other.

    Returns
    -------
    ndarray of shape (n_tables,), float64
        NaN where chance agreement is 1.

    Examples
    --------
    >>> kappas(np.array([[[20.0, 5.0], [10.0, 15.0]]])).round(3).tolist()
    [0.4]
    """
    share = counts / counts.sum(axis=(1, 2), keepdims=True)
    equal = np.trace(share, axis1=1, axis2=2)
    chance = (share.sum(axis=1) * share.sum(axis=2)).sum(axis=1)
    room = 1 - chance
    return np.divide(equal - chance, room, out=np.full(len(room), np.nan), where=room > 1e-12)


def _draws(first: NDArray[np.integer], second: NDArray[np.integer], resamples: int) -> NDArray[np.float64]:
    """Draw as many pairs as there are, with replacement, and count their verdicts."""
    k, n = len(VERDICTS), len(first)
    cells = np.bincount(first.astype(np.int64) * k + second, minlength=k * k) / n
    drawn = generator(0, "graph", "review").multinomial(n, cells, size=resamples)
    return drawn.reshape(resamples, k, k).astype(np.float64)


def _kappa(first: pd.Series, second: pd.Series) -> float:
    """Return scikit-learn's kappa, NaN where it has none."""
    if len(set(first) | set(second)) < 2:
        return float("nan")
    # Loaded where two reviewers met: most pages never need it.
    from sklearn.metrics import cohen_kappa_score

    score: Callable[..., float] = cohen_kappa_score
    return float(score(first.to_numpy(), second.to_numpy(), labels=list(VERDICTS)))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Turn counts of right ones into shares with Wilson's interval."""
    n = table["n"].to_numpy(dtype=float)
    low, high = wilson_interval(table["right"].to_numpy(), n)
    value = np.divide(table["right"].to_numpy(dtype=float), n, out=np.full(len(n), np.nan), where=n > 0)
    return table.assign(value=value, ci_low=low, ci_high=high).drop(columns="right")
