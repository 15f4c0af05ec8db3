"""Importance weights for labels that have not all arrived: closed forms, one function per method.

Notation, everything conditional on the features x (and, where said, on the engagement state a_e):
``p`` = P(y = 1) within the attribution window W; ``S`` = P(delay > e | y = 1), ``F = 1 - S``;
``p_dp = p S`` = P(converts after e), a delayed positive; ``N = 1 - p + p_dp`` = P(not converted by e);
``p_rn = (1 - p) / N`` = P(never converts | not converted by e), a real negative.
The functions do plain arithmetic, so they take floats, NumPy arrays and torch tensors alike. A caller that
trains with them must cut the gradient first: a weight is a constant of the loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import DataError

Values = Any
"""A float, a NumPy array or a torch tensor; all arguments of a call have one shape."""


def observed_negative_mass(p: Values, p_dp: Values) -> Values:
    """Return N = 1 - p + p_dp, the probability of no conversion by the time the label is read."""
    return 1 - p + p_dp


def real_negative_share(p: Values, p_dp: Values) -> Values:
    """Return p_rn = (1 - p) / N, the share of the observed negatives that stay negative."""
    return (1 - p) / observed_negative_mass(p, p_dp)


def fnw(f: Values) -> tuple[Values, Values]:
    """Weight a stream in which every exposure enters as a negative at once, and again at its conversion.

    w+ = 1 + f, w- = (1 - f)(1 + f), with f the model's own probability, gradient stopped.

    Parameters
    ----------
    f : float, ndarray or tensor, in [0, 1]

    Returns
    -------
    tuple
        w+ in [1, 2] and w- in [0, 1], of the shape of `f`.

    References
    ----------
    Ktena et al. (2019), Addressing delayed feedback for continuous training with neural networks in CTR
    prediction, fake negative weighted loss.

    Examples
    --------
    >>> fnw(0.5)
    (1.5, 0.75)
    """
    return 1 + f, (1 - f) * (1 + f)


def es_dfm(p_dp: Values, p_rn: Values) -> tuple[Values, Values]:
    """Weight a stream with the label at e and a second, positive row at a later conversion.

    w+ = 1 + p_dp, w- = (1 + p_dp) p_rn

    Parameters
    ----------
    p_dp : float, ndarray or tensor, in [0, 1]
        Probability of a conversion after e.
    p_rn : float, ndarray or tensor, in [0, 1]
        Probability that an observed negative is a real one.

    Returns
    -------
    tuple
        w+ in [1, 2] and w- in [0, 2], of the shape of the arguments.

    Notes
    -----
    Both must be conditional on what the model sees and no more: 1 + p_dp(x, a_e) with a model of x alone is
    biased, as it tilts the mix of a_e in the sum.

    References
    ----------
    Yang et al. (2021), Capturing delayed feedback in conversion rate prediction via elapsed-time sampling.

    Examples
    --------
    >>> es_dfm(0.5, 0.25)
    (1.5, 0.375)
    """
    return 1 + p_dp, (1 + p_dp) * p_rn


def exact_joint(p_rn: Values) -> tuple[Values, Values]:
    """Weight the ES-DFM stream so that its expected loss equals the one on final labels, not a multiple of it.

    w+ = 1, w- = p_rn

    Parameters
    ----------
    p_rn : float, ndarray or tensor, in [0, 1]
        May be conditional on anything known when the label is read, such as engagement: the expectation over
        it, given x, is still exact.

    Returns
    -------
    tuple
        w+ = 1 and w- in [0, 1], of the shape of `p_rn`.

    Notes
    -----
    Own derivation: p l1 + N p_rn l0 = p l1 + (1 - p) l0. It holds for every exposure only once its late
    conversion, if any, has arrived; until then add `pending_positive`.
    """
    return p_rn * 0 + 1, p_rn


def pending_positive(p_rn: Values) -> Values:
    """Weight the second, positive row that an exposure still without conversion may or may not get.

    w = 1 - p_rn, the expectation of that row given what is known on the day of the snapshot

    Parameters
    ----------
    p_rn : float, ndarray or tensor, in [0, 1]
        At the exposure's own elapsed time.

    Returns
    -------
    float, ndarray or tensor, in [0, 1]

    Notes
    -----
    With it, exact-joint weights are unbiased for any mix of ages: positives p F + N (1 - p_rn) = p, negatives
    N p_rn = 1 - p. The pair (p_rn, 1 - p_rn) is the soft label of ULC.

    References
    ----------
    Wang et al. (2023), Unbiased delayed feedback label correction for conversion rate prediction (the soft
    label; there it comes from a network trained in alternation, here from matured rows).
    """
    return 1 - p_rn


def defer(p: Values, p_dp: Values) -> tuple[Values, Values]:
    """Weight a stream with the label at e and every exposure again with its final label.

    w+ = p / (p - p_dp / 2), w- = (1 - p) / (1 - p + p_dp / 2)

    Parameters
    ----------
    p, p_dp : float, ndarray or tensor, in [0, 1], p_dp <= p

    Returns
    -------
    tuple
        w+ in [1, 2] and w- in (0, 1], of the shape of the arguments.

    Notes
    -----
    The paper takes the model's own f for p, gradient stopped; a wrong p_dp' then moves the fixed point to
    p + (p_dp' - p_dp) / 2. Conditional on an engagement state that the model does not see, p must come from a model
    of its own that does.

    References
    ----------
    Gu et al. (2021), Real negatives matter: continuous training with real negatives for delayed feedback
    modeling.
    """
    return p / (p - p_dp / 2), (1 - p) / (1 - p + p_dp / 2)


def fsiw(seen_share: Values, p_rn: Values) -> tuple[Values, Values]:
    """Weight a snapshot in which every exposure appears once, with the label it has so far.

    w+ = 1 / F, w- = p_rn

    Parameters
    ----------
    seen_share : float, ndarray or tensor, in (0, 1]
        F, the share of the positives that have converted by the exposure's elapsed time.
    p_rn : float, ndarray or tensor, in [0, 1]

    Returns
    -------
    tuple
        w+ in [1, inf) and w- in [0, 1], of the shape of the arguments.

    References
    ----------
    Yasui et al. (2020), A feedback shift correction in predicting conversion rates under delayed feedback.
    """
    return 1 / seen_share, p_rn


def second_moment(*, q_positive: Values, q_negative: Values, weights: tuple[Values, Values]) -> Values:
    """Return E[w^2] of the rows of one x; 1 / E[w^2] is the effective share of its rows when E[w] = 1.

    Parameters
    ----------
    q_positive, q_negative : float, ndarray or tensor, in [0, 1]
        Probability that a row of the stream is positive or negative; they add up to 1.
    weights : tuple
        w+ and w-.

    Returns
    -------
    float, ndarray or tensor, >= 0
    """
    w_positive, w_negative = weights
    return q_positive * w_positive**2 + q_negative * w_negative**2


def ess_share(weights: ArrayLike) -> float:
    """Return the effective sample size as a share of the rows, (sum w)^2 / (n sum w^2).

    Parameters
    ----------
    weights : array-like of shape (n_rows,), >= 0

    Returns
    -------
    float, in (0, 1]
        1 if all weights are equal; NaN without a positive weight.

    Raises
    ------
    DataError
        If a weight is negative or not finite.

    Examples
    --------
    >>> ess_share([1.0, 1.0, 0.0, 0.0])
    0.5
    """
    array = np.asarray(weights, dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if bad.size:
        raise DataError(f"`weights` is {array[bad[0]]} in row {bad[0]}; weights are finite and not negative.")
    square = float(np.sum(array**2))
    return float(np.sum(array)) ** 2 / (array.size * square) if square > 0 else float("nan")
