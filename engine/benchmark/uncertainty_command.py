"""The command `benchmark uncertainty`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar
from engine.errors import ConfigError

RESULTS = ("uncertainty.csv", "uncertainty.md")
PARTS = ("simulated", "real", "guarantee", "speed")


def add_uncertainty(kinds: argparse._SubParsersAction) -> None:
    """Describe the command to the parser of the command line."""
    parser = kinds.add_parser("uncertainty", help="ways to set thresholds by uncertainty, ours and others'")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (default all)")
    seeds = "draws of a simulated setting (20; 5 where tau > 1 and for the control)"
    parser.add_argument("--seeds", type=int, default=20, help=seeds)
    parser.add_argument("--trainings", type=int, default=5, help="seeds of the training on real data (default 5)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results (default benchmark)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_uncertainty)


def run_uncertainty(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure, write the tables and print one of them.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_uncertainty`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    for option, value in (("--seeds", arguments.seeds), ("--trainings", arguments.trainings)):
        if value < 1:
            raise ConfigError(f"'{option}' is {value}; it must be at least 1.")
    started = time.process_time()
    folder = output_folder(arguments.out)
    absent = _absent()
    for requirement, labels in absent.items():
        sys.stderr.write(
            f"{', '.join(labels)} left out: needs a package that is not installed; "
            f"install it with: pip install {requirement}\n"
        )
    run = importlib.import_module("engine.benchmark.uncertainty_run")
    counted = list(run.steps(arguments.parts, seeds=arguments.seeds, trainings=arguments.trainings))
    with progress_bar() as progress, warnings.catch_warnings():
        # Peers warn of what their own code does with scores that they were given.
        warnings.simplefilter("ignore")
        task = progress.add_task("", total=len(counted))

        def on_step(name: str, seed: int) -> None:
            progress.update(task, advance=1, description=f"{name} · seed {seed + 1}")

        parts = run.benchmark(
            arguments.parts,
            seeds=arguments.seeds,
            trainings=arguments.trainings,
            peers=list(absent),
            folder=folder / "uncertainty-parts",
            on_step=on_step,
        )
    summary = importlib.import_module("engine.benchmark.uncertainty_summary").summarise(parts)
    tables = importlib.import_module("engine.benchmark.uncertainty_table")
    summary.to_csv(folder / RESULTS[0], index=False)
    (folder / RESULTS[1]).write_text(tables.markdown(summary) + "\n", encoding="utf-8")
    sys.stdout.write((summary.to_json(orient="records") if arguments.json else tables.digest(summary)) + "\n")
    sys.stderr.write(
        f"{time.process_time() - started:,.0f} seconds of processor time; finished parts are kept and not measured "
        "again.\n"
    )


def _absent() -> dict[str, list[str]]:
    """Name the requirements that are not installed, with what is left out."""
    peers = importlib.import_module("engine.benchmark.uncertainty_peers")
    speed = importlib.import_module("engine.benchmark.uncertainty_speed")
    labels = importlib.import_module("engine.benchmark.uncertainty_methods").LABELS
    found = {requirement: [labels[name] for name in names] for requirement, names in peers.missing().items()}
    return found | speed.missing()
