"""Data-parallel training under ``torchrun``: every worker takes a share of each batch, and gradients are added up.

Collective operations are those of ``gloo``, which needs CPUs alone. Without ``torchrun`` a process is a group of one.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_MINUTES = 10_080
"""A week: the longest that a worker may be told to wait for the others."""
_ENDED = (
    "another worker ended before the training was done, so no run was written. Read above why it ended, for example "
    "for want of memory, and start again."
)
_SILENT = (
    "another worker did not answer for as long as --patience allows, so no run was written. Its host may have lost its "
    "power or network. If it was only busy, as the first is with methods that it trains alone, raise --patience."
)
_UNREACHED = (
    "the other workers cannot be reached. If they run on other hosts, name the network between them in the "
    "environment of every worker, for example GLOO_SOCKET_IFNAME=eth0, and start again."
)
_ALONE: ContextVar[bool] = ContextVar("alone", default=False)

T = TypeVar("T")


class WorkerLostError(TrainingError):
    """Another worker ended, so that this one cannot go on."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that train one model together, seen from one of them."""

    rank: int = 0
    """Number of this process; 0 reports progress and writes the run."""
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Say whether this process reports and writes."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of `count` things belong to this process: every `size`-th.

        Examples
        --------
        >>> list(range(7))[Workers(rank=1, size=3).share(7)]
        [1, 4]
        """
        return slice(self.rank, count, self.size)

    def sum_in_place(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one type by their sums over all workers.

        Parameters
        ----------
        tensors : sequence of Tensor
            Of equal shapes on every worker.

        Raises
        ------
        TrainingError
            If another worker has ended.
        """
        if self.size == 1 or not tensors:
            return
        import torch
        from torch import distributed

        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        _together(lambda: distributed.all_reduce(flat))
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def total(self, part: Tensor) -> Tensor:
        """Return the sum of a tensor over all workers, for their own shape of it."""
        self.sum_in_place([part])
        return part

    def sum_rows(self, rows: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Add up rows of tables of which every worker holds a few.

        Parameters
        ----------
        rows : Tensor of shape (n,), int64
            Positions of the rows that this worker holds, without repeats.
        values : sequence of Tensor of shape (n, ...), float32
            Rows of several tables at these positions.

        Returns
        -------
        rows : Tensor of shape (m,), int64
            Positions that any worker holds; their order is that of `rows` for one worker, else ascending.
        values : list of Tensor of shape (m, ...)
            Sums over the workers, the same on each of them.

        Raises
        ------
        TrainingError
            If another worker has ended.
        """
        if self.size == 1:
            return rows, list(values)
        import torch

        union = torch.unique(torch.cat(self._gathered(rows)))
        place = torch.searchsorted(union, rows)
        spread = [value.new_zeros((len(union), *value.shape[1:])).index_copy_(0, place, value) for value in values]
        self.sum_in_place(spread)
        return union, spread

    def columns(self, count: int) -> slice:
        """Return which of the `count` rows of a step belong to this process; refuse more workers than rows.

        Raises
        ------
        ConfigError
        """
        if self.size > count:
            raise ConfigError(
                f"{self.size} workers are more than the {count} rows of a step; start fewer, or raise 'batch_size'."
            )
        return self.share(count)

    def from_first(self, content: bytes) -> bytes:
        """Return on every worker what the first one holds.

        Raises
        ------
        TrainingError
            If another worker has ended.
        """
        if self.size == 1:
            return content
        import torch
        from torch import distributed

        length = torch.tensor([len(content)])
        _together(lambda: distributed.broadcast(length, 0))
        buffer = torch.zeros(int(length), dtype=torch.uint8)
        if self.is_first and content:
            buffer = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        _together(lambda: distributed.broadcast(buffer, 0))
        return buffer.numpy().tobytes()

    def sum_values(self, values: Mapping[str, float]) -> dict[str, float]:
        """Add up named numbers over all workers, which name the same."""
        import torch

        summed = self.total(torch.tensor(list(values.values()), dtype=torch.float64))
        return dict(zip(values, summed.tolist(), strict=True))

    def _gathered(self, rows: Tensor) -> list[Tensor]:
        """Return the positions that each worker holds; their number differs, so they travel padded."""
        import torch
        from torch import distributed

        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        _together(lambda: distributed.all_gather(counts, torch.tensor([len(rows)])))
        padded = torch.zeros(max(map(int, counts)), dtype=torch.int64)
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        _together(lambda: distributed.all_gather(parts, padded))
        return [part[: int(count)] for part, count in zip(parts, counts, strict=True)]


def announced() -> Workers:
    """Return the group that ``torchrun`` announced to this process, or a group of one.

    Raises
    ------
    ConfigError
        If the announcement makes no sense.
    """
    rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdigit() and size.isdigit() and int(rank) < int(size)):
        raise ConfigError(f"'RANK' is {rank} and 'WORLD_SIZE' {size}; start several workers with torchrun.")
    return Workers(rank=int(rank), size=int(size))


def workers() -> Workers:
    """Return the group that this process has joined, or a group of one."""
    from torch import distributed

    if _ALONE.get() or not distributed.is_initialized():
        return Workers()
    return Workers(rank=distributed.get_rank(), size=distributed.get_world_size())


@contextmanager
def alone() -> Iterator[None]:
    """Let this process be a group of one for the body: what it does there, the others do not do with it."""
    before = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(before)


@contextmanager
def joined(minutes: float = 60.0) -> Iterator[Workers]:
    """Join the other workers for the body.

    Parameters
    ----------
    minutes : float
        How long to wait for another worker. One that ends is noticed at once; this is for one whose host lost its
        power or network, and must outlast what the first worker does alone while the others wait.

    Yields
    ------
    Workers

    Raises
    ------
    TrainingError
        If the others cannot be reached.
    """
    group = announced()
    if group.size == 1:
        yield group
        return
    from torch.distributed import destroy_process_group

    _together(lambda: _start(group, timedelta(minutes=minutes)), otherwise=_UNREACHED)
    try:
        yield group
    finally:
        destroy_process_group()


def _start(group: Workers, patience: timedelta) -> None:
    """Start the process group; after a restart by the launcher with addresses of its own."""
    from torch.distributed.distributed_c10d import PrefixStore, init_process_group
    from torch.distributed.rendezvous import rendezvous

    # An optimiser imports this, whose functions keep the group of that moment: it would live on, with threads that
    # now and then abort a process that ends.
    importlib.import_module("torch.distributed.nn.functional")
    store, rank, size = next(rendezvous("env://", timeout=patience))
    # The launcher's store outlives a restart, with addresses of workers that are gone; on one host all count alike.
    if os.environ.get("LOCAL_WORLD_SIZE") == str(group.size):
        store = PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
    init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=patience)


def require_agreement(group: Workers, identity: Mapping[str, Any]) -> None:
    """Refuse to train together what is not the same on every worker; each host reads its own files.

    Parameters
    ----------
    group : Workers
    identity : Mapping
        What is to be trained, as JSON can hold it.

    Raises
    ------
    TrainingError
        On a worker that differs from the first.
    """
    own = json.dumps(identity, sort_keys=True).encode()
    if group.from_first(own) != own:
        raise TrainingError(
            f"worker {group.rank} has other data or settings than the first; start all of them with the same command, "
            "and give every host the same files."
        )


def _together(operation: Callable[[], T], otherwise: str = _ENDED) -> T:
    """Do something that all workers do at once, and say plainly if one of them is gone."""
    try:
        return operation()
    except RuntimeError as error:
        # Gloo tells the two apart in words only.
        is_silent = otherwise == _ENDED and "timed out" in str(error).lower()
        raise WorkerLostError(_SILENT if is_silent else otherwise) from error


def launcher(words: Sequence[str]) -> list[str]:
    """Return the command that starts this program with these words in as many workers as there are now."""
    size = announced().size
    start = ["python"] if size == 1 else ["torchrun", "--nproc-per-node", str(size)]
    return [*start, "-m", "engine", *words]
