"""Say why uncertainty parts the rows nowhere, so that several thresholds cannot be judged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.claims import MINIMUM_UNITS
from engine.uncertainty.grid import Floats, assign_buckets
from engine.uncertainty.rows import Rows

SAME = "its uncertainty is the same for all rows"
ASKED = "one uncertainty bucket was asked for"
TIED = "so many rows share one uncertainty that equal counts make one bucket"
SMALL_SHARE = 0.05
"""Fewer than `MINIMUM_UNITS` rows outside the largest bucket are next to none if they are a smaller share, too."""
_SPLIT = {"tune": "tuning", "test": "test"}


def undivided(splits: Mapping[str, Rows], edges: Floats, *, asked: bool) -> str:
    """Say why there is nothing to set several thresholds by.

    Parameters
    ----------
    splits : mapping of str to Rows
        ``tune`` and ``test``.
    edges : ndarray of shape (K - 1,), float64, ascending
        Upper edges of all buckets but the last.
    asked : bool
        Whether the settings ask for one bucket.

    Returns
    -------
    str
        Begins in lower case, without a full stop; empty if the rows of both splits lie in several buckets.
    """
    if edges.size == 0:
        values = np.concatenate([rows.uncertainty for rows in splits.values()])
        return SAME if values.min() == values.max() else ASKED if asked else TIED
    crowded = {name: place for name, rows in splits.items() if (place := _crowded(rows, edges)) is not None}
    if not crowded:
        return ""
    bucket = next(iter(crowded.values()))[0]
    same = {name: place for name, place in crowded.items() if place[0] == bucket}
    which = " and ".join(_SPLIT[name] for name in same)
    out, total = (sum(place[at] for place in same.values()) for at in (1, 2))
    many = f"all but {out:,} of {total:,}" if out else f"all {total:,}"
    nothing = "next to nothing" if out else "nothing"
    return (
        f"{many} {which} rows lie in uncertainty bucket {bucket + 1} of {edges.size + 1}, so the edges part {nothing}"
    )


def _crowded(rows: Rows, edges: Floats) -> tuple[int, int, int] | None:
    """Return the bucket that holds next to all rows, the rows outside it, and all rows; None if there is none."""
    sizes = np.bincount(assign_buckets(rows.uncertainty, edges), rows.weight, minlength=edges.size + 1)
    total, bucket = int(sizes.sum()), int(sizes.argmax())
    out = total - int(sizes[bucket])
    return (bucket, out, total) if out < min(MINIMUM_UNITS, max(SMALL_SHARE * total, 1)) else None
