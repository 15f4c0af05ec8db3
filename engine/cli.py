"""The command line: `datasets`, `train`, `show`, `simulate`, `policy`, `edges`, `export`, `describe`, `benchmark`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import secrets
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from engine.datasets import BUNDLED, DEFAULT, load
from engine.distributed import announced, joined, launcher
from engine.errors import ConfigError, EngineError, TrainingError
from engine.options import build_config, parse_pairs, read_toml
from engine.progress import Progress
from engine.result import KINDS, Kind
from engine.runs import Run, check_target, read_run, write_run
from engine.tables import write_table

CONFIGS = {"graph": "GraphConfig", "delay": "DelayConfig", "uncertainty": "UncertaintyConfig"}
PARALLEL: tuple[Kind, ...] = ("graph",)
"""What several workers can train together."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, and which takes options in full only."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**({"allow_abbrev": False} | changes))

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; see --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after ``python -m engine``; those of the process if absent.

    Returns
    -------
    int
        0 done; 2 bad input or option (one sentence on standard error); 1 training failed, or a fault of this
        program; 130 cancelled.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with _cancellable():
            arguments = _parser().parse_args(words)
            arguments.command(arguments, words)
            sys.stdout.flush()
    except TrainingError as error:
        return _fail(f"Training failed: {error}", 1)
    except EngineError as error:
        return _fail(f"Error: {error}", 2)
    except KeyboardInterrupt:
        others = "" if os.environ.get("WORLD_SIZE", "1") == "1" else ", or another worker ended"
        return _fail(f"Cancelled{others}; nothing unfinished was kept.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        traceback.print_exc()
        what = (str(error).strip().splitlines() or ["no message"])[0]
        return _fail(f"Error: This is a fault of the program, not of the input: {type(error).__name__}: {what}", 1)
    return 0


def _fail(sentence: str, code: int) -> int:
    """Say why on standard error and return the exit code; of several workers with one bad input the first says it."""
    if code != 2 or os.environ.get("RANK", "0") == "0":
        sys.stderr.write(f"{sentence}\n")
    return code


@contextmanager
def _cancellable() -> Iterator[None]:
    """Let a termination signal count as a cancel, as Ctrl+C does; only the main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = _Parser(prog="python -m engine", description="Train, judge and explain small recommenders.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=_Parser)

    datasets = commands.add_parser("datasets", help="list the bundled data")
    datasets.add_argument("--json", action="store_true", help="print JSON")
    datasets.set_defaults(command=_datasets)

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

    show = commands.add_parser("show", help="print what a run found")
    show.add_argument("run", metavar="RUN_DIR")
    show.add_argument("--json", action="store_true", help="print manifest and metrics as JSON")
    show.set_defaults(command=_show)

    simulate = commands.add_parser("simulate", help="write simulated data with known truth")
    simulate.add_argument("kind", choices=KINDS)
    simulate.add_argument("--rows", type=int, required=True, help="edges, exposures or rows")
    simulate.add_argument("--out", required=True, metavar="PATH", help=".csv or .parquet")
    simulate.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="knobs, seed too")
    simulate.set_defaults(command=_simulate)

    importlib.import_module("engine.export_command").add_export(commands)
    importlib.import_module("engine.policy_command").add_policy(commands)
    importlib.import_module("engine.edges_command").add_edges(commands)
    importlib.import_module("engine.describe_command").add_describe(commands)
    importlib.import_module("engine.benchmark.command").add_benchmark(commands)
    return parser


def _datasets(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Print the bundled data."""
    if arguments.json:
        rows = [
            {"name": b.name, "kind": b.kind, "title": b.title, "origin": b.origin, "description": b.description}
            for b in BUNDLED.values()
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for bundled in BUNDLED.values():
        mark = " (default)" if DEFAULT[bundled.kind] == bundled.name else ""
        sys.stdout.write(f"{bundled.name:20} {bundled.kind:12} {bundled.origin}{mark}\n    {bundled.description}\n")


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
    if announced().size > 1 and kind not in PARALLEL:
        raise ConfigError(f"torchrun trains {', '.join(PARALLEL)} only; start '{kind}' with python -m engine.")
    folder = check_target(arguments.out or _default_folder(kind))
    dataset = load(kind, name, roles=parse_pairs(arguments.column, option="--column"), nodes=arguments.nodes)
    with joined() as group:
        if not group.is_first:
            _run(kind, dataset, config, threads=arguments.threads)
            return
        with Progress(arguments.progress) as progress:
            result = _run(kind, dataset, config, threads=arguments.threads, progress=progress)
    write_run(result, folder, command=_command(words), threads=arguments.threads)
    _print_run(read_run(folder), as_json=arguments.json)


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


def _show(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Print a stored run."""
    _print_run(read_run(arguments.run), as_json=arguments.json)


def _print_run(run: Run, *, as_json: bool) -> None:
    """Print manifest and metrics, as JSON or for reading."""
    if as_json:
        metrics = json.loads(run.metrics.to_json(orient="records", double_precision=15))
        sys.stdout.write(json.dumps({"manifest": run.manifest, "metrics": metrics}, indent=2) + "\n")
        return
    manifest = run.manifest
    lines = [
        f"{run.id} · {manifest['dataset']['name']} ({manifest['dataset']['origin']}) · seed {manifest['seed']}"
        f" · {manifest['seconds']:g} s",
        f"made by: {shlex.join(manifest['command'])}",
        "",
        _table(run.metrics[run.metrics["segment"] == "all"] if "all" in set(run.metrics["segment"]) else run.metrics),
        "",
        *(
            f"{row.claim} {row.verdict}: {row.effect}, {row.comparison} − {row.baseline} ({row.segment}) = "
            f"{row.value:.3g}{row.unit} [{row.ci_low:.3g}, {row.ci_high:.3g}] · n {row.n:,} {row.n_unit}"
            for row in run.curve("claims").itertuples()
        ),
        *(run.curve("verdicts")["sentence"] if "verdicts" in manifest["curves"] else ()),
        f"\n{run.folder}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _table(metrics: pd.DataFrame) -> str:
    """Lay out metrics as method × metric with intervals."""
    text = metrics.assign(
        text=[f"{r.value:.3f} [{r.ci_low:.3f}, {r.ci_high:.3f}] n {r.n:,}" for r in metrics.itertuples()],
        row=metrics["split"] + " · " + metrics["segment"] + " · " + metrics["metric"],
    )
    return "\n".join(
        f"{row}\n" + "\n".join(f"    {item.method:16} {item.text}" for item in group.itertuples())
        for row, group in text.groupby("row", sort=False)
    )


def _simulate(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Write simulated rows; a graph gets its node table beside it."""
    target = Path(arguments.out)
    if target.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"'--out {target}' has the ending '{target.suffix}'; allowed are .csv and .parquet.")
    if arguments.rows < 1:
        raise ConfigError(f"'--rows' is {arguments.rows}; it must be at least 1.")
    module = importlib.import_module(f"engine.{arguments.kind}.simulate")
    config = build_config(module.SimulationConfig, parse_pairs(arguments.set, option="--set"))
    tables = {target: module.simulate(arguments.rows, config)}
    if arguments.kind == "graph":
        nodes = target.with_name(f"{target.stem}_nodes{target.suffix}")
        tables[nodes] = module.simulate_nodes(arguments.rows, config)
    for path, frame in tables.items():
        try:
            write_table(frame, path)
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"'--out {path}' cannot be written ({reason}); choose another path.") from error
        sys.stdout.write(f"{path}: {len(frame):,} rows, columns {', '.join(frame.columns)}\n")
