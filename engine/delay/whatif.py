"""What every method would learn if the world changed: closed forms for two engagement states, with known truth.

Notation as in `engine.delay.weights`, for exposures without features: share π_s and conversion rate p_s of state s
(engaged or not), S_s = share of its conversions later than e; p = Σ π_s p_s, p_dp = Σ π_s p_s S_s, N = 1 − p + p_dp,
p_rn = (1 − p) / N. A circle, as in p_rn°, marks what the auxiliary models say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from engine.delay.data import Prepared
from engine.errors import ConfigError

STATES = ("not engaged", "engaged")
POINTS = 24
LAW_COLUMNS = ("state", "share", "conversion", "elapsed_days", "seen", "n")
Auxiliary = Literal["stale", "fresh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How exposures engage, convert and report it; arrays in the order of `STATES`."""

    share: np.ndarray
    """π_s, shape (2,), adding up to 1."""
    conversion: np.ndarray
    """p_s within the window, shape (2,)."""
    elapsed: np.ndarray
    """Days, increasing, from 0 to the end of the window, shape (points,)."""
    seen: np.ndarray
    """Share of a state's conversions that have come by then, 1 at the end, shape (2, points)."""

    @property
    def window_days(self) -> float:
        """The attribution window W."""
        return float(self.elapsed[-1])

    def seen_by(self, days: float | np.ndarray) -> np.ndarray:
        """Return the share of each state's conversions seen by some days, linear between the points, shape (2, …)."""
        return np.stack([np.interp(days, self.elapsed, curve) for curve in self.seen])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the reader changes."""

    engagement: float | None = None
    """New share of engaged exposures, in [0, 1]; None: as it was."""
    conversion_factor: float = 1.0
    """Factor of the conversion rate in both states, > 0; rates stop at 1."""
    delay_factor: float = 1.0
    """Factor of every delay, > 0; a conversion that leaves the window no longer counts."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.engagement is not None and not 0.0 <= self.engagement <= 1.0:
            raise ConfigError(f"'engagement' is {self.engagement!r}; allowed is a share from 0 to 1.")
        for name in ("conversion_factor", "delay_factor"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise ConfigError(f"'{name}' is {getattr(self, name)!r}; allowed is a number above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A law looked at when labels are read first, at e."""

    share: np.ndarray
    p_state: np.ndarray
    late_state: np.ndarray
    """p_s S_s."""

    @property
    def p(self) -> float:
        """P(y = 1)."""
        return float(self.share @ self.p_state)

    @property
    def p_dp(self) -> float:
        """P(converts after e)."""
        return float(self.share @ self.late_state)

    @property
    def negative(self) -> float:
        """N = P(not converted by e)."""
        return 1.0 - self.p + self.p_dp

    @property
    def p_rn(self) -> float:
        """Share of the observed negatives that stay negative, over both states."""
        return (1.0 - self.p) / self.negative if self.negative > 0 else 1.0

    @property
    def p_rn_state(self) -> np.ndarray:
        """The same given the state, shape (2,)."""
        mass = 1.0 - self.p_state + self.late_state
        return np.divide(1.0 - self.p_state, mass, out=np.ones(2), where=mass > 0)


def law_table(prepared: Prepared) -> pd.DataFrame:
    """Measure the law on the exposures that had matured by the snapshot day.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    DataFrame
        Columns `LAW_COLUMNS`; ``state`` of engagement at the waiting window, with its ``share`` of ``n`` exposures in
        all, ``conversion`` rate and, at `POINTS` elapsed days at most, the ``seen`` share of its conversions.
    """
    rows = np.flatnonzero(prepared.matured & ~prepared.test)
    elapsed = law_points(float(prepared.window[rows].max()))
    parts = []
    for state, name in enumerate(STATES):
        mine = rows[prepared.state[rows] == state]
        delay = np.sort(prepared.delay[mine][np.isfinite(prepared.delay[mine])])
        by_then = np.searchsorted(delay, elapsed, side="right") / max(delay.size, 1)
        parts.append(
            pd.DataFrame(
                {
                    "state": name,
                    "share": mine.size / rows.size,
                    "conversion": delay.size / max(mine.size, 1),
                    "elapsed_days": elapsed,
                    "seen": by_then if delay.size else np.ones(elapsed.size),
                    "n": mine.size,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def law_points(longest: float) -> np.ndarray:
    """Return the elapsed days of a law: at most `POINTS`, denser early, whole ones up to the longest window itself."""
    elapsed = np.unique(np.ceil(longest * np.linspace(0.0, 1.0, POINTS) ** 1.5))
    elapsed[-1] = longest
    return elapsed


def law_from(table: pd.DataFrame) -> Law:
    """Read the law back from the table ``law`` of a run; see `law_table`."""
    parts = [table[table["state"] == name].sort_values("elapsed_days") for name in STATES]
    return Law(
        share=np.array([float(part["share"].iloc[0]) for part in parts]),
        conversion=np.array([float(part["conversion"].iloc[0]) for part in parts]),
        elapsed=parts[0]["elapsed_days"].to_numpy(dtype=np.float64),
        seen=np.stack([part["seen"].to_numpy(dtype=np.float64) for part in parts]),
    )


def moment(law: Law, waiting_days: float, change: Change | None = None) -> Moment:
    """Look at a law, changed or not, when labels are read first.

    Parameters
    ----------
    law : Law
    waiting_days : float
        e, in [0, window].
    change : Change, optional

    Returns
    -------
    Moment

    Raises
    ------
    ConfigError
        If the waiting window is not inside the attribution window.

    Notes
    -----
    With delays k times as long, conversions by t are those that came by t / k: p_s' = p_s F_s(W / k) and
    p_s' F_s'(e) = p_s F_s(e / k).
    """
    if not 0.0 <= waiting_days <= law.window_days:
        raise ConfigError(f"'waiting_days' is {waiting_days:g}; allowed is 0 to the window, {law.window_days:g}.")
    change = change or Change()
    ever = np.minimum(law.conversion * change.conversion_factor, 1.0)
    within = ever * law.seen_by(law.window_days / change.delay_factor)
    by_then = ever * law.seen_by(waiting_days / change.delay_factor)
    share = law.share if change.engagement is None else np.array([1.0 - change.engagement, change.engagement])
    return Moment(share=share, p_state=within, late_state=within - by_then)


def what_if(law: Law, change: Change, *, waiting_days: float, auxiliary: Auxiliary = "stale") -> pd.DataFrame:
    """Say what every method would learn after a change, beside the truth.

    Parameters
    ----------
    law : Law
        Before the change.
    change : Change
    waiting_days : float
        e, in [0, window].
    auxiliary : {"stale", "fresh"}
        Whether everything that needs matured labels was learned before the change or after it.

    Returns
    -------
    DataFrame
        ``method, learned, truth, bias`` = learned − truth, in the order of `FIXED_POINTS`. NaN where weights are not
        finite: fsiw at a window by which no conversion comes.

    Notes
    -----
    The conversion rate f that minimises a method's expected loss:

        oracle, fnw, fnc         p
        pretrained               p before the change
        wait                     p before the change (stale), or p (fresh)
        vanilla                  p − p_dp
        vanilla_win              p / (1 + p_dp)
        es_dfm, exact_joint      p / (p + N p_rn°)
        defer                    p + (p_dp° − p_dp) / 2
        defuse                   A / (A + B),  z = 1 − p_rn°,  A = (p − p_dp)(1 + p_dp°) + p_dp + N z p_dp°,
                                 B = N (1 − z)(1 + p_dp°)
        fsiw                     P / (P + N p_rn°),  P = (p − p_dp) / F°,  F° = 1 − p_dp° / p°
        ulc                      p − p_dp + N (1 − p_rn°)
        dress_style              Σ π_s p_s / (p_s + N_s p_rn°_s), each state by its own head

    Late conversions have all been re-inserted where a method re-inserts them. In every state p_rn_s depends on p_s and
    S_s alone: a change of the engagement rate leaves dress_style right. A change of the conversion rate or of the
    delay does not, and then its weights are as stale as the others'.
    """
    new = moment(law, waiting_days, change)
    old = moment(law, waiting_days)
    known = new if auxiliary == "fresh" else old
    learned = {method: point(new, known, old) for method, point in FIXED_POINTS.items()}
    table = pd.DataFrame({"method": list(learned), "learned": list(learned.values()), "truth": new.p})
    return table.assign(bias=table["learned"] - table["truth"])


def _re_inserted(new: Moment, known: Moment, _: Moment) -> float:
    """Let every late conversion come again; observed negatives count with p_rn."""
    return new.p / (new.p + new.negative * known.p_rn) if new.p > 0 else 0.0


def _defuse(new: Moment, known: Moment, _: Moment) -> float:
    """Take every row by its type, the observed negatives split by z."""
    z = 1.0 - known.p_rn
    positive = (new.p - new.p_dp) * (1.0 + known.p_dp) + new.p_dp + new.negative * z * known.p_dp
    negative = new.negative * (1.0 - z) * (1.0 + known.p_dp)
    return positive / (positive + negative)


def _fsiw(new: Moment, known: Moment, _: Moment) -> float:
    """Take a snapshot, with its observed positives scaled up to all."""
    seen_share = 1.0 - known.p_dp / known.p if known.p > 0 else 1.0
    if seen_share <= 0:
        return float("nan")
    positive = (new.p - new.p_dp) / seen_share
    return positive / (positive + new.negative * known.p_rn)


def _by_state(new: Moment, known: Moment, _: Moment) -> float:
    """Let each state's rows teach its own head, with weights given the state."""
    negative = (1.0 - new.p_state + new.late_state) * known.p_rn_state
    total = new.p_state + negative
    head = np.divide(new.p_state, total, out=np.zeros(2), where=total > 0)
    return float(new.share @ head)


FIXED_POINTS: dict[str, Callable[[Moment, Moment, Moment], float]] = {
    "oracle": lambda new, known, old: new.p,
    "pretrained": lambda new, known, old: old.p,
    "wait": lambda new, known, old: known.p,
    "vanilla": lambda new, known, old: new.p - new.p_dp,
    "vanilla_win": lambda new, known, old: new.p / (1.0 + new.p_dp),
    "fnw": lambda new, known, old: new.p,
    "fnc": lambda new, known, old: new.p,
    "es_dfm": _re_inserted,
    "exact_joint": _re_inserted,
    "defer": lambda new, known, old: float(np.clip(new.p + (known.p_dp - new.p_dp) / 2.0, 0.0, 1.0)),
    "defuse": _defuse,
    "fsiw": _fsiw,
    "ulc": lambda new, known, old: new.p - new.p_dp + new.negative * (1.0 - known.p_rn),
    "dress_style": _by_state,
}
"""Method to what it learns, from the law now, what the auxiliary models know, and the law before the change."""
