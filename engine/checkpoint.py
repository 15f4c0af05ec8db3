"""What an unfinished training has reached, so that ``--resume`` goes on from there to the result of an unbroken one.

A training is a fixed sequence of loops. Each loop names its parts (networks, optimiser, random generators) and says
after every epoch or step how far it is; what it has reached is then written, at most every few seconds, to one file
per loop. A training that resumes runs through the same loops, each of which starts from its file, or from nothing.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from engine.checkpoint_files import IDENTITY, folder_of, in_use, require_fit, state_of, write_identity, write_state
from engine.distributed import workers
from engine.errors import RunError
from engine.partial import held

Tell = Callable[[int, dict[str, float]], None]
_SHARE = 50.0
"""Between two writes passes at least this many times what a write takes, so that they cost 2 % of a training."""
_UNFIT = (SafetensorError, KeyError, ValueError, TypeError, RuntimeError)


class Loop:
    """One loop of a training: how far it was, and its parts as they were then.

    Attributes
    ----------
    done : int
        Epochs or steps that need not be done again.
    """

    def __init__(self, name: str, tell: Tell | None, parts: Mapping[str, Any], checkpoint: Checkpoint | None) -> None:
        self._name, self._tell, self._parts, self._checkpoint = name, tell, parts, checkpoint
        self._number = 0 if checkpoint is None else checkpoint.count_loop()
        self._reported: list[tuple[int, dict[str, float]]] = []
        self.done = 0

    def report(self, number: int, losses: Mapping[str, float]) -> None:
        """Tell losses, and remember that they were told."""
        if self._tell is not None:
            self._tell(number, dict(losses))
        self._reported.append((number, dict(losses)))

    def keep(self, done: int) -> None:
        """Say how many epochs or steps the parts have seen; they are written if it is time to."""
        if self._checkpoint is None or not self._checkpoint.is_due:
            return
        import torch

        parts = {
            name: part.bit_generator.state if isinstance(part, np.random.Generator) else part.state_dict()
            for name, part in self._parts.items()
        }
        state = {"name": self._name, "done": done, "reported": self._reported, "parts": parts}
        self._checkpoint.write(self._number, state | {"draws": torch.get_rng_state()})

    def resume(self) -> None:
        """Put the parts back as they were kept.

        Raises
        ------
        RunError
            If the file is that of another loop or of other parts, or damaged.
        """
        content = b"" if self._checkpoint is None else self._checkpoint.read(self._number)
        if not content or self._checkpoint is None:
            return
        try:
            self._checkpoint.earlier = max(self._checkpoint.earlier, self._restore(state_of(load(content))))
        except _UNFIT as error:
            raise RunError(
                f"'--resume': the checkpoint of '{self._name}' is damaged or of another version of this program; leave "
                "out --resume to start again."
            ) from error

    def _restore(self, state: Mapping[str, Any]) -> float:
        """Put a state back; return the seconds that the training had taken."""
        import torch

        if state["name"] != self._name or state["parts"].keys() != self._parts.keys():
            raise ValueError(self._name)
        for name, part in self._parts.items():
            if isinstance(part, np.random.Generator):
                part.bit_generator.state = state["parts"][name]
            else:
                part.load_state_dict(state["parts"][name])
        torch.set_rng_state(state["draws"])
        self.done = int(state["done"])
        for number, losses in state["reported"]:
            self.report(number, losses)
        return float(state["seconds"])


class Checkpoint:
    """The files of one training; see `kept`.

    Attributes
    ----------
    earlier : float
        Seconds that the training had taken before it was resumed.
    """

    def __init__(
        self, folder: Path | None, identity: Mapping[str, Any], hold: ExitStack, *, every: float, is_resumed: bool
    ) -> None:
        self._folder, self._identity, self._hold = folder, identity, hold
        self._every, self._is_resumed = every, is_resumed
        self._loops, self._started, self.earlier = 0, time.monotonic(), 0.0
        self._due = self._started + every if folder is not None and every > 0 else float("inf")
        # What was there and is not resumed is gone by now, or another process has just begun it.
        self._is_own = is_resumed and folder is not None and (folder / IDENTITY).is_file()

    @property
    def exists(self) -> bool:
        """Say whether this training has kept something."""
        return self._is_own and self._folder is not None and (self._folder / IDENTITY).is_file()

    @property
    def is_due(self) -> bool:
        """Say whether it is time to write."""
        return time.monotonic() >= self._due

    def count_loop(self) -> int:
        """Return the number of the next loop."""
        self._loops += 1
        return self._loops

    def read(self, number: int) -> bytes:
        """Return the file of a loop, on every worker that takes part in it; nothing if there is none to resume."""
        if not self._is_resumed:
            return b""
        path = None if self._folder is None else self._path(self._folder, number)
        # A file of no bytes is a damaged one, not none.
        return workers().from_first((path.read_bytes() or b"\0") if path is not None and path.is_file() else b"")

    def write(self, number: int, state: Mapping[str, Any]) -> None:
        """Write the file of a loop; where that fails the training goes on without, and says so.

        Raises
        ------
        RunError
            If another process has begun to train the same run.
        """
        if self._folder is None:
            return
        begin = time.monotonic()
        try:
            if not self.exists:
                self._begin(self._folder)
            write_state(self._path(self._folder, number), {**state, "seconds": self.earlier + begin - self._started})
        except (OSError, SafetensorError) as error:
            self._due = float("inf")
            sys.stderr.write(f"No checkpoint is kept from here on: '{self._folder}' cannot be written ({error}).\n")
            return
        end = time.monotonic()
        self._due = end + max(self._every, _SHARE * (end - begin))

    def remove(self) -> None:
        """Remove the files: the run is written, or going on would lead to the same failure."""
        if self._is_own and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, folder: Path) -> None:
        """Make the folder this training's own, without what a killed one may have left in it."""
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        # On a file system without locks nobody holds anything, and a new folder is ours.
        if not (self._is_own or self._hold.enter_context(held(folder)) or is_new):
            raise in_use(folder)
        self._is_own = True
        for old in folder.glob("*.safetensors"):
            old.unlink()
        write_identity(folder, self._identity)

    @staticmethod
    def _path(folder: Path, number: int) -> Path:
        return folder / f"{number:03}.safetensors"


