"""Progress of a training: a bar on the terminal, and a file that a page can follow."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from engine.errors import ConfigError
from engine.result import EpochRecord


class Progress:
    """Show epochs as they come; on a terminal only, where standard error is one.

    Parameters
    ----------
    path : str or Path, optional
        File that gets one JSON object per epoch: ``time, stage, epoch, epochs, losses``.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._file: IO[str] | None = None
        if path is not None:
            try:
                self._file = Path(path).open("a", encoding="utf-8")
            except OSError as error:
                raise ConfigError(f"'--progress {path}' cannot be written ({error.strerror}).") from error
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        # A log gets no bars: standard error then holds the sentence on what went wrong, or nothing.
        self._bar = Bar(*columns, TextColumn("{task.fields[loss]}"), console=console, disable=not console.is_terminal)
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._file is not None:
            self._file.close()

    def epoch(self, record: EpochRecord) -> None:
        """Take one finished epoch."""
        if self._file is not None:
            entry = {
                "time": time.time(),
                "stage": record.stage,
                "epoch": record.epoch,
                "epochs": record.epochs,
                "losses": dict(record.losses),
            }
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        if record.stage not in self._tasks:
            self._tasks[record.stage] = self._bar.add_task(record.stage, total=record.epochs, loss="")
        loss = "  ".join(f"{name} {value:.4f}" for name, value in record.losses.items())
        self._bar.update(self._tasks[record.stage], completed=record.epoch, loss=loss)  # type: ignore[arg-type]
