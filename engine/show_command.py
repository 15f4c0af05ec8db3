"""The command `show`: print what a run found."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd

from engine.runs import Run, read_run


def add_show(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    show = commands.add_parser("show", help="print what a run found")
    show.add_argument("run", metavar="RUN_DIR")
    show.add_argument("--json", action="store_true", help="print manifest and metrics as JSON")
    show.set_defaults(command=_show)


def _show(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Print a stored run."""
    print_run(read_run(arguments.run), as_json=arguments.json)


def print_run(run: Run, *, as_json: bool) -> None:
    """Print manifest and metrics, as JSON or for reading.

    Parameters
    ----------
    run : Run
    as_json : bool
    """
    if as_json:
        metrics = json.loads(run.metrics.to_json(orient="records", double_precision=15))
        sys.stdout.write(json.dumps({"manifest": run.manifest, "metrics": metrics}, indent=2) + "\n")
        return
    manifest = run.manifest
    shown = run.metrics[run.metrics["segment"] == "all"] if "all" in set(run.metrics["segment"]) else run.metrics
    lines = [
        f"{run.id} · {manifest['dataset']['name']} ({manifest['dataset']['origin']}) · seed {manifest['seed']}"
        f" · {manifest['seconds']:g} s",
        f"made by: {shlex.join(manifest['command'])}",
        "",
        *([_table(shown), ""] if len(shown) else []),
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
