"""Train the literal form of the paper; every training edge carries messages and is supervised, as printed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.checkpoint import follow
from engine.graph.config import GraphConfig
from engine.graph.data import TrainingGraph
from engine.graph.heads import direction_scale, one_way_validation
from engine.graph.history import Progress
from engine.graph.minibatch import backward_in_blocks
from engine.graph.model import PaperEncoder, paper_loss, sparse_tensor
from engine.graph.sampling import operators
from engine.graph.scoring import DirectionHead, InnerProductScorer
from engine.graph.train_common import inference_messages, sampler, small_parameters
from engine.seeding import generator, torch_seed


def fit_paper(
    training: TrainingGraph, config: GraphConfig, progress: Progress
) -> tuple[InnerProductScorer, dict[str, NDArray[np.float32]]]:
    """Train the literal form; every training edge carries messages and is supervised, as printed."""
    fan = sampler(training, config, "adaptive")
    rng = generator(config.seed, "graph", "paper")
    edges, is_one_way = torch.from_numpy(training.edge_index), torch.from_numpy(training.is_one_way)
    with torch_seed(config.seed, "graph", "paper"):
        encoder = PaperEncoder(
            training.num_nodes, dimension=config.dimension, layers=config.paper_layers, features=training.features
        )
        optimizer = torch.optim.Adam(encoder.parameters(), lr=config.learning_rate)
        loop = follow(progress.stage, progress.report, encoder=encoder, optimizer=optimizer, draws=rng)
        for epoch in range(loop.done + 1, config.epochs + 1):
            # Row averages serve for the printed sums: the length of a row is normalised away after each layer.
            out_neighbours, in_neighbours = operators(training.edge_index, training.num_nodes, fan, rng)
            source, target = encoder(sparse_tensor(out_neighbours), sparse_tensor(in_neighbours))
            other = torch.from_numpy(_other_nodes(training, config.paper_negatives, rng))
            optimizer.zero_grad()
            loss_of = partial(
                _paper_loss, edges=edges, is_one_way=is_one_way, other=other, weight=config.asymmetric_weight
            )
            loss = backward_in_blocks(source, target, loss_of, count=len(is_one_way))
            optimizer.step()
            loop.report(epoch, {"asymmetric": loss})
            loop.keep(epoch)
        with torch.no_grad():
            source, target = encoder(*map(sparse_tensor, inference_messages(training, fan, config)))
    nothing = np.zeros(training.num_nodes, dtype=np.float32)
    scorer = InnerProductScorer(source.numpy(), target.numpy(), nothing, nothing)
    # The literal form has no other reading of a direction than its two scores, put on a scale.
    scale = np.float32(direction_scale(scorer.direction(*one_way_validation(training)).astype(np.float64)))
    scorer = replace(scorer, direction_head=DirectionHead(scale, nothing))
    return scorer, small_parameters(encoder)


def _paper_loss(
    source: Tensor, target: Tensor, some: slice, *, edges: Tensor, is_one_way: Tensor, other: Tensor, weight: float
) -> Tensor:
    """Return the literal loss of some edges."""
    head, tail = edges[:, some]
    single = is_one_way[some]
    forward = (source[head] * target[tail]).sum(dim=1)
    backward = (source[tail[single]] * target[head[single]]).sum(dim=1)
    negative = torch.einsum("ed,ekd->ek", source[head], target[other[some]])
    return paper_loss(forward, negative, forward[single], backward, asymmetric_weight=weight)


def _other_nodes(training: TrainingGraph, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw nodes other than the source, uniformly, for every training edge: shape (n_edges, count)."""
    source = training.edge_index[0][:, np.newaxis]
    drawn = rng.integers(training.num_nodes - 1, size=(source.shape[0], count))
    return drawn + (drawn >= source)
