"""The command `benchmark neighbourhoods`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar
from engine.datasets import load
from engine.errors import ConfigError

SIMULATED = "simulated-heavy-tail"
DATA = ("debian-programs", "journey-types", SIMULATED)
RESULT = "neighbourhoods.csv"


def add_neighbourhoods(kinds: argparse._SubParsersAction) -> None:
    """Describe the command to the parser of the command line."""
    parser = kinds.add_parser("neighbourhoods", help="which neighbourhoods help which nodes, over several splits")
    names = f"bundled names, files, or {SIMULATED}"
    parser.add_argument("--data", nargs="+", default=list(DATA), metavar="NAME|PATH", help=names)
    parser.add_argument("--seeds", type=int, default=5, help="random splits, seeds 0, 1, … (default 5)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results (default benchmark)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_neighbourhoods)


def run_neighbourhoods(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Run the study, write its table and print what it says.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_neighbourhoods`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    if arguments.seeds < 1:
        raise ConfigError(f"'--seeds' is {arguments.seeds}; it must be at least 1.")
    started = time.perf_counter()
    folder = output_folder(arguments.out)
    study = importlib.import_module("engine.benchmark.neighbourhoods")
    datasets = [study.simulated_graph() if name == SIMULATED else load("graph", name) for name in arguments.data]
    with progress_bar() as progress:
        task = progress.add_task("", total=len(datasets) * arguments.seeds * study.STEPS)

        def on_step(data: str, seed: int, name: str) -> None:
            progress.update(task, advance=1, description=f"{data} · split {seed + 1} · {name}")

        table = study.neighbourhoods(
            datasets, seeds=arguments.seeds, folder=folder / "neighbourhood-parts", on_step=on_step
        )
    rounded = {name: table[name].round(5) for name in ("value", "ci_low", "ci_high")}
    table.assign(**rounded).to_csv(folder / RESULT, index=False)
    report = importlib.import_module("engine.benchmark.neighbourhood_table").markdown(table)
    sys.stdout.write((table.to_json(orient="records") if arguments.json else report) + "\n")
    sys.stderr.write(f"{time.perf_counter() - started:,.0f} seconds; finished parts are kept and not measured again.\n")