_CURRENT: ContextVar[Checkpoint | None] = ContextVar("checkpoint", default=None)


def follow(name: str, tell: Tell | None = None, /, **parts: Any) -> Loop:
    """Open the next loop of the training, at the place from which it is to go on.

    Parameters
    ----------
    name : str
    tell : callable, optional
        Gets the number of an epoch and its losses; those of before a training was resumed are told once more.
    **parts
        What changes from step to step: objects with ``state_dict`` and ``load_state_dict``, and NumPy generators.
        A training that resumes changes them in place, and the state of torch's random numbers with them.

    Returns
    -------
    Loop
        Outside of `kept` one at its start, which keeps nothing.

    Raises
    ------
    RunError
        If what was kept does not fit.
    """
    loop = Loop(name, tell, parts, _CURRENT.get())
    loop.resume()
    return loop


@contextmanager
def kept(run: Path | None, identity: Mapping[str, Any], *, every: float, is_resumed: bool) -> Iterator[Checkpoint]:
    """Keep checkpoints of the training in the body; they stay until `Checkpoint.remove`.

    Parameters
    ----------
    run : Path or None
        Folder of the run; None for a worker that listens to the first.
    identity : Mapping
        See `engine.checkpoint_files.identity_of`.
    every : float, seconds
        Least time between two writes; 0 for none at all.
    is_resumed : bool
        Whether loops start from their files; every worker must say the same.

    Yields
    ------
    Checkpoint

    Raises
    ------
    RunError
        If what is to be resumed is of another training, or if another process trains the same run.
    """
    folder = None if run is None else folder_of(run)
    with ExitStack() as hold:
        if run is not None and folder is not None and (folder / IDENTITY).is_file():
            if not hold.enter_context(held(folder)):
                raise in_use(folder)
            if is_resumed:
                require_fit(run, identity)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        checkpoint = Checkpoint(folder, identity, hold, every=every, is_resumed=is_resumed)
        before = _CURRENT.set(checkpoint)
        try:
            yield checkpoint
        finally:
            _CURRENT.reset(before)
