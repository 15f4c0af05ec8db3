"""The command `train`: data and settings in, a run folder out."""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from engine.cancel import cancellable
from engine.checkpoint import Checkpoint, kept
from engine.checkpoint_files import ENDING, IDENTITY, KEPT, fits, folder_of, identity_of, require_fit, unfinished
from engine.data_name import add_name, checked_name, named
from engine.datasets import DEFAULT, load
from engine.distributed import LONGEST_MINUTES, WorkerLostError, announced, joined, launcher, require_agreement
from engine.errors import ConfigError, RunError, TrainingError
from engine.options import build_config, parse_pairs, read_toml
from engine.partial import claimant, claimed, sweep
from engine.progress import Progress
from engine.result import KINDS, Kind, RunResult
from engine.runs import check_target, read_run, taken, unwritable, write_run
from engine.show_command import print_run

_GO_ON = "The same command with --resume goes on from the last checkpoint."
_ENDS = "The training is kept: when there is room at this very place, the same command with --resume ends it."
_UNTOLD = ("--progress", "--checkpoint", "--patience")
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
    train.add_argument(
        "--merge-repeats", action="store_true", help="merge repeated edges and add their weights (graph)"
    )
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
    train.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="MINUTES",
        help="longest wait for another worker that does not answer (default 60)",
    )
    train.add_argument("--json", action="store_true", help="print manifest and metrics as JSON")
    train.add_argument("--progress", metavar="FILE", help=argparse.SUPPRESS)
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Train one model with its baselines and write the run."""
    kind: Kind = arguments.kind
    data = arguments.data or DEFAULT[kind]
    config = _config(arguments)
    called = checked_name(arguments.called, data)
    is_first = announced().is_first  # what torchrun says must make sense before anything is read
    folder = Path(arguments.out or _default_folder(kind))
    with ExitStack() as hold:
        if is_first:
            check_target(folder)
            if arguments.out:
                hold.enter_context(_claimed(folder))
        sweep(folder.parent)
        roles = parse_pairs(arguments.column, option="--column")
        dataset = load(kind, data, roles=roles, nodes=arguments.nodes, merge_repeats=arguments.merge_repeats)
        identity = identity_of(kind, config, dataset.info.data_id)
        work = partial(_run, kind, dataset, config, threads=arguments.threads)
        with joined(minutes=arguments.patience) as group:
            require_agreement(group, {**identity, "resume": arguments.resume})
            if not is_first:
                _assist(arguments, folder, identity, work)
                return
            if arguments.resume:
                folder = _resumed(folder, identity, is_named=arguments.out is not None)
            if not arguments.out:
                hold.enter_context(_claimed(folder))
            _write(arguments, folder, identity, lambda progress: named(work(progress=progress), called), words)
    print_run(read_run(folder), as_json=arguments.json)


def _config(arguments: argparse.Namespace) -> Any:
    """Check the options, and return the settings: those of a file, and those given one by one."""
    if arguments.threads < 1:
        raise ConfigError(f"'--threads' is {arguments.threads}; it must be at least 1.")
    if not arguments.checkpoint >= 0:
        raise ConfigError(f"'--checkpoint' is {arguments.checkpoint:g}; it must be at least 0 seconds.")
    if not 0 < arguments.patience <= LONGEST_MINUTES:
        raise ConfigError(
            f"'--patience' is {arguments.patience:g}; it must be above 0 and at most {LONGEST_MINUTES:,} minutes."
        )
    settings = read_toml(arguments.config) if arguments.config else {}
    settings |= parse_pairs(arguments.set, option="--set")
    if arguments.seed is not None:
        settings["seed"] = arguments.seed
    return build_config(
        getattr(importlib.import_module(f"engine.{arguments.kind}.config"), CONFIGS[arguments.kind]), settings
    )


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Refuse a run that another process trains, and let no other begin it."""
    with ExitStack() as hold:
        try:
            is_ours = hold.enter_context(claimed(folder))
        except OSError as error:
            raise unwritable(folder, error) from error
        if not is_ours:
            raise taken(folder, claimant(folder) or "another process")
        yield


def _assist(arguments: argparse.Namespace, folder: Path, identity: Mapping[str, Any], work: Callable[[], Any]) -> None:
    """Help the first worker, and say of a training that is broken off how to go on."""
    runs = [folder] if arguments.out else None
    with (
        kept(None, identity, every=0.0, is_resumed=arguments.resume),
        _hinting(lambda: any(fits(run, identity) for run in runs or unfinished(folder.parent, arguments.kind))),
    ):
        work()


def _write(
    arguments: argparse.Namespace,
    folder: Path,
    identity: Mapping[str, Any],
    work: Callable[[Progress], RunResult],
    words: Sequence[str],
) -> None:
    """Train, from a checkpoint if one is to be resumed, and write the run."""
    options = {"every": arguments.checkpoint, "is_resumed": arguments.resume}
    with kept(folder, identity, **options) as checkpoint, _explained(checkpoint):
        with Progress(arguments.progress) as progress:
            result = work(progress)
        result = replace(result, seconds=result.seconds + checkpoint.earlier)
        try:
            write_run(result, folder, command=_command(words), threads=arguments.threads)
        except RunError as error:
            raise RunError(f"{error} {_ENDS}" if checkpoint.exists else str(error)) from error
        checkpoint.remove()
        sweep(folder.parent, ENDING, older=KEPT)


def _resumed(folder: Path, identity: Mapping[str, Any], *, is_named: bool) -> Path:
    """Return the run to go on with: the named one, else the latest beside it that was the same training."""
    waiting = [folder] if is_named else unfinished(folder.parent, identity["kind"])
    waiting = [run for run in waiting if (folder_of(run) / IDENTITY).is_file()]
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
    """Return the words that reproduce the run; how it was followed, kept and waited for does not matter."""
    told, skip = [], False
    for word in words:
        name = word.partition("=")[0]
        skip, drop = word in _UNTOLD, skip or name in (*_UNTOLD, "--resume")
        if not drop:
            told.append(word)
    return launcher(told)
