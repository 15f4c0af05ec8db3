"""The command `benchmark delay-survival`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar, work_folder
from engine.errors import ConfigError

_LEAST_ROWS = 1000


def add_delay_survival(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    parser = kinds.add_parser("delay-survival", help="survival curves and cure models beside other libraries")
    parser.add_argument("--rows", type=int, default=20_000, metavar="N", help="exposures (default 20,000)")
    parser.add_argument(
        "--peers",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment with the other libraries (default: this one)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the exposures (default 0)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_survival)


def run_survival(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Compare curves and models, write ``delay_survival.csv`` and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_delay_survival`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    peers = importlib.import_module("engine.benchmark.delay_peers")
    if arguments.rows < _LEAST_ROWS:
        raise ConfigError(f"'--rows' is {arguments.rows}; it must be at least {_LEAST_ROWS:,}.")
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
