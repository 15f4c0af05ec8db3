"""How given scores are divided for a description, and whether each part is large enough."""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis import _

from engine.result import DatasetInfo
from engine.tables import content_hash
from engine.uncertainty.bucket_choice import CANDIDATES
from engine.uncertainty.bucket_cut import bucket_cut
from engine.uncertainty.compress import Compressed, compress, split_rows, without_rows
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import MIN_POSITIVES, SPLITS, Dataset, load, prepare, require_both
from engine.uncertainty.relation import Scored

_AMPLE = 5
"""So many times the fewest positives or negatives are expected in a part that chance cannot leave too few."""
MAX_LINES = 200_000
"""Rows up to which a division that no column tells is looked at before a description."""


def tune_share_of(config: UncertaintyConfig) -> float:
    """Return the share of the rows that tune where none train.

    Parameters
    ----------
    config : UncertaintyConfig

    Returns
    -------
    float, in (0, 1)
    """
    return config.tune_share / (1 - config.train_share)


def counted(scored: Scored, config: UncertaintyConfig, *, source: str) -> tuple[Compressed, Dataset]:
    """Count rows in steps, and let every count be a line of the data that a run works on.

    Parameters
    ----------
    scored : Scored
    config : UncertaintyConfig
    source : str
        What the messages and the run call the data.

    Returns
    -------
    Compressed, Dataset

    Raises
    ------
    NotEnoughDataError
        If a part has no rows.
    """
    numbers = CANDIDATES if config.buckets is None else (config.buckets,)
    cut = bucket_cut(config, precision=scored.precision)
    share = tune_share_of(config)
    compressed = compress(scored, seed=config.seed, tune_share=share, source=source, cut=cut, numbers=numbers)
    lines = compressed.lines
    info = DatasetInfo(name=source, origin="own", data_id=content_hash(lines), description="Scores as given.")
    return compressed, replace(load(lines, info=info), span=compressed.span, precision=scored.precision)


def require_enough(scored: Scored, config: UncertaintyConfig, *, source: str) -> None:
    """Refuse scores of which a description would find too few in a part, without a description.

    Parameters
    ----------
    scored : Scored
    config : UncertaintyConfig
    source : str
        What the messages call the data.

    Raises
    ------
    NotEnoughDataError
        If a part has too few positives or negatives.

    Notes
    -----
    Parts that a column ``split`` tells are counted in data of any size, others in up to `MAX_LINES` rows: those that
    units tell are counted, too; where chance divides, the parts are made only of so few positives or negatives that
    one could have too few.
    """
    if not scored.has("split") and scored.lines > MAX_LINES:
        return
    share = tune_share_of(config)
    rows = split_rows(scored, share)
    parts = rows if "split" in rows.columns else rows.mutate(split=ibis.literal(""))
    table = parts.group_by("split").aggregate(n=_.count(), positives=(_.label == 1).sum()).to_pyarrow().to_pylist()
    found = {line["split"]: (int(line["positives"]), int(line["n"])) for line in table}
    if "split" in rows.columns:
        for part in SPLITS[1:]:
            if part not in found:
                raise without_rows(part, scored, source)
            require_both(part, *found[part])
        return
    positives, n = found[""]
    if min(positives, n - positives) * min(share, 1 - share) < _AMPLE * MIN_POSITIVES:
        prepare(counted(scored, config, source=source)[1], config)
