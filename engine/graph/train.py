"""Fit every method of a run on the training edges alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from engine.checkpoint import follow
from engine.distributed import alone, workers
from engine.graph.baselines import fit_baseline
from engine.graph.batches import Batch, Draws, batch_size_of, epochs
from engine.graph.config import BASELINES, GraphConfig, Sampling
from engine.graph.data import Prepared, TrainingGraph
from engine.graph.heads import with_heads
from engine.graph.history import Progress
from engine.graph.minibatch import Stepper, embed
from engine.graph.model import (
    DirectedEncoder,
    ranking_loss,
    reversed_edge_loss,
)
from engine.graph.ranks import excluded_candidates
from engine.graph.reciprocity import reversal_bonus, with_level
from engine.graph.scoring import InnerProductScorer, Scorer
from engine.graph.train_common import inference_messages, sampler, small_parameters
from engine.graph.train_paper import fit_paper
from engine.result import OnEpoch
from engine.seeding import generator, torch_seed

_STAGE = {
    "dual": "dual embeddings",
    "single": "single embedding",
    "paper": "literal paper form",
    "adaptive": "adaptive neighbourhoods",
    "fixed": "fixed neighbourhoods",
}
_SHARED = ("dual", "single", "adaptive", "fixed")
"""Methods that several workers train together."""
_SCALED = ("scale", "popularity_weight", "reciprocity", "reciprocity_slope")
"""Parameters that the score is made of; they are kept on its scale."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Every method of a run, ready to score pairs."""

    scorers: Mapping[str, Scorer]
    """Method to scorer, in the order of `GraphConfig.methods`."""
    model: Mapping[str, NDArray[np.float32]]
    """Small parameters of the trained forms, named ``method.parameter``, and the node input x of the shown form;
    other node vectors are in the scorers."""
    history: pd.DataFrame
    """Columns ``stage, epoch, loss, value``."""


@dataclass(frozen=True, slots=True)
class TrainedForm:
    """One trained form."""

    scorer: InnerProductScorer
    parameters: Mapping[str, NDArray[np.float32]]
    """Every parameter that is not one row per node, ``input``, the node input x, and the weights of the heads; those
    that the score is made of are on its scale."""
    history: list[dict[str, object]]
    """Rows of ``stage, epoch, loss, value``."""


def fit(prepared: Prepared, config: GraphConfig, *, on_epoch: OnEpoch | None = None) -> Fitted:
    """Fit every method that the settings name.

    Parameters
    ----------
    prepared : Prepared
        Only its `training` part is read.
    config : GraphConfig
    on_epoch : callable, optional
        Receives an `EpochRecord` after every epoch of every trained method.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingError
        If a loss is not finite.

    Notes
    -----
    The cosine forms share initial inputs, message edges and negatives, so their differences are not noise of these;
    the literal form supervises every training edge, as printed, with draws of its own. Several workers train the cosine
    forms together; all else the first one does alone, and what the others return lacks it.
    """
    training = prepared.training
    scorers: dict[str, Scorer] = {}
    model: dict[str, NDArray[np.float32]] = {}
    history: list[dict[str, object]] = []
    for method in config.methods:
        if method not in _SHARED and not workers().is_first:
            continue
        if method in BASELINES:
            scorers[method] = fit_baseline(method, training, dimension=config.dimension, seed=config.seed)
            continue
        form = fit_form(method, training, config, on_epoch=on_epoch)
        scorers[method] = form.scorer
        # Matrices of forms whose node vectors are not kept would explain nothing.
        kept = {
            name: value for name, value in form.parameters.items() if value.ndim < 2 or method == config.shown_method
        }
        model |= {f"{method}.{name}": value for name, value in kept.items()}
        history += form.history
    return Fitted(scorers, model, history=pd.DataFrame(history, columns=["stage", "epoch", "loss", "value"]))


