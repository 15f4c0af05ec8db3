"""How labels arrive, learned along a stream from exposures that have matured by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.emission import Emissions
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.streaming_learner import Learner, StepBatch, StepRows
from engine.metrics.survival import kaplan_meier

_GROUPS = ("real negative", "real negative given the state", "late positive")


class ArrivalModels:
    """P(never converts | negative when first read), without and with engagement, and P(converts after that).

    Parameters
    ----------
    prepared : Prepared
    x : Tensor of shape (n_rows, n_features)
    state : ndarray of shape (n_rows,), 0.0 or 1.0
        Engagement by the waiting window.
    block : ndarray of int
        Rows of the pre-training, matured before the first step that is tested.
    config : DelayConfig

    Notes
    -----
    All are conditional on the moment when the label is first read, the waiting window: a stream weights its rows
    once, there. That is unlike the batch protocol, whose flip model knows every age.
    """

    def __init__(
        self, prepared: Prepared, x: Tensor, state: np.ndarray, block: np.ndarray, config: DelayConfig
    ) -> None:
        self._prepared = prepared
        rows = self._rows(block)
        network = StackedNetwork(
            x.shape[1] + 1, hidden=config.hidden, outputs=1, members=config.members, groups=len(_GROUPS)
        )
        shares = torch.tensor([item.positive.mean() if item.positive.size else 0.5 for item in rows])
        network.start_at(shares.float().repeat_interleave(config.members)[:, None])
        self._learner = Learner(
            network,
            torch.cat((x, torch.from_numpy(state.astype(np.float32))[:, None]), dim=1),
            _log_loss,
            config,
            blind=torch.tensor([True, False, True]),
        )
        self._learner.pretrain(rows)

    def state_dict(self) -> dict[str, Any]:
        """Return what changes along the stream."""
        return self._learner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` has returned."""
        self._learner.load_state_dict(state)

    def learn(self, matured: Emissions, *, usual_rows: float) -> None:
        """Learn from the exposures whose window ended in a step."""
        self._learner.learn(self._rows(matured.exposure), usual_rows=usual_rows)

    def at(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the mean of the networks for some exposures, arrays of shape (n,), float64, in [0, 1].

        Keys ``plain`` and ``signals`` (p_rn without and with the engagement state) and ``late`` (p_dp).
        """
        share = torch.sigmoid(self._learner.heads(rows)).mean(dim=1)[..., 0].numpy()
        return dict(zip(("plain", "signals", "late"), share, strict=True))

    def _rows(self, exposure: np.ndarray) -> list[StepRows]:
        """Label matured exposures for the three models."""
        delay, waiting = self._prepared.delay[exposure], self._prepared.waiting[exposure]
        open_still = exposure[delay > waiting]
        never = 1.0 - self._prepared.label[open_still]
        late = (np.isfinite(delay) & (delay > waiting)).astype(np.float64)
        negatives = StepRows(exposure=open_still, positive=never, negative=1.0 - never, first=np.ones(never.size))
        return [
            negatives,
            negatives,
            StepRows(exposure=exposure, positive=late, negative=1.0 - late, first=np.ones(late.size)),
        ]


def real_negatives_by_segment(prepared: Prepared, rows: np.ndarray, *, since: float, until: float) -> np.ndarray:
    """Return p_rn = S(W) / S(e) of exposures from the Kaplan-Meier curve of their segment: no network.

    Parameters
    ----------
    prepared : Prepared
    rows : ndarray of int
        Exposures asked about.
    since, until : float
        The curves see exposures from the first day on, and nothing that happened at the second or later.

    Returns
    -------
    ndarray of shape (n,), float64, in [0, 1]
        The curve over all segments where the own one has no exposure.
    """
    seen = (prepared.time >= since) & (prepared.time < until)
    time, delay, window = prepared.time[seen], prepared.delay[seen], prepared.window[seen]
    event = time + delay < until
    duration = np.where(event, delay, np.minimum(until - time, window))
    asked, known = prepared.segment[rows], prepared.segment[seen]
    share = np.ones(rows.size)
    for name in sorted(set(asked)):
        mine, own = asked == name, known == name
        own = own if own.any() else np.ones_like(own)
        if not own.any():
            continue
        curve = kaplan_meier(duration[own], event[own])
        early = curve.survival_at(prepared.waiting[rows[mine]])
        final = curve.survival_at(prepared.window[rows[mine]])
        share[mine] = np.where(early > 0, final / np.where(early > 0, early, 1.0), 1.0)
    return share


def _log_loss(heads: Tensor, batch: StepBatch) -> Tensor:
    """Return the log loss of networks with one head."""
    return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)
