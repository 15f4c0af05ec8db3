"""What one label that flips does to a model: predicted by influence functions, and checked by fitting again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.smooth import SmoothModel, factored
from engine.delay.streams import Stream
from engine.seeding import generator, torch_seed

MODELS = ("logistic", "network")
MAX_ROWS = 4_000
"""Training rows of the models; more are thinned evenly."""
_MAX_PARAMETERS = 800
"""Limits the width of the network, as its Hessian is written out."""
_MAX_WIDTH = 8
INFLUENCE_COLUMNS = (
    "model", "exposure_id", "segment", "age_days", "delta_own", "delta_mean", "refit_own", "refit_mean",
)  # fmt: skip
CHECK_COLUMNS = (
    "model", "flips", "quantity", "predicted", "refitted", "relative_error", "correlation", "n", "rows", "damping",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effects of flips, each alone (first axis) or all together (one row): predicted beside refitted."""

    step: Tensor
    """Change of the parameters, shape (changes, size)."""
    refit_step: Tensor
    own: Tensor
    """Change of the predictions of the flipped rows: shape (flips,)."""
    refit_own: Tensor
    mean: Tensor
    """Change of the mean prediction of the later exposures, shape (changes,)."""
    refit_mean: Tensor


def influence_tables(prepared: Prepared, vanilla: Stream, config: DelayConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Work out the influence of labels that were still open on the snapshot day and flipped later.

    Parameters
    ----------
    prepared : Prepared
    vanilla : Stream
        Rows of the plain method, with labels as seen on the snapshot day.
    config : DelayConfig
        `influence_flips` flips are drawn at random and looked at one by one.

    Returns
    -------
    influence : DataFrame
        Columns `INFLUENCE_COLUMNS`, one row per model and flip: change of the flipped row's own prediction and of the
        mean prediction of the later exposures, predicted (``delta_…``) and after fitting again (``refit_…``).
    check : DataFrame
        Columns `CHECK_COLUMNS`. ``flips`` labels are flipped at once: 1, over ``n`` single flips, or all of them.
        ``quantity``: parameters (lengths of their change), own, mean (both averaged). ``relative_error`` = |predicted −
        refitted| / |refitted| in Euclidean norm over flips and coordinates; ``correlation`` over them. ``rows``: rows
        of the fit; ``damping``: what was added to the Hessian's diagonal. Both tables are empty if no label flipped.

    Notes
    -----
    At the minimum of a mean loss of n rows, flipping the label of x from 0 to 1 moves the parameters, to first order,

        Δθ = (1/n) H⁻¹ [∇ℓ(x, 0) − ∇ℓ(x, 1)] = (1/n) H⁻¹ ∇z(x),  z = log odds, H = Hessian of the loss with its penalty

    and the change of a prediction is that of the model at θ + Δθ. Models: logistic regression, and a network with two
    hidden layers like the run's but narrower and with tanh: a network with ReLU ends on a kink, where its gradient
    does not vanish and no Hessian exists. Both are fitted to a minimum, on the rows of *vanilla* and with the run's
    penalty. The check fits again from there on flipped labels until the gradient vanishes; NaN where it
    does not. A network has many minima: refitted on many flips it may end in another one, and then the parameters
    differ although the predictions agree.
    Later labels only choose which rows are shown; nothing is trained on them but the check.

    References
    ----------
    Koh and Liang (2017), Understanding black-box predictions via influence functions; for delayed labels IF-DFM
    (arXiv 2502.01669), which solves Hx = b by Adam on Hessian-vector products. Here H is small enough to be written
    out by them and solved exactly.
    """
    rows = vanilla.exposure[:: max(1, -(-vanilla.exposure.size // MAX_ROWS))]
    open_still = ~prepared.seen[rows] & ~prepared.matured[rows]
    flips = np.flatnonzero(open_still & (prepared.label[rows] > 0))
    if not flips.size:
        return pd.DataFrame(columns=list(INFLUENCE_COLUMNS)), pd.DataFrame(columns=list(CHECK_COLUMNS))
    shown = flips
    if flips.size > config.influence_flips:
        shown = np.sort(generator(config.seed, "influence").choice(flips, config.influence_flips, replace=False))
    y = torch.from_numpy(prepared.seen[rows].astype(np.float64))
    tables, checks = [], []
    for name in MODELS:
        model = _model(name, prepared.x[rows], config)
        with torch_seed(config.seed, "influence", name):
            theta = model.minimise(model.start(), y)
        factor, damping = factored(model.hessian(theta, y))
        theta = model.refine(theta[None], y[None], factor)[0][0]
        later = torch.from_numpy(prepared.x[prepared.test]).double()
        single = single_flips(model, theta, y, factor, torch.from_numpy(shown), later)
        joint = joint_flips(model, theta, y, factor, torch.from_numpy(flips), later)
        tables.append(_influence(name, single, prepared, rows[shown]))
        common = {"model": name, "rows": rows.size, "damping": damping}
        checks += [_check(single, 1, **common), _check(joint, flips.size, **common)]
    return pd.concat(tables, ignore_index=True), pd.concat(checks, ignore_index=True)[list(CHECK_COLUMNS)]


def single_flips(model: SmoothModel, theta: Tensor, y: Tensor, factor: Tensor, flips: Tensor, later: Tensor) -> Effects:
    """Predict and refit the effect of every flip alone.

    Parameters
    ----------
    model : SmoothModel
    theta : Tensor of shape (size,)
        Its minimum for `y`.
    y : Tensor of shape (n,), 0 or 1
    factor : Tensor of shape (size, size)
        Cholesky factor of the Hessian there.
    flips : Tensor of shape (flips,), int
        Rows whose label goes from 0 to 1.
    later : Tensor of shape (m, n_features)
        Rows whose mean prediction is followed.
    """
    step = torch.cholesky_solve(model.slopes(theta, flips).T, factor).T / y.shape[0]
    labels = y.repeat(flips.shape[0], 1)
    labels[torch.arange(flips.shape[0]), flips] = 1.0
    fitted, sharp = model.refine(theta + step, labels, factor)
    for place in torch.nonzero(~sharp)[:, 0].tolist():
        # The curvature changes too much on the way; descend without it.
        fitted[place] = model.minimise(theta, labels[place])
        sharp[place] = model.is_minimum(fitted[place], labels[place])
    refit = torch.where(sharp[:, None], fitted - theta, torch.nan)
    here = torch.arange(flips.shape[0])
    own = [_change(model, theta, part, model.x[flips])[here, here] for part in (step, refit)]
    mean = [_change(model, theta, part, later).mean(dim=1) for part in (step, refit)]
    return Effects(step=step, refit_step=refit, own=own[0], refit_own=own[1], mean=mean[0], refit_mean=mean[1])


def joint_flips(model: SmoothModel, theta: Tensor, y: Tensor, factor: Tensor, flips: Tensor, later: Tensor) -> Effects:
    """Predict and refit the effect of all flips together; arguments as for `single_flips`."""
    step = torch.cholesky_solve(model.slopes(theta, flips).sum(dim=0)[:, None], factor).T / y.shape[0]
    flipped = y.clone()
    flipped[flips] = 1.0
    fitted = model.minimise(theta, flipped)
    refit = (fitted - theta if model.is_minimum(fitted, flipped) else torch.full_like(theta, torch.nan))[None]
    own = [_change(model, theta, part, model.x[flips])[0] for part in (step, refit)]
    mean = [_change(model, theta, part, later).mean(dim=1) for part in (step, refit)]
    return Effects(step=step, refit_step=refit, own=own[0], refit_own=own[1], mean=mean[0], refit_mean=mean[1])


def _model(name: str, x: np.ndarray, config: DelayConfig) -> SmoothModel:
    """Make a model for the inputs of some rows."""
    features = x.shape[1]
    width = max(2, min(_MAX_WIDTH, config.hidden, _MAX_PARAMETERS // (features + 12)))
    hidden = (width, width) if name == "network" else ()
    return SmoothModel(
        widths=(features, *hidden, 1), x=torch.from_numpy(x).double(), penalty=max(config.weight_decay, 1e-4)
    )


def _change(model: SmoothModel, theta: Tensor, step: Tensor, x: Tensor) -> Tensor:
    """Return how steps change the predictions of rows, shape (steps, n)."""
    before = torch.sigmoid(model.log_odds(theta, x))
    return torch.stack([torch.sigmoid(model.log_odds(theta + one, x)) - before for one in step])


def _influence(name: str, single: Effects, prepared: Prepared, rows: np.ndarray) -> pd.DataFrame:
    """List the flips of one model."""
    return pd.DataFrame(
        {
            "model": name,
            "exposure_id": prepared.exposure_id[rows].astype(str),
            "segment": prepared.segment[rows],
            "age_days": prepared.age[rows].astype(np.float32),
            "delta_own": single.own.numpy(),
            "delta_mean": single.mean.numpy(),
            "refit_own": single.refit_own.numpy(),
            "refit_mean": single.refit_mean.numpy(),
        }
    )


def _check(effects: Effects, flips: int, **common: object) -> pd.DataFrame:
    """Compare predicted and refitted changes."""
    pairs = {
        "parameters": (effects.step.numpy(), effects.refit_step.numpy()),
        "own": (effects.own.numpy(), effects.refit_own.numpy()),
        "mean": (effects.mean.numpy(), effects.refit_mean.numpy()),
    }
    rows = []
    for quantity, (predicted, refitted) in pairs.items():
        known = np.isfinite(refitted)
        said, found = predicted[known], refitted[known]
        size = float(np.linalg.norm(found))
        varies = found.size > 1 and np.ptp(found) > 0 and np.ptp(said) > 0
        lengths = quantity == "parameters"
        rows.append(
            {
                "flips": flips,
                "quantity": quantity,
                "predicted": _typical(np.where(known, predicted, np.nan), lengths=lengths),
                "refitted": _typical(refitted, lengths=lengths),
                "relative_error": float(np.linalg.norm(said - found)) / size if size > 0 else np.nan,
                "correlation": float(np.corrcoef(said, found)[0, 1]) if varies else np.nan,
                "n": int(np.isfinite(effects.refit_own.numpy()).sum()),
            }
        )
    return pd.DataFrame(rows).assign(**common)


def _typical(values: np.ndarray, *, lengths: bool) -> float:
    """Return the mean of changes, of parameters the mean length, over what is known."""
    one_each = np.linalg.norm(values, axis=1) if lengths else values
    known = one_each[np.isfinite(one_each)]
    return float(known.mean()) if known.size else np.nan
