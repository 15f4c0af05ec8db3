"""The exact interval of a share: Clopper and Pearson's, from quantiles of the beta distribution."""

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import DataError
from engine.metrics.beta import beta_quantile
from engine.metrics.inputs import Floats, confidence_level


def clopper_pearson_interval(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact interval of a share, element by element.

    low = B(alpha/2; x, n - x + 1), high = B(1 - alpha/2; x + 1, n - x), B the quantile of the beta distribution

    Parameters
    ----------
    successes : array-like, in [0, n]
    n : array-like, >= 0, same shape as `successes` or broadcast against it
        Trials; need not be whole numbers (an effective sample size is fine).
    level : float, in (0, 1)
        Coverage that is reached at least; Wilson's interval reaches it on average only and is shorter.

    Returns
    -------
    low, high : ndarrays of the broadcast shape, float64, in [0, 1]
        NaN where n = 0.

    Raises
    ------
    DataError
        If a count is missing, negative, or there are more successes than trials.
    ConfigError
        If level is not between 0 and 1.

    References
    ----------
    Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial.

    Examples
    --------
    >>> low, high = clopper_pearson_interval([8, 0], [10, 0])
    >>> low.round(3), high.round(3)
    (array([0.444,   nan]), array([0.975,   nan]))
    """
    won, trials = counts(successes, n)
    tail = (1 - confidence_level(level)) / 2
    lost = trials - won
    inside_low, inside_high = won > 0, lost > 0
    low, high = np.zeros(won.shape), np.ones(won.shape)
    low[inside_low] = beta_quantile(tail, won[inside_low], lost[inside_low] + 1)
    high[inside_high] = beta_quantile(1 - tail, won[inside_high] + 1, lost[inside_high])
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def counts(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Broadcast successes and trials, checked: 0 <= successes <= n.

    Raises
    ------
    DataError
        If a count is missing, negative, or there are more successes than trials; names the first bad entry.
    """
    won, trials = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    bad = ~(np.isfinite(won) & np.isfinite(trials) & (won >= 0) & (won <= trials))
    if bad.any():
        first = int(np.flatnonzero(bad.ravel())[0])
        raise DataError(
            f"`successes` is {won.ravel()[first]} of n = {trials.ravel()[first]} in entry {first} "
            "(counted from 0); 0 <= successes <= n is needed."
        )
    return won, trials
