"""Fit what gives each row a score and an uncertainty: the chosen estimators, and the priors of the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.result import OnEpoch
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.counts import count_proxy
from engine.uncertainty.data import Prepared
from engine.uncertainty.laplace import fit_last_layer, gaussian_samples, probit_score, with_constant
from engine.uncertainty.measures import uncertainty_of_beta, uncertainty_of_samples
from engine.uncertainty.names import GIVEN
from engine.uncertainty.natpn import fit_natpn
from engine.uncertainty.networks import Networks, fit_ensemble, fit_mc_dropout, hidden_units
from engine.uncertainty.optimise import Inputs, inputs_of
from engine.uncertainty.rates import FLAT_PRIOR, fit_matched_prior, rate_score
from engine.uncertainty.theory import true_rate

Floats = NDArray[np.float64]
ENSEMBLE = {"ensemble", "laplace", "counts"}
"""Estimators that are read from the deep ensemble."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Hold score in [0, 1] and uncertainty (of any sign where it is given) of all n prepared rows, by one scorer."""

    score: Floats
    uncertainty: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold every scorer of a run, in display order, and what was fitted for it."""

    scorers: Mapping[str, Scored]
    priors: Mapping[str, tuple[float, float]]
    """Beta prior (a, b) of each rate scorer."""
    model: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Parameters of the first scorer's networks."""
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


def fit(prepared: Prepared, config: UncertaintyConfig, *, on_epoch: OnEpoch | None = None) -> Fitted:
    """Fit all scorers that the data allows.

    A score that comes with the data is taken as it is (``given``); otherwise the chosen estimators
    are trained on the training rows. Every evidence window w adds ``rate_w_flat`` and
    ``rate_w_matched``, whose prior is fitted to the tuning rows' histories without labels.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingError
        If a loss is not finite.
    NotEnoughDataError
        If undersampling leaves too few negatives.
    """
    fitted = _given(prepared) if prepared.dataset.has_score else _Estimators(prepared, config, on_epoch).fit()
    rows = prepared.dataset.rows
    scorers: dict[str, Scored] = dict(fitted.scorers)
    priors: dict[str, tuple[float, float]] = {}
    tune = prepared.mask("tune")
    for window in prepared.dataset.windows:
        k, n = (rows[f"{kind}_{window}"].to_numpy(float) for kind in "kn")
        priors[f"rate_{window}_flat"] = FLAT_PRIOR
        priors[f"rate_{window}_matched"] = fit_matched_prior(k[tune], n[tune], prepared.weight[tune].astype(float))
        for name in (f"rate_{window}_flat", f"rate_{window}_matched"):
            scorers[name] = Scored(*rate_score(k, n, prior=priors[name]))
    return Fitted(scorers=scorers, priors=priors, model=fitted.model, history=fitted.history)


def assist(prepared: Prepared, config: UncertaintyConfig) -> None:
    """Take part in what several workers train together: the ensemble. All else the first one does alone.

    Parameters
    ----------
    prepared : Prepared
    config : UncertaintyConfig
    """
    if not prepared.dataset.has_score and set(config.estimators) & ENSEMBLE:
        fit_ensemble(inputs_of(prepared, config), config, None)


def _given(prepared: Prepared) -> Fitted:
    """Take score and uncertainty from the rows."""
    rows = prepared.dataset.rows
    given = Scored(rows["score"].to_numpy(float), rows["uncertainty"].to_numpy(float))
    return Fitted(scorers={GIVEN: given}, priors={}, history=_history([]))


def _history(records: list[dict[str, object]]) -> pd.DataFrame:
    """Tabulate the losses."""
    return pd.DataFrame(records, columns=["stage", "epoch", "loss", "value"])


