"""The command `benchmark` and its kinds; those of the graph are here."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar
from engine.benchmark.delay_command import add_delay
from engine.benchmark.delay_survival_command import add_delay_survival
from engine.benchmark.neighbourhood_command import add_neighbourhoods
from engine.benchmark.scale_command import add_scale
from engine.benchmark.uncertainty_command import add_uncertainty
from engine.datasets import BUNDLED, load
from engine.errors import ConfigError

DATA = tuple(name for name, entry in BUNDLED.items() if entry.kind == "graph")
RESULTS = ("benchmark.parquet", "benchmark.md", "headline.csv")


def add_benchmark(commands: argparse._SubParsersAction) -> None:
    """Describe the command to the parser of the command line."""
    parser = commands.add_parser("benchmark", help="measure our methods and those of others on the same splits")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND", parser_class=type(parser))
    parser = kinds.add_parser("graph", help="ranking and direction of directed-graph methods")
    parser.add_argument(
        "--data",
        nargs="+",
        default=list(DATA),
        metavar="NAME|PATH",
        help="bundled names, or files (default all bundled)",
    )
    parser.add_argument("--splits", type=int, default=5, help="random splits, seeds 0, 1, … (default 5)")
    parser.add_argument("--methods", nargs="+", default=[], metavar="NAME", help="methods to measure (default all)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results (default benchmark)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_benchmark)
    scale = kinds.add_parser("graph-scale", help="time and memory by the size of a simulated graph")
    scale.add_argument("--nodes", nargs="+", type=int, default=[], metavar="N", help="sizes (default 10,000 to 1 M)")
    scale.add_argument("--threads", type=int, default=2, help="threads for the arithmetic (default 2)")
    scale.add_argument("--seed", type=int, default=0, help="seed of the graph and of the training (default 0)")
    scale.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results (default benchmark)")
    scale.add_argument("--json", action="store_true", help="print the figures as JSON")
    scale.set_defaults(command=run_scale)
    add_neighbourhoods(kinds)
    add_delay(kinds)
    add_delay_survival(kinds)
    add_uncertainty(kinds)
    add_scale(kinds)


def run_benchmark(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure, write the tables and print one of them.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_benchmark`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range, a method unknown, or no method is left that can run.
    """
    methods_of = importlib.import_module("engine.benchmark.methods")
    chosen = methods_of.chosen_methods(arguments.methods)
    if arguments.splits < 1:
        raise ConfigError(f"'--splits' is {arguments.splits}; it must be at least 1.")
    missing = methods_of.missing_packages(chosen)
    for requirement, labels in missing.items():
        sys.stderr.write(
            f"{', '.join(labels)} left out: needs a package that is not installed; "
            f"install it with: pip install {requirement}\n"
        )
    absent = {label for labels in missing.values() for label in labels}
    methods = [method for method in chosen if method.label not in absent]
    if not methods:
        raise ConfigError("None of the methods can run; install what they need, or name others with '--methods'.")
    folder = output_folder(arguments.out)
    datasets = [load("graph", name) for name in arguments.data]
    with progress_bar() as progress:
        task = progress.add_task("", total=len(datasets) * arguments.splits * len(methods))

        def on_step(data: str, seed: int, label: str) -> None:
            progress.update(task, advance=1, description=f"{data} · split {seed + 1} · {label}")

        run = importlib.import_module("engine.benchmark.run")
        summary = run.benchmark(datasets, methods, splits=arguments.splits, folder=folder / "parts", on_step=on_step)
    table = importlib.import_module("engine.benchmark.table")
    text = table.markdown(summary)
    summary.to_parquet(folder / RESULTS[0], index=False)
    (folder / RESULTS[1]).write_text(f"{text}\n\n{table.by_segment(summary)}\n", encoding="utf-8")
    table.headline(summary).to_csv(folder / RESULTS[2], index=False)
    sys.stdout.write((summary.to_json(orient="records") if arguments.json else text) + "\n")


def run_scale(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure how time and memory grow with the graph, write ``graph_scale.csv`` and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_benchmark`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    scale = importlib.import_module("engine.benchmark.graph_scale")
    sizes = arguments.nodes or scale.NODES
    for option, values, least in (("--nodes", sizes, 100), ("--threads", [arguments.threads], 1)):
        if min(values) < least:
            raise ConfigError(f"'{option}' is {min(values)}; it must be at least {least}.")
    folder = output_folder(arguments.out)
    with progress_bar() as progress:
        task = progress.add_task("", total=len(sizes))

        def on_size(size: int) -> None:
            progress.update(task, completed=sizes.index(size), description=f"{size:,} nodes")

        table = scale.measure_all(sizes, threads=arguments.threads, seed=arguments.seed, on_size=on_size)
    table.round(3).to_csv(folder / "graph_scale.csv", index=False)
    text = scale.text_of(table, scale.growth(table))
    sys.stdout.write((table.to_json(orient="records") if arguments.json else text) + "\n")
