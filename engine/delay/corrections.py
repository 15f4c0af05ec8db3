"""Corrections of labels that have not all arrived: soft labels and mappings, closed forms like `engine.delay.weights`.

The notation is that of `engine.delay.weights`. The functions do plain arithmetic on floats, arrays and tensors; a
caller that trains with them must cut the gradient first.
"""

from __future__ import annotations

from engine.delay.weights import Values


def fnc(b: Values) -> Values:
    """Map the probability of a model trained without weights on FNW's stream to that of a conversion.

    p = b / (1 - b), for b up to one half

    Parameters
    ----------
    b : float, ndarray or tensor, in [0, 1]
        What the model says: it has learned b = p / (1 + p), as every exposure also enters as a negative.

    Returns
    -------
    float, ndarray or tensor, of the shape of `b`
        In [0, 1] for b <= 1/2, which the true b never exceeds; an estimate can, and then comes out above 1. Cut it
        where it is used.

    References
    ----------
    Ktena et al. (2019), fake negative calibration.

    Examples
    --------
    >>> fnc(0.25)
    0.3333333333333333
    """
    return b / (1 - b)


def defuse(p_dp: Values, z: Values) -> tuple[Values, Values, Values]:
    """Weight the ES-DFM stream by what an observed negative may be: a fake negative, or a real one.

    label 1 at e: w+ = 1 + p_dp;  late positive: w+ = 1;
    label 0 at e carries both labels: w+ = z p_dp and w- = (1 - z) (1 + p_dp)

    Parameters
    ----------
    p_dp : float, ndarray or tensor, in [0, 1]
        Probability of a conversion after e.
    z : float, ndarray or tensor, in [0, 1]
        Probability that an observed negative is a fake one, 1 - p_rn.

    Returns
    -------
    tuple
        w+ of a positive read at e, then w+ and w- of a negative read at e, of the shape of the arguments. A late
        positive has weight 1.

    Notes
    -----
    With the true z the fixed point is p for any p_dp: the late positives and the fake negatives together carry
    1 + p_dp per delayed conversion. Errors of z cost more than in ES-DFM: df/dz = N (p + p_dp) / (1 + p_dp) against
    N p. Of the two choices of z in the paper this is 1 - p_rn from its own model.

    References
    ----------
    Chen et al. (2022), Asymptotically unbiased estimation for delayed feedback modeling via label correction.

    Examples
    --------
    >>> defuse(0.5, 0.25)
    (1.5, 0.125, 1.125)
    """
    return 1 + p_dp, z * p_dp, (1 - z) * (1 + p_dp)


def ulc(p: Values, p_dp: Values) -> Values:
    """Return the soft label of an observed negative, w = p_dp / N: the chance that it is a conversion yet to come.

    Parameters
    ----------
    p, p_dp : float, ndarray or tensor, in [0, 1], p_dp <= p

    Returns
    -------
    float, ndarray or tensor, in [0, 1], of the shape of the arguments
        Weight of the label 1; that of the label 0 is 1 - w. An observed positive keeps its label.

    Notes
    -----
    w = 1 - p_rn, also the posterior that DFM's EM works with when delays are exponential: then p_dp = p exp(-rate
    elapsed). DFM and ESDF use it so; ULC learns w itself.

    References
    ----------
    Wang et al. (2023), Unbiased delayed feedback label correction for conversion rate prediction.

    Examples
    --------
    >>> ulc(0.5, 0.25)
    0.3333333333333333
    """
    return p_dp / (1 - p + p_dp)
