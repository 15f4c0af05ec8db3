"""The claims about late labels that need no model, from sums by groups of units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from engine.claims import CLAIM_COLUMNS, MINIMUM_UNITS, claim_row
from engine.delay.claims import FLIP_MARGIN, engagement_claim, recent_claims
from engine.delay.config import DelayConfig
from engine.delay.draws import GROUPS
from engine.seeding import generator

_TYPES: dict[str, type] = dict.fromkeys(("value", "ci_low", "ci_high", "margin"), float) | {"n": int, "sign": int}


def described_claims(
    by_unit: pd.DataFrame, present: pd.DataFrame, config: DelayConfig, *, has_truth: bool, is_unit: bool
) -> pd.DataFrame:
    """Measure what of the claims C3 and C5 needs no model.

    Parameters
    ----------
    by_unit : DataFrame
        `engine.delay.draws.unit_facts`.
    present : DataFrame
        What is known at the end of the log, by segment, see `engine.delay.asof.asof_tables`.
    config : DelayConfig
    has_truth : bool
        Whether every final label is known. Otherwise C3 is an estimate, and C5 is left out.
    is_unit : bool
        Whether the data name units; without, exposures count as independent.

    Returns
    -------
    DataFrame
        Columns `engine.claims.CLAIM_COLUMNS`; without a row where nothing can be said.
    """
    rng = generator(config.seed, "described", "claims")
    drawn: dict[str, Any] = {"resamples": config.resamples, "rng": rng, "n_unit": "units" if is_unit else "exposures"}
    sums = by_unit.astype(dict.fromkeys(by_unit.columns.drop("draw"), np.float64))
    rows = [] if has_truth else _expected(present)
    if has_truth and sums["recent"].sum() > 0:
        flipped, open_ = sums["flipped"], sums["open"]
        kinds = np.column_stack((flipped, open_ - flipped, sums["recent"] - open_))
        flipped, stayed, seen = (kinds if is_unit else _independent(kinds, rng)).T
        terms = np.column_stack((flipped + stayed, flipped, flipped + stayed + seen, flipped))
        n = int(sums["recent_units" if is_unit else "recent"].sum())
        ages = (float(sums["youngest"].min()), float(sums["oldest"].max()))
        rows += recent_claims(terms, np.arange(len(terms)), ages=ages, n=n, **drawn)
    others = sums["waiting"] - sums["engaged"]
    if has_truth and sums["engaged"].sum() > 0 and others.sum() > 0:
        flips = sums["flips"] - sums["engaged_flips"]
        kinds = np.column_stack((sums["engaged"] - sums["engaged_flips"], sums["engaged_flips"], others - flips, flips))
        terms = kinds if is_unit else _independent(kinds, rng)
        terms = np.column_stack((terms[:, 0] + terms[:, 1], terms[:, 1], terms[:, 2] + terms[:, 3], terms[:, 3]))
        n = int(sums["waiting_units" if is_unit else "waiting"].sum())
        rows.append(engagement_claim(terms, np.arange(len(terms)), n=n, **drawn))
    if is_unit and len(sums) < MINIMUM_UNITS:
        # Few groups give too narrow an interval, however many units they hold.
        rows = [row | {"verdict": "inconclusive"} for row in rows]
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS)).astype(_TYPES)


def _independent(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Send every exposure to a group at random, shape (`GROUPS`, kinds): exposures of a kind are all alike."""
    share = np.full(GROUPS, 1.0 / GROUPS)
    return np.stack([rng.multinomial(int(count), share) for count in kinds.sum(axis=0)], axis=1).astype(np.float64)


def _expected(present: pd.DataFrame) -> list[dict[str, Any]]:
    """C3 at the end of the log, where only an estimate is to be had."""
    (row,) = present[present["segment"] == "all"].to_dict("records")
    if not row["pending"] or np.isnan(row["flips_expected"]):
        return []
    value, low, high = (row[f"flips_expected{end}"] / row["pending"] for end in ("", "_low", "_high"))
    return [
        claim_row(
            "C3", effect="Share of open labels expected to flip", comparison="Kaplan–Meier estimate", baseline="none",
            segment="exposures without a conversion at the end of the log", value=value, ci_low=low, ci_high=high,
            n=int(row["pending"]), n_unit="exposures", margin=FLIP_MARGIN,
        )
    ]  # fmt: skip