def fit_form(
    method: str, training: TrainingGraph, config: GraphConfig, *, on_epoch: OnEpoch | None = None
) -> TrainedForm:
    """Train one form on a graph, whatever the other methods of the settings are.

    Parameters
    ----------
    method : str
        One of `TRAINED_METHODS`.
    training : TrainingGraph
    config : GraphConfig
    on_epoch : callable, optional

    Returns
    -------
    TrainedForm

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    progress = Progress(_stage(method, training, config), config.epochs, on_epoch)
    if method == "paper":
        with alone():
            return TrainedForm(*fit_paper(training, config, progress), progress.rows)
    known = excluded_candidates(training.edge_index, training.num_nodes)
    return TrainedForm(*_fit_encoder(method, training, known, config, progress), progress.rows)


def _fit_encoder(
    method: str, training: TrainingGraph, known: sparse.csr_array, config: GraphConfig, progress: Progress
) -> tuple[InnerProductScorer, dict[str, NDArray[np.float32]]]:
    """Train one cosine form: dual or single, with one sampler."""
    fan = sampler(training, config, _sampling_of(method, config))
    with torch_seed(config.seed, "graph", "encoder"):
        encoder = DirectedEncoder(
            training.num_nodes,
            dimension=config.dimension,
            scale=config.scale,
            is_dual=method != "single",
            features=training.features,
        )
        stepper = Stepper(
            encoder,
            _optimizer(encoder, config),
            loss_of=partial(_losses, config=config),
            penalty=lambda: config.role_decay * encoder.role_difference(),
        )
        averaged = AveragedModel(encoder)
        draws = Draws.of(config.seed)
        streams = {"halves": draws.halves, "negatives": draws.negatives, "sampler": draws.sampler}
        loop = follow(progress.stage, progress.report, stepper=stepper, averaged=averaged, **streams)
        drawn = epochs(training, known, fan, config, draws=draws, done=loop.done)
        for epoch, batches in enumerate(drawn, start=loop.done + 1):
            loop.report(epoch, stepper.epoch(batches))
            if epoch > config.epochs - _averaged_epochs(config):
                averaged.update_parameters(encoder)
            loop.keep(epoch)
        final = cast(DirectedEncoder, averaged.module)
        scorer = _scorer(final, training, inference_messages(training, fan, config))
    scorer, shift = with_level(scorer, training, generator(config.seed, "graph", "reciprocity"))
    scorer, weights = with_heads(scorer, training, generator(config.seed, "graph", "heads"))
    parameters = small_parameters(final)
    parameters["reciprocity"] = parameters["reciprocity"] + np.float32(shift)
    scaled = {name: parameters[name] * weights["edge_scale"] for name in _SCALED}
    return scorer, parameters | weights | scaled


def _averaged_epochs(config: GraphConfig) -> int:
    """Return how many epochs, the last ones, are averaged: the share rounded up, at least one."""
    # A share of 0.9 of ten epochs is nine, though its float product lies above that by rounding.
    return max(math.ceil(config.epochs * config.averaged_share - 1e-9), 1)


def _scorer(
    encoder: DirectedEncoder, training: TrainingGraph, messages: tuple[sparse.csr_array, sparse.csr_array]
) -> InnerProductScorer:
    """Score by what the encoder has learned, with all training edges as messages."""
    source, target = embed(encoder, *messages)
    with torch.no_grad():
        offset = encoder.target_offset(torch.from_numpy(training.in_degree).float())
    level, slope = encoder.reciprocity.item(), encoder.reciprocity_slope.item()
    bonus = reversal_bonus(training.edge_index, training.in_degree, level=level, slope=slope)
    return InnerProductScorer(source, target, offset.numpy(), np.zeros(training.num_nodes, dtype=np.float32), bonus)


def _stage(method: str, training: TrainingGraph, config: GraphConfig) -> str:
    """Name what is trained, with the size of its steps where an epoch has several."""
    size = batch_size_of(config, training.edge_index.shape[1])
    return _STAGE[method] if size == 0 or method == "paper" else f"{_STAGE[method]}, {size:,} edges per step"


def _sampling_of(method: str, config: GraphConfig) -> Sampling:
    """Return the sampler of a trained method: two of them exist to compare samplers."""
    if method == "adaptive":
        return "adaptive"
    return "uniform" if method == "fixed" else config.sampling


def _optimizer(encoder: DirectedEncoder, config: GraphConfig) -> torch.optim.Adam:
    """Build Adam with a step and an L2 penalty per kind of parameter."""
    rate = config.learning_rate
    slow = encoder.source_role, encoder.target_role, encoder.mix
    features = filter(torch.is_tensor, [encoder.feature_weight])
    # A hundred steps must take single numbers from their start to sizes of 1 to 5, vectors to sizes of 0.1.
    return torch.optim.Adam(
        [
            {"params": [encoder.input], "lr": rate},
            {"params": features, "lr": rate, "weight_decay": config.feature_decay},
            {"params": filter(torch.is_tensor, slow), "lr": rate / 2},
            {"params": [encoder.target_bias], "lr": rate, "weight_decay": config.bias_decay},
            {"params": [encoder.scale, encoder.popularity_weight], "lr": 3 * rate},
            {"params": [encoder.reciprocity, encoder.reciprocity_slope], "lr": 10 * rate},
        ]
    )


def _losses(encoder: DirectedEncoder, batch: Batch, config: GraphConfig) -> dict[str, Tensor]:
    """Return a worker's part of the loss terms of one step."""
    source, target = encoder(batch.out_neighbours, batch.in_neighbours)
    offset, gain = encoder.target_offset(batch.in_degree), encoder.reversal_gain(batch.in_degree)
    head, tail = batch.edges
    inner = (source[head] * target[tail]).sum(dim=1) + offset[tail]
    negative = source[batch.queries] @ target[batch.negatives].T + offset[batch.negatives]
    negative = negative + gain[batch.queries, None] * batch.reversed_negative
    positive = inner + gain[head] * batch.reversed_edge
    losses = {"ranking": batch.share * ranking_loss(positive, negative, batch.query, batch.is_masked)}
    if config.reversed_weight > 0:
        head, tail = batch.edges[:, batch.is_one_way]
        backward = (source[tail] * target[head]).sum(dim=1) + offset[head]
        weight = config.reversed_weight * batch.one_way_share
        losses["reversed edges"] = weight * reversed_edge_loss(inner[batch.is_one_way], backward, config.scale / 2)
    return losses
