"""What every trained form needs around its own loop: a sampler, the messages at inference, what to keep."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.config import GraphConfig, Sampling
from engine.graph.data import TrainingGraph
from engine.graph.minibatch import NODE_PARAMETERS
from engine.graph.model import DirectedEncoder, PaperEncoder
from engine.graph.sampling import FanOut, fan_out_of, operators
from engine.seeding import generator


def sampler(training: TrainingGraph, config: GraphConfig, sampling: Sampling) -> FanOut:
    """Derive a sampler from the training edges."""
    return fan_out_of(
        training,
        sampling,
        max_neighbours=config.max_neighbours,
        min_neighbours=config.min_neighbours,
        neighbour_bias=config.neighbour_bias,
    )


def inference_messages(
    training: TrainingGraph, fan: FanOut, config: GraphConfig
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the neighbourhoods at inference, drawn from all training edges."""
    return operators(training.edge_index, training.num_nodes, fan, generator(config.seed, "graph", "inference"))


def small_parameters(encoder: DirectedEncoder | PaperEncoder) -> dict[str, NDArray[np.float32]]:
    """Return the parameters that are not one row per node, and the node input that the network starts from."""
    small = {
        name: value.detach().numpy().copy() for name, value in encoder.named_parameters() if name not in NODE_PARAMETERS
    }
    return small | {"input": encoder.node_input().detach().numpy().copy()}
