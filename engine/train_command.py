"""The command `train`: data and settings in, a run folder out."""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.cancel import cancellable
from engine.checkpoint import Checkpoint, kept
from engine.checkpoint_files import ENDING, KEPT, fits, folder_of, identity_of, require_fit, unfinished
from engine.data_name import add_name, checked_name, named
from engine.datasets import DEFAULT, load
from engine.distributed import WorkerLostError, announced, joined, launcher, require_agreement
from engine.errors import ConfigError, TrainingError
from engine.options import build_config, parse_pairs, read_toml
from engine.partial import sweep
from engine.progress import Progress
from engine.result import KINDS, Kind
from engine.runs import check_target, read_run, write_run
from engine.show_command import print_run

_GO_ON = "The same command with --resume goes on from the last checkpoint."
CONFIGS = {"graph": "GraphConfig", "delay": "DelayConfig", "uncertainty": "UncertaintyConfig"}


def add_train(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    train = commands.add_parser("train", help="train a model and its baselines, write a run folder")
    train.add_argument("kind", choices=KINDS)
    train.add_argument("--data", metavar="NAME|PATH", help="bundled name, or a CSV or Parquet file")
    add_name(train)
    train.add_argument("--nodes", metavar="PATH", help="node table (graph)")
    train.add_argument("--column", nargs="+", action="extend", default=[], metavar="ROLE=NAME", help="name own columns")
    train.add_argument("--config", metavar="FILE.toml", help="settings from a file")
    train.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    train.add_argument("--seed", type=int, help="seed of every random choice (default 0)")
    train.add_argument("--out", metavar="RUN_DIR", help="folder of the run (default: a new one in runs/)")
    train.add_argument("--threads", type=int, default=1, help="threads for the arithmetic (default 1)")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint of the same command")
    train.add_argument(
        "--checkpoint", type=float, default=10.0, metavar="SECONDS", help="least time between two (default 10; 0: none)"
    )
    train.add_argument("--json", action="store_true", help="print manifest and metrics as JSON")
    train.add_argument("--progress", metavar="FILE", help=argparse.SUPPRESS)
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Train one model with its baselines and write the run."""
    kind: Kind = arguments.kind
    name = arguments.data or DEFAULT[kind]
    if arguments.threads < 1:
        raise ConfigError(f"'--threads' is {arguments.threads}; it must be at least 1.")
    if not arguments.checkpoint >= 0:
        raise ConfigError(f"'--checkpoint' is {arguments.checkpoint:g}; it must be at least 0 seconds.")
    settings = read_toml(arguments.config) if arguments.config else {}
    settings |= parse_pairs(arguments.set, option="--set")
    if arguments.seed is not None:
        settings["seed"] = arguments.seed
    config = build_config(getattr(importlib.import_module(f"engine.{kind}.config"), CONFIGS[kind]), settings)
    called = checked_name(arguments.called, name)
    announced()  # what torchrun says must make sense before anything is read
    folder = check_target(arguments.out or _default_folder(kind))
    sweep(folder.parent)
    dataset = load(kind, name, roles=parse_pairs(arguments.column, option="--column"), nodes=arguments.nodes)
    identity = identity_of(kind, config, dataset.info.data_id)
    with joined() as group:
        require_agreement(group, identity)
        if not group.is_first:
            runs = [folder] if arguments.out else None
            with (
                kept(None, identity, every=0.0, is_resumed=arguments.resume),
                _hinting(lambda: any(fits(run, identity) for run in runs or unfinished(folder.parent, kind))),
            ):
                _run(kind, dataset, config, threads=arguments.threads)
            return
        if arguments.resume:
            folder = _resumed(folder, identity, is_named=arguments.out is not None)
        options = {"every": arguments.checkpoint, "is_resumed": arguments.resume}
        with kept(folder, identity, **options) as checkpoint, _explained(checkpoint):
            with Progress(arguments.progress) as progress:
                result = _run(kind, dataset, config, threads=arguments.threads, progress=progress)
            result = replace(result, seconds=result.seconds + checkpoint.earlier)
            write_run(named(result, called), folder, command=_command(words), threads=arguments.threads)
            checkpoint.remove()
            sweep(folder.parent, ENDING, older=KEPT)
    print_run(read_run(folder), as_json=arguments.json)


def _resumed(folder: Path, identity: Mapping[str, Any], *, is_named: bool) -> Path:
    """Return the run to go on with: the named one, else the latest beside it that was the same training."""
    waiting = [folder] if is_named else unfinished(folder.parent, identity["kind"])
    waiting = [run for run in waiting if folder_of(run).is_dir()]
    same = [run for run in waiting if fits(run, identity)]
    if waiting and not same:
        require_fit(waiting[0], identity)
    found = next(iter(same), None)
    where = (
        f"Going on from the checkpoint of '{found}'." if found else "No checkpoint yet; starting from the beginning."
    )
    sys.stderr.write(f"{where}\n")
    return found or folder


@contextmanager
def _hinting(is_kept: Callable[[], bool]) -> Iterator[None]:
    """Say of a training that is broken off how to go on, if there is something to go on from."""
    try:
        with cancellable():
            yield
    except (WorkerLostError, KeyboardInterrupt) as error:
        if not is_kept():
            raise
        raise type(error)(f"{error} {_GO_ON}".strip()) from error


@contextmanager
def _explained(checkpoint: Checkpoint) -> Iterator[None]:
    """Say how to go on; what fails by itself would fail again, and keeps nothing."""
    with _hinting(lambda: checkpoint.exists):
        try:
            yield
        except WorkerLostError:
            raise
        except TrainingError:
            checkpoint.remove()
            raise


def _run(kind: Kind, dataset: Any, config: Any, *, threads: int, progress: Progress | None = None) -> Any:
    """Train with a fixed number of threads, in torch and in the linear algebra below NumPy and SciPy.

    Without `progress` only help another worker with its trainings, and return nothing.
    """
    import torch
    from threadpoolctl import threadpool_limits

    module = importlib.import_module(f"engine.{kind}.run")
    torch.set_num_threads(threads)
    with threadpool_limits(limits=threads):
        return (
            module.assist(dataset, config) if progress is None else module.run(dataset, config, on_epoch=progress.epoch)
        )


def _default_folder(kind: Kind) -> Path:
    """Name a new run after its kind and the time, where the dashboard looks for runs."""
    root = Path(os.environ.get("RECOMMENDER_LENS_RUNS", "runs"))
    return root / f"{kind}-{datetime.now().strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def _command(words: Sequence[str]) -> list[str]:
    """Return the words that reproduce the run; where progress went and how it was kept does not matter."""
    told, skip = [], False
    for word in words:
        name = word.partition("=")[0]
        skip, drop = word in ("--progress", "--checkpoint"), skip or name in ("--progress", "--checkpoint", "--resume")
        if not drop:
            told.append(word)
    return launcher(told)