class _Estimators:
    """Fit the chosen estimators one after the other, the ensemble once for all that need it."""

    def __init__(self, prepared: Prepared, config: UncertaintyConfig, on_epoch: OnEpoch | None) -> None:
        self._prepared, self._config, self._on_epoch = prepared, config, on_epoch
        self._inputs: Inputs = inputs_of(prepared, config)
        self._ensemble: Networks | None = None
        self._scorers: dict[str, Scored] = {}
        self._model: dict[str, NDArray[np.float32]] = {}
        self._records: list[dict[str, object]] = []

    def fit(self) -> Fitted:
        """Fit all, in the order in which they were asked for."""
        for name in self._config.estimators:
            score, uncertainty = self._fit_one(name)
            if self._config.correct_undersampling:
                score = true_rate(score, self._config.undersampling)
            self._scorers[name] = Scored(score, uncertainty)
        return Fitted(scorers=self._scorers, priors={}, model=self._model, history=_history(self._records))

    def _fit_one(self, name: str) -> tuple[Floats, Floats]:
        """Return score and uncertainty of one estimator, for the rate among the rows as sampled for training."""
        if name == "mc_dropout":
            return self._of_networks(self._keep(fit_mc_dropout(self._inputs, self._config, self._on_epoch)))
        if name in ("natpn_flat", "natpn_matched"):
            return self._natpn(name)
        if self._ensemble is None:
            self._ensemble = self._keep(fit_ensemble(self._inputs, self._config, self._on_epoch))
        if name == "laplace":
            return self._laplace(self._ensemble)
        score, uncertainty = self._of_networks(self._ensemble)
        if name == "counts":
            prepared = self._prepared
            uncertainty = count_proxy(prepared.dataset.features, prepared.mask("train"), prepared.weight)
        return score, uncertainty

    def _keep(self, networks: Networks) -> Networks:
        """Store losses, and the parameters of the first networks."""
        self._records += networks.records
        self._store(networks.net.state_dict())
        return networks

    def _store(self, state: Mapping[str, object]) -> None:
        """Keep the parameters of the first scorer for the run folder."""
        if not self._model:
            self._model = {name: np.asarray(value) for name, value in state.items()}

    def _of_networks(self, networks: Networks) -> tuple[Floats, Floats]:
        """Reduce several networks to score and uncertainty."""
        return summarise_members(networks.log_odds, measure=self._config.measure, part=self._config.part)

    def _natpn(self, name: str) -> tuple[Floats, Floats]:
        """Fit a posterior network and reduce its Beta distributions."""
        config = self._config
        posterior = fit_natpn(self._inputs, config, self._on_epoch, matched=name == "natpn_matched")
        self._records += posterior.records
        self._store(posterior.net.state_dict())
        uncertainty = uncertainty_of_beta(posterior.a, posterior.b, measure=config.measure, part=config.part)
        return posterior.a / (posterior.a + posterior.b), uncertainty

    def _laplace(self, ensemble: Networks) -> tuple[Floats, Floats]:
        """Approximate the posterior of the first member's last layer."""
        inputs, config = self._inputs, self._config
        features = with_constant(hidden_units(ensemble.net, inputs.numeric, inputs.category)[0])
        log_odds, train = ensemble.log_odds[0], inputs.train.numpy()
        layer = fit_last_layer(
            features[train],
            1 / (1 + np.exp(-log_odds[train])),
            self._prepared.weight[train].astype(float),
            prior_precision=config.prior_precision,
        )
        variance = layer.variance(features)
        score = probit_score(log_odds, variance)
        if config.measure == "variance_of_logit":
            return score, variance
        samples, weight = gaussian_samples(log_odds, variance)
        return score, uncertainty_of_samples(samples, measure=config.measure, part=config.part, weight=weight)


def summarise_members(log_odds: Floats, *, measure: str, part: str = "epistemic") -> tuple[Floats, Floats]:
    """Reduce member log-odds of shape (M, n) to mean probability and its uncertainty, each of shape (n,).

    See `engine.uncertainty.measures.uncertainty_of_samples`.
    """
    probability = 1 / (1 + np.exp(-log_odds))
    return probability.mean(axis=0), uncertainty_of_samples(log_odds, measure=measure, part=part)
