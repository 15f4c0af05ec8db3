"""The command `train`: data and settings in, a run folder out."""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.datasets import DEFAULT, load
from engine.distributed import announced, joined, launcher
from engine.errors import ConfigError
from engine.options import build_config, parse_pairs, read_toml
from engine.progress import Progress
from engine.result import KINDS, Kind
from engine.runs import check_target, read_run, write_run
from engine.show_command import print_run

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
    train.add_argument("--nodes", metavar="PATH", help="node table (graph)")
    train.add_argument("--column", nargs="+", action="extend", default=[], metavar="ROLE=NAME", help="name own columns")
    train.add_argument("--config", metavar="FILE.toml", help="settings from a file")
    train.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    train.add_argument("--seed", type=int, help="seed of every random choice (default 0)")
    train.add_argument("--out", metavar="RUN_DIR", help="folder of the run (default: a new one in runs/)")
    train.add_argument("--threads", type=int, default=1, help="threads for the arithmetic (default 1)")
    train.add_argument("--json", action="store_true", help="print manifest and metrics as JSON")
    train.add_argument("--progress", metavar="FILE", help=argparse.SUPPRESS)
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Train one model with its baselines and write the run."""
    kind: Kind = arguments.kind
    name = arguments.data or DEFAULT[kind]
    if arguments.threads < 1:
        raise ConfigError(f"'--threads' is {arguments.threads}; it must be at least 1.")
    settings = read_toml(arguments.config) if arguments.config else {}
    settings |= parse_pairs(arguments.set, option="--set")
    if arguments.seed is not None:
        settings["seed"] = arguments.seed
    config = build_config(getattr(importlib.import_module(f"engine.{kind}.config"), CONFIGS[kind]), settings)
    announced()  # what torchrun says must make sense before anything is read
    folder = check_target(arguments.out or _default_folder(kind))
    dataset = load(kind, name, roles=parse_pairs(arguments.column, option="--column"), nodes=arguments.nodes)
    with joined() as group:
        if not group.is_first:
            _run(kind, dataset, config, threads=arguments.threads)
            return
        with Progress(arguments.progress) as progress:
            result = _run(kind, dataset, config, threads=arguments.threads, progress=progress)
    write_run(result, folder, command=_command(words), threads=arguments.threads)
    print_run(read_run(folder), as_json=arguments.json)


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
    """Return the words that reproduce the run; where progress went does not matter."""
    kept, skip = [], False
    for word in words:
        skip, drop = word == "--progress", skip or word.partition("=")[0] == "--progress"
        if not drop:
            kept.append(word)
    return launcher(kept)
