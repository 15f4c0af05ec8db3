"""The commands `benchmark delay-scale` and `benchmark delay-survival`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar, work_folder
from engine.errors import ConfigError

_LEAST_ROWS = 1000


def add_delay_statistics(kinds: argparse._SubParsersAction) -> None:
    """Describe both commands.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    scale = kinds.add_parser("delay-scale", help="time and memory of the delay statistics by the number of exposures")
    scale.add_argument("--rows", nargs="+", type=int, default=[], metavar="N", help="sizes (default 1 M to 100 M)")
    scale.add_argument("--peer-rows", type=int, metavar="N", help="largest size for other libraries (default 10 M)")
    scale.add_argument("--work", metavar="DIR", help="keep the simulated exposures there (default: thrown away)")
    scale.set_defaults(command=run_scale)
    survival = kinds.add_parser("delay-survival", help="survival curves and cure models beside other libraries")
    survival.add_argument("--rows", type=int, default=20_000, metavar="N", help="exposures (default 20,000)")
    survival.set_defaults(command=run_survival)
    for parser in (scale, survival):
        parser.add_argument(
            "--peers",
            default=sys.executable,
            metavar="PYTHON",
            help="interpreter of the environment with the other libraries (default: this one)",
        )
        parser.add_argument("--seed", type=int, default=0, help="seed of the exposures (default 0)")
        parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run_scale(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure how time and memory grow, write ``delay_scale.csv`` and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_delay_statistics`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    scale = importlib.import_module("engine.benchmark.delay_scale")
    sizes = arguments.rows or scale.ROWS
    _check_rows(min(sizes))
    folder = output_folder(arguments.out)
    with work_folder(arguments.work) as work, progress_bar() as progress:
        task = progress.add_task("", total=None)
        table = scale.measure_all(
            sizes,
            work=work,
            python=arguments.peers,
            peer_rows=scale.PEER_ROWS if arguments.peer_rows is None else arguments.peer_rows,
            seed=arguments.seed,
            on_step=lambda what: progress.update(task, description=what),
        )
    table.to_csv(folder / "delay_scale.csv", index=False, float_format="%.4g")
    text = scale.text_of(table, scale.growth(table))
    sys.stdout.write((table.to_json(orient="records") if arguments.json else text) + "\n")


def run_survival(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Compare curves and models, write ``delay_survival.csv`` and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_delay_statistics`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    peers = importlib.import_module("engine.benchmark.delay_peers")
    _check_rows(arguments.rows)
    folder = output_folder(arguments.out)
    with work_folder(None) as work, progress_bar() as progress:
        task = progress.add_task("", total=None)
        table = peers.compare(
            arguments.peers,
            work,
            rows=arguments.rows,
            seed=arguments.seed,
            on_step=lambda what: progress.update(task, description=what),
        )
    table.to_csv(folder / "delay_survival.csv", index=False, float_format="%.6g")
    text = peers.text_of(table)
    sys.stdout.write((table.to_json(orient="records") if arguments.json else text) + "\n")


def _check_rows(rows: int) -> None:
    """Refuse too few exposures to say anything."""
    if rows < _LEAST_ROWS:
        raise ConfigError(f"'--rows' is {rows}; it must be at least {_LEAST_ROWS:,}.")
