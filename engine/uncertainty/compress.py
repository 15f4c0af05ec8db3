"""Turn scored rows of any size into a few thousand lines with weights, which a run works on as on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from engine.errors import NotEnoughDataError
from engine.seeding import generator
from engine.uncertainty.bucket_cut import EQUAL_COUNTS, BucketCut, Span
from engine.uncertainty.cells import interval_of
from engine.uncertainty.grid import TAIL_GROWTH, TAIL_START, Floats, Layout
from engine.uncertainty.order_statistics import values_at
from engine.uncertainty.relation import Scored

SCORE_STEPS = 200
"""Steps of equal row count that scores are cut into, before the finer ones at the top."""
UNCERTAINTY_STEPS = 30
"""Steps of equal row count of the uncertainty: a multiple of 3, 5 and 10 buckets."""
GROUPS = 64
"""Groups of units (or of rows) that intervals resample."""
_HEXADECIMAL = "0123456789abcdef"
LINE_COLUMNS = ("label", "score", "uncertainty", "weight", "split", "unit")


@dataclass(frozen=True, slots=True)
class Compressed:
    """Hold the lines and how their scores stand for those of the data."""

    lines: pd.DataFrame
    """Columns `LINE_COLUMNS`: ``score`` is the mean score of a step, ``uncertainty`` its upper end, ``weight`` the
    rows, ``unit`` the number of a group."""
    layout: Layout
    """The steps."""
    means: Floats
    """Score of the lines of every step, shape (steps,); NaN for an empty one."""
    span: Span | None = None
    """What equal widths of uncertainty lie between, if buckets are cut so."""

    def threshold(self, score: Floats) -> Floats:
        """Turn thresholds on the scores of lines into thresholds on the scores of the data.

        A step is selected as a whole, from its lower edge on.
        """
        lower = np.concatenate([[0.0], self.layout.score_edges])
        known = np.flatnonzero(np.isfinite(self.means))
        place = np.clip(np.searchsorted(self.means[known], score - 1e-15), 0, known.size - 1)
        exact = np.isclose(self.means[known][place], score, rtol=0, atol=1e-14)
        return np.where(exact, lower[known][place], score)


def spanned(scored: Scored, cut: BucketCut) -> BucketCut:
    """Find what equal widths lie between, in one scan; other ways to cut need none.

    Where the data do not say which rows tune, these are drawn on the counts, so all rows are looked at.
    """
    if cut.way != "width" or cut.own:
        return cut
    rows = scored.rows.filter(scored.rows.split == "tune") if scored.has("split") else scored.rows
    found = rows.aggregate(low=rows.uncertainty.min(), high=rows.uncertainty.max()).to_pyarrow().to_pylist()[0]
    return cut if found["low"] is None else replace(cut, span=(found["low"], found["high"]))


def step_layout(scored: Scored, cut: BucketCut = EQUAL_COUNTS, numbers: Sequence[int] = ()) -> Layout:
    """Choose steps of score and uncertainty by counting, the same on every engine.

    Scores get steps of equal row count, and from the top steps of 10, 12, ... rows, so that a high precision has
    thresholds to choose from. An edge belongs to the step above it, so equal scores share a step.

    Parameters
    ----------
    scored : Scored
    cut : BucketCut
        How buckets will be cut, with its span. Edges of the reader's own and those of equal widths become edges of
        steps, so that rows are counted exactly on either side.
    numbers : sequence of int
        Numbers of buckets that may be asked for, for equal widths.

    Returns
    -------
    Layout
    """
    n = scored.lines
    top = TAIL_START * TAIL_GROWTH ** np.arange(0, 200)
    top = top[top < n / SCORE_STEPS]
    # Rows from an edge up; a step of the tail has a fifth of what lies above it, others one of 200 parts.
    above = np.concatenate([n * np.arange(1, SCORE_STEPS) / SCORE_STEPS, top])
    slack = np.maximum(1, np.concatenate([np.full(SCORE_STEPS - 1, n / SCORE_STEPS / 10), top / 10]))
    ranks = np.minimum(np.rint(n - above).astype(np.int64) + 1, n)
    scores = values_at(scored.rows.score, ranks, slack, upper=False)
    shares = np.arange(1, UNCERTAINTY_STEPS) / UNCERTAINTY_STEPS
    slack = np.full(shares.size, max(1, n / UNCERTAINTY_STEPS / 100))
    spreads = values_at(scored.rows.uncertainty, np.maximum(np.rint(n * shares), 1).astype(np.int64), slack, upper=True)
    rows = scored.rows
    ends = rows.aggregate(least=rows.score.min(), most=rows.uncertainty.max()).to_pyarrow().to_pylist()[0]
    if cut.own or cut.span:
        spreads = np.concatenate([spreads, *(cut.edges(spreads, number) for number in numbers)])
    # The lowest score and the highest uncertainty are no edges: nothing would lie beyond them.
    return Layout(
        uncertainty_edges=np.unique(spreads[spreads < ends["most"]]),
        score_edges=np.unique(scores[scores > ends["least"]]),
    )


def split_rows(scored: Scored, tune_share: float) -> ir.Table:
    """Name the split of every row where the data or their units tell it, and leave training rows out.

    Returns
    -------
    ibis table
        The rows with ``split``; without it, if there is neither a split nor a unit.
    """
    rows = scored.rows
    if scored.has("unit") and not scored.has("split"):
        last = rows.unit.hexdigest("md5").substr(2, 1)
        rows = rows.mutate(split=ibis.ifelse(last < _HEXADECIMAL[round(16 * tune_share)], "tune", "test"))
    return rows.filter(rows.split != "train") if "split" in rows.columns else rows


def step_counts(scored: Scored, layout: Layout, *, tune_share: float) -> ir.Table:
    """Express the counts per split, group of units and step as one aggregation.

    Returns
    -------
    ibis table
        ``split`` (if given or if there are units), ``digest`` (if there are units), ``bucket, bin, n, positives,
        score_sum, most``, the largest uncertainty. The digest names 64 groups of units by the start of their MD5: as
        good as drawn at random, and the same on every backend; its third digit splits units.
    """
    rows = split_rows(scored, tune_share)
    if scored.has("unit"):
        digest = rows.unit.hexdigest("md5")
        second = digest.substr(1, 1)
        quarter = ibis.cases((second < "4", "0"), (second < "8", "1"), (second < "c", "2"), else_="3")
        rows = rows.mutate(digest=digest.left(1).concat(quarter))
    keys = [name for name in ("split", "digest") if name in rows.columns]
    stepped = rows.mutate(
        bucket=interval_of(rows.uncertainty, layout.uncertainty_edges, upper=True),
        bin=interval_of(rows.score, layout.score_edges, upper=False),
    )
    return stepped.group_by([*keys, "bucket", "bin"]).aggregate(
        n=lambda t: t.weight.sum(),
        positives=lambda t: (t.weight * t.label).sum(),
        score_sum=lambda t: (t.weight * t.score).sum(),
        most=lambda t: t.uncertainty.max(),
    )


def compress(
    scored: Scored,
    *,
    seed: int,
    tune_share: float,
    source: str,
    cut: BucketCut = EQUAL_COUNTS,
    numbers: Sequence[int] = (),
) -> Compressed:
    """Count scored rows in steps, split them, and write every count as a line with a weight.

    Without a column ``split``, units are split by their digest, and rows without units at random. Random splits and
    groups of rows are drawn on the counts, which gives them the distribution that drawing rows would.

    Parameters
    ----------
    scored : Scored
    seed : int
    tune_share : float, in (0, 1)
        Share of the units or rows that tune, without a column ``split``.
    source : str
        What the messages call the data.
    cut : BucketCut
    numbers : sequence of int
        See `step_layout`.

    Returns
    -------
    Compressed

    Raises
    ------
    NotEnoughDataError
        If a split has no rows.
    """
    cut = spanned(scored, cut)
    layout = step_layout(scored, cut, numbers)
    table = step_counts(scored, layout, tune_share=tune_share).to_pyarrow().to_pandas()
    # A backend returns counts in any order, and with other threads in another one: draws must not follow it.
    keys = [name for name in ("split", "digest", "bucket", "bin") if name in table.columns]
    table = table.sort_values(keys, ignore_index=True)
    n_steps = layout.shape[1]
    rows = np.bincount(table["bin"], table["n"], minlength=n_steps)
    summed = np.bincount(table["bin"], table["score_sum"], minlength=n_steps)
    means = np.divide(summed, rows, out=np.full(n_steps, np.nan), where=rows > 0)
    most = table.groupby("bucket")["most"].max()
    rng = generator(seed, "uncertainty", "describe")
    lines = _by_label(table)
    if "digest" in lines.columns:
        lines["unit"] = pd.factorize(lines["digest"], sort=True)[0]
    if "split" not in lines.columns:
        lines = _random_split(lines, tune_share, rng)
    if "unit" not in lines.columns:
        lines = _random_groups(lines, rng)
    lines["score"] = means[lines["bin"]]
    lines["uncertainty"] = lines["bucket"].map(most).to_numpy(float)
    keys = ["split", "unit", "label", "score", "uncertainty"]
    lines = lines.groupby(keys, as_index=False)["weight"].sum()
    for split in ("tune", "test"):
        if not (lines["split"] == split).any():
            raise without_rows(split, scored, source)
    return Compressed(lines=lines[list(LINE_COLUMNS)], layout=layout, means=means, span=cut.span)


def without_rows(split: str, scored: Scored, source: str) -> NotEnoughDataError:
    """Say why a split is empty: it was given so, or there is too little to divide.

    Parameters
    ----------
    split : str
    scored : Scored
    source : str
        What the message calls the data.

    Returns
    -------
    NotEnoughDataError
    """
    if scored.has("split"):
        return NotEnoughDataError(
            f"Split '{split}' of {source} has no rows; name some in column 'split', or leave the column out."
        )
    what = "too few units or rows" if scored.has("unit") else "too few rows"
    return NotEnoughDataError(
        f"{source} has {what} ({scored.total:,} rows) to be divided into 'tune' and 'test': '{split}' got none. Bring "
        "more, or divide them yourself in a column 'split'."
    )


def _by_label(table: pd.DataFrame) -> pd.DataFrame:
    """Write positives and negatives of every step as lines of their own."""
    positive = table.assign(label=1, weight=table["positives"])
    negative = table.assign(label=0, weight=table["n"] - table["positives"])
    both = pd.concat([positive, negative], ignore_index=True)
    both["weight"] = np.rint(both["weight"]).astype(np.int64)
    return both[both["weight"] > 0].reset_index(drop=True)


def _random_split(lines: pd.DataFrame, tune_share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Send every row of a line to the tuning split with the same chance."""
    tune = rng.binomial(lines["weight"].to_numpy(), tune_share)
    parts = [lines.assign(split="tune", weight=tune), lines.assign(split="test", weight=lines["weight"] - tune)]
    both = pd.concat(parts, ignore_index=True)
    return both[both["weight"] > 0].reset_index(drop=True)


def _random_groups(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Send every row of a line to one of the groups with the same chance."""
    counts = rng.multinomial(lines["weight"].to_numpy(), np.full(GROUPS, 1 / GROUPS))
    line, group = np.nonzero(counts)
    return lines.iloc[line].assign(unit=group, weight=counts[line, group]).reset_index(drop=True)
