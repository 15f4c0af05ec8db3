"""One seed in, independent reproducible random streams out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_TORCH_LOCK = threading.RLock()


def _entropy(seed: int, names: tuple[str, ...]) -> list[int]:
    """Turn a seed and a path of names into words for a seed sequence."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return [seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()]


def generator(seed: int, *names: str) -> np.random.Generator:
    """Make the NumPy generator that belongs to a seed and a purpose.

    Different names give independent streams, so adding a consumer never shifts the numbers of another.

    Parameters
    ----------
    seed : int, >= 0
        Seed of the run.
    *names : str
        Purpose of the stream, for example ``"split"``; names hold no slash.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> bool(generator(1, "a").integers(100) == generator(1, "a").integers(100))
    True
    """
    return np.random.default_rng(np.random.SeedSequence(_entropy(seed, names)))


@contextmanager
def torch_seed(seed: int, *names: str) -> Iterator[None]:
    """Seed torch for the body and give the process its old random state back afterwards.

    Torch keeps one generator per process; the lock keeps two trainings in threads from interleaving draws.

    Parameters
    ----------
    seed : int, >= 0
        Seed of the run.
    *names : str
        Purpose of the stream.
    """
    import torch

    with _TORCH_LOCK, torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, *names).integers(2**62)))
        yield
