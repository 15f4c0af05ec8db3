"""How uncertainty is cut into buckets: into equal counts, into equal widths, or where the reader says."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.errors import ConfigError
from engine.uncertainty.config import BucketWay, UncertaintyConfig
from engine.uncertainty.grid import Floats, Ints, in_precision, uncertainty_edges
from engine.uncertainty.names import GIVEN

Span = tuple[float, float]
"""Smallest and largest uncertainty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketCut:
    """Cut uncertainty into buckets, from uncertainties alone; labels are never read."""

    way: BucketWay = "count"
    own: tuple[float, ...] = ()
    """Edges of the reader's own; they win over everything else."""
    span: Span | None = None
    """What equal widths lie between; none: the smallest and the largest value of the rows that are cut."""

    def edges(self, uncertainty: Floats, n_buckets: int, weight: Ints | None = None) -> Floats:
        """Return the upper edges of all buckets but the last.

        Parameters
        ----------
        uncertainty : ndarray of shape (n,), float64, n >= 1
        n_buckets : int, >= 1
            Not looked at with edges of the reader's own.
        weight : ndarray of shape (n,), int64, optional
            How many rows each line stands for; 1 if absent. Widths do not depend on it.

        Returns
        -------
        ndarray of shape (K - 1,), float64, ascending, distinct
            Bucket k holds ``edges[k - 1] < uncertainty <= edges[k]``. With widths and own edges it may hold no row.
        """
        if self.own:
            return np.array(self.own, dtype=float)
        if self.way == "width":
            low, high = self.span or (float(uncertainty.min()), float(uncertainty.max()))
            return width_edges(low, high, n_buckets)
        return uncertainty_edges(uncertainty, n_buckets, weight)


EQUAL_COUNTS = BucketCut()


def width_edges(low: float, high: float, n_buckets: int) -> Floats:
    """Cut a span into buckets of equal width.

    Parameters
    ----------
    low, high : float, low <= high
    n_buckets : int, >= 1

    Returns
    -------
    ndarray of shape (K - 1,), float64, ascending, distinct
        Fewer than ``n_buckets - 1`` only where floats lie no closer.

    Examples
    --------
    >>> width_edges(1.0, 2.0, 4).tolist(), width_edges(1.0, 1.0, 4).tolist()
    ([1.25, 1.5, 1.75], [])
    """
    inner = np.unique(np.linspace(low, high, n_buckets + 1)[1:-1])
    return inner[inner < high]


def bucket_cut(
    config: UncertaintyConfig, *, scorer: str = GIVEN, span: Span | None = None, precision: str = "float64"
) -> BucketCut:
    """Read from the settings how one scorer's uncertainty is cut.

    Parameters
    ----------
    config : UncertaintyConfig
    scorer : str, default "given"
        Edges of the reader's own are on the scale of the given score; a rate made beside it is cut as without them.
    span : (float, float), optional
        See `BucketCut`.
    precision : str, default "float64"
        Of the column of uncertainty. Own edges are rounded as its values are, so that a row on an edge stays on it.

    Returns
    -------
    BucketCut

    Raises
    ------
    ConfigError
        If two own edges are one number in that precision.
    """
    return BucketCut(way=config.bucket_cut, own=_own_edges(config, precision) if scorer == GIVEN else (), span=span)


def _own_edges(config: UncertaintyConfig, precision: str) -> tuple[float, ...]:
    """Round the reader's edges as the column is rounded, and refuse those that fall together."""
    written = config.bucket_edges
    own: tuple[float, ...] = tuple(in_precision(np.array(written, dtype=float), precision).tolist())
    for place, (low, high) in enumerate(pairwise(own)):
        if low >= high:
            raise ConfigError(
                f"Own edges {written[place]!r} and {written[place + 1]!r} ('bucket_edges') are one number in "
                f"{precision}, the precision of column 'uncertainty'; leave one of them out."
            )
    return own
