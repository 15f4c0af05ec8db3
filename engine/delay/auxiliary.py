"""Models of how labels arrive, fitted on exposures whose window was over on the snapshot day."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.delay.config import DelayConfig
from engine.delay.counterfactual import counterfactual_rows
from engine.delay.data import Prepared
from engine.delay.flips import FLIP_GROUPS, blind, flip_inputs, landmarks
from engine.delay.law import Law, fit_law
from engine.delay.loop import Batch, Progress, Rows, optimise, predict, predict_pair
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.segment_curves import flip_of_segments
from engine.delay.streams import Outlook
from engine.seeding import generator, torch_seed


class FlipModel:
    """P(converts later | not converted so far) by features, elapsed time and, in one version, engagement.

    Parameters
    ----------
    network : StackedNetwork
        Two groups of networks: without and with the engagement state.
    prepared : Prepared
        Exposures it can be asked about.
    """

    def __init__(self, network: StackedNetwork, prepared: Prepared) -> None:
        self.network = network
        self._prepared = prepared

    def flip(self, exposure: np.ndarray, elapsed: np.ndarray) -> dict[str, np.ndarray]:
        """Return the flip probability of unconverted exposures at an age.

        Parameters
        ----------
        exposure : ndarray of shape (n,), int
        elapsed : ndarray of shape (n,), days, >= 0

        Returns
        -------
        dict of str to ndarray of shape (members, n), float64, in [0, 1]
            Keys `FLIP_GROUPS`, one row per network; 0 where the window is over.
        """
        x = flip_inputs(self._prepared, exposure, elapsed)
        open_still = elapsed < self._prepared.window[exposure]
        pair = zip(FLIP_GROUPS, predict_pair(self.network, x), strict=True)
        return {name: np.where(open_still, torch.sigmoid(part.double()).numpy(), 0.0) for name, part in pair}


def fit_auxiliary(prepared: Prepared, config: DelayConfig, progress: Progress) -> tuple[FlipModel, Outlook, Law]:
    """Fit the flip model, the law of arrival, the model of late conversions and the counterfactual pair.

    Returns
    -------
    flip_model : FlipModel
    outlook : Outlook
        Their statements about every exposure as of the snapshot.
    law : Law
        The parts of p_rn that ours is put together from.
    """
    flip_model = _fit_flips(prepared, config, progress)
    law = fit_law(prepared, config, progress)
    late_network = _fit_late(prepared, config, progress)
    seen_share, flip_counterfactual = _fit_counterfactual(prepared, config, progress)
    every = np.arange(prepared.time.size)
    at_waiting = flip_model.flip(every, prepared.waiting)
    now = flip_model.flip(every, np.clip(prepared.age, 0.0, prepared.window))
    late = torch.sigmoid(predict(late_network, torch.from_numpy(prepared.x)).squeeze(2)).mean(dim=0)
    outlook = Outlook(
        late=late.double().numpy(),
        flip_at_waiting=at_waiting[FLIP_GROUPS[0]].mean(axis=0),
        flip_plain=now[FLIP_GROUPS[0]].mean(axis=0),
        flip_signals=now[FLIP_GROUPS[1]].mean(axis=0),
        flip_moved=law.flip[FLIP_GROUPS[0]],
        flip_moved_signals=law.flip[FLIP_GROUPS[1]],
        engaged_share=law.engaged_share,
        flip_segment=flip_of_segments(prepared),
        seen_counterfactual=seen_share,
        flip_counterfactual=flip_counterfactual,
    )
    return flip_model, outlook, law


def _fit_flips(prepared: Prepared, config: DelayConfig, progress: Progress) -> FlipModel:
    """Train both versions of the flip model on the same landmarks."""
    marks = landmarks(prepared, count=config.landmarks, rng=generator(config.seed, "landmarks"))
    rows = Rows(exposure=marks.exposure, positive=marks.flips, negative=1.0 - marks.flips)
    x = flip_inputs(prepared, marks.exposure, marks.elapsed)
    with torch_seed(config.seed, "delay", "flip"):
        network = StackedNetwork(x.shape[1], hidden=config.hidden, outputs=1, members=config.members, groups=2)
        network.start_at(torch.full((2 * config.members, 1), float(marks.flips.mean())))
        with torch.no_grad():
            # Both versions start as one function: what the state then adds is learned, not drawn.
            network.weights[0][:, -1, :] = 0.0
        optimise(
            network,
            (blind(x), x),
            dict.fromkeys(FLIP_GROUPS, rows),
            _plain_loss,
            config=config,
            stage="labels yet to flip",
            progress=progress,
        )
    return FlipModel(network, prepared)


def _fit_late(prepared: Prepared, config: DelayConfig, progress: Progress) -> StackedNetwork:
    """Train P(converts after the waiting window | x)."""
    matured = np.flatnonzero(prepared.train & prepared.matured)
    delay = prepared.delay[matured]
    late = (np.isfinite(delay) & (delay > prepared.waiting[matured])).astype(np.float64)
    rows = Rows(exposure=matured, positive=late, negative=1.0 - late)
    with torch_seed(config.seed, "delay", "late"):
        network = StackedNetwork(prepared.x.shape[1], hidden=config.hidden, outputs=1, members=config.members)
        network.start_at(torch.full((config.members, 1), float(late.mean())))
        optimise(
            network,
            (torch.from_numpy(prepared.x),),
            {"late conversions": rows},
            _plain_loss,
            config=config,
            stage="late conversions",
            progress=progress,
        )
    return network


def _fit_counterfactual(prepared: Prepared, config: DelayConfig, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Train FSIW's two models side by side and ask them about every exposure at its own age.

    Returns
    -------
    seen_share : ndarray of shape (n_rows,)
        F = P(converted so far | converts); learned from exposures that converted by the snapshot day.
    flip : ndarray of shape (n_rows,)
        P(converts later | not so far); learned from exposures that had not converted at the deadline.
        Where the window is over, F = 1 and the flip probability is 0.
    """
    past = counterfactual_rows(prepared, days=config.counterfactual_days)
    running = past.elapsed < prepared.window[past.exposure]
    chosen = {
        "seen so far": (past.by_snapshot, past.by_deadline),
        "flips by the snapshot": (~past.by_deadline, past.by_snapshot),
    }
    groups, inputs = {}, []
    for name, (rows, target) in chosen.items():
        # Windows over at the deadline teach nothing; they are all there is in a log of too few days.
        use = np.flatnonzero(rows & running) if (rows & running).any() else np.flatnonzero(rows)
        label = target[use].astype(np.float64)
        groups[name] = Rows(exposure=past.exposure[use], positive=label, negative=1.0 - label)
        inputs.append(blind(flip_inputs(prepared, past.exposure[use], past.elapsed[use])))
    with torch_seed(config.seed, "delay", "counterfactual"):
        network = StackedNetwork(
            inputs[0].shape[1], hidden=config.hidden, outputs=1, members=config.members, groups=len(groups)
        )
    shares = torch.tensor([rows.positive.mean() for rows in groups.values()]).float()
    network.start_at(shares.repeat_interleave(config.members)[:, None])
    optimise(network, inputs, groups, _plain_loss, config=config, stage="counterfactual labels", progress=progress)
    age = np.clip(prepared.age, 0.0, prepared.window)
    x = blind(flip_inputs(prepared, np.arange(age.size), age))
    said = torch.sigmoid(predict(network, x).squeeze(2).double()).reshape(2, config.members, -1).mean(dim=1).numpy()
    over = age >= prepared.window
    return np.where(over, 1.0, said[0]), np.where(over, 0.0, said[1])


def _plain_loss(heads: Tensor, batch: Batch) -> Tensor:
    """Return the log loss of a network with one head."""
    return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)


__all__ = ["FLIP_GROUPS", "FlipModel", "fit_auxiliary", "flip_inputs"]
