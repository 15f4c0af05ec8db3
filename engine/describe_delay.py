"""The command `describe delay`: how labels arrive, from exposures of any size."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.data_name import checked_name, named
from engine.datasets import BUNDLED
from engine.describe_command import add_source, located, opened
from engine.errors import ConfigError, NotEnoughDataError, RunError
from engine.options import build_config, parse_pairs
from engine.runs import check_target, write_run
from engine.tables import write_table

FORMATS = ("parquet", "csv")
LAST = "last"
"""What `--as-of` calls the end of the log."""
_EPOCH = pd.Timestamp(0, tz="UTC")
_OPTIONS = ("attribution_days", "waiting_days", "step_days")


def add_delay(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    delay = kinds.add_parser("delay", help="how labels arrive, and how many will still change")
    add_source(delay)
    delay.add_argument(
        "--as-of",
        metavar="DAY",
        help=f"ISO date or day to look at, or '{LAST}' for the end of the log (default: the day of a training)",
    )
    delay.add_argument("--attribution-days", type=float, help="window of rows without window_days (default 30)")
    delay.add_argument("--waiting-days", type=float, help="when the label is first read (default 7)")
    delay.add_argument("--step-days", type=float, help="grid of elapsed time (default 1)")
    delay.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    delay.add_argument("--out", metavar="RUN_DIR", help="write a run that the dashboard opens")
    delay.add_argument("--tables", metavar="FOLDER", help="write the tables there")
    delay.add_argument("--format", choices=FORMATS, help=f"of the tables (default {FORMATS[0]})")
    delay.add_argument("--json", action="store_true", help="print the summary as JSON")
    delay.set_defaults(command=run_describe)


def run_describe(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Check the data, run the aggregates, write the run and the tables, and print what they say.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_delay`.
    words : sequence of str
        The command line, kept with the run.

    Raises
    ------
    ConfigError
        If an option or a setting is out of range.
    DataError
        If the data cannot be read or a value is not allowed.
    RunError
        If the run cannot be written.
    """
    config = _config(arguments)
    roles = parse_pairs(arguments.column, option="--column")
    folder = None if arguments.out is None else _checked(arguments.out)
    if arguments.format is not None and arguments.tables is None:
        raise ConfigError("'--format' is that of loose tables; name their folder with --tables (--out takes a run).")
    path, source = located(arguments, roles, "delay")
    name = checked_name(arguments.called, arguments.data)
    with opened(arguments, path, source) as table:
        log, scope, tables, result = _described(arguments, table, roles, source, config)
    if folder is not None:
        write_run(named(result, name), folder, command=["python", "-m", "engine", *words])
    if arguments.tables is not None:
        _write(tables, Path(arguments.tables), arguments.format or FORMATS[0])
    _print(arguments, source, log, scope, tables, config)


def _config(arguments: argparse.Namespace) -> Any:
    """Return the settings: those of `--set`, and those that have an option of their own."""
    settings: dict[str, Any] = dict(parse_pairs(arguments.set, option="--set"))
    for name in (*_OPTIONS, "as_of"):
        value, setting = getattr(arguments, name), "as_of_day" if name == "as_of" else name
        if value is None:
            continue
        if setting in settings:
            raise ConfigError(f"'--{name.replace('_', '-')}' and '--set {setting}' are the same; give one of them.")
        if name != "as_of":
            settings[name] = value
    return build_config(importlib.import_module("engine.delay.config").DelayConfig, settings)


def _checked(folder: str) -> Path:
    """Refuse a folder that no run can be written to, and say where loose tables go."""
    try:
        return check_target(folder)
    except RunError as error:
        raise RunError(f"{str(error).rstrip('.')}. Loose tables are written with --tables FOLDER.") from error


def _described(
    arguments: argparse.Namespace, table: Any, roles: dict[str, str], source: str, config: Any
) -> tuple[Any, Any, Mapping[str, pd.DataFrame], Any]:
    """Return the checked log, what of it is looked at, the tables, and the run if one or its tables are wanted."""
    described = importlib.import_module("engine.delay.described")
    relation = importlib.import_module("engine.delay.relation")
    log = relation.exposures_of(table, roles, source=source, attribution_days=config.attribution_days)
    day = config.as_of_day if arguments.as_of is None else _as_day(arguments.as_of, log)
    if day is not None and not log.first_day < day:
        raise NotEnoughDataError(
            f"No exposure of {source} comes before {_day(day, log.has_dates)}; "
            f"the first is on {_day(log.first_day, log.has_dates)}. Look at a later day with --as-of."
        )
    scope = importlib.import_module("engine.delay.scope").scope_of(log, config, day)
    if arguments.out is None and arguments.tables is None:
        return log, scope, described.printed_tables(log, scope, config), None
    known = BUNDLED.get(arguments.data)
    about = {} if known is None else {"origin": known.origin, "description": known.description}
    result = described.describe(log, scope, config, source=source, **about)
    return log, scope, {name: curve for name, curve in result.curves.items() if len(curve)}, result


def _print(
    arguments: argparse.Namespace, source: str, log: Any, scope: Any, tables: Mapping[str, pd.DataFrame], config: Any
) -> None:
    """Print what the tables say, for people or for programs."""
    summary = importlib.import_module("engine.delay.summary")
    found = summary.summary_of(tables, waiting_days=config.waiting_days, window_days=log.longest_window)
    head = {"source": source, "exposures": log.rows, "conversions": log.conversions, "as_of": scope.as_of}
    head |= {"first_day": log.first_day, "last_day": log.last_day, "has_dates": log.has_dates, "dropped": scope.dropped}
    if arguments.json:
        sys.stdout.write(json.dumps(head | found, indent=2) + "\n")
        return
    first, last, day = (_day(value, log.has_dates) for value in (log.first_day, log.last_day, scope.as_of))
    left_out = f" · {scope.dropped:,} left out, whose window is open at the end" if scope.dropped else ""
    sys.stdout.write(
        f"{source} · {log.rows:,} exposures, {log.conversions:,} conversions, {first} to {last} · as of {day}"
        f"{'' if scope.is_past else ', the end of the log'}{left_out}\n\n{summary.text_of(found)}\n"
    )
    if arguments.tables is not None:
        ending = arguments.format or FORMATS[0]
        sys.stdout.write(f"\n{arguments.tables}: {', '.join(f'{name}.{ending}' for name in tables)}\n")
    if arguments.out is not None:
        sys.stdout.write(f"\n{shlex.quote(arguments.out)} is a run: the dashboard opens it.\n")


def _as_day(text: str, log: Any) -> float:
    """Read a day as it is written in the data."""
    if text.strip().lower() == LAST:
        return float(log.last_day)
    try:
        day = (pd.to_datetime(text, utc=True) - _EPOCH) / pd.Timedelta(days=1) if log.has_dates else float(text)
    except (ValueError, TypeError):
        day = math.nan
    if not math.isfinite(day):
        form = "an ISO 8601 date such as 2017-08-15" if log.has_dates else "a number of days, as the times of the data"
        raise ConfigError(f"'--as-of' is '{text}'; allowed is {form}, or '{LAST}'.")
    return float(day)


def _day(value: float, has_dates: bool) -> str:
    """Write a day as the data do."""
    if not has_dates:
        return f"day {value:g}"
    return str((pd.Timestamp(0) + pd.Timedelta(days=value)).round("s")).removesuffix(" 00:00:00")


def _write(tables: Mapping[str, pd.DataFrame], folder: Path, ending: str) -> None:
    """Write every table."""
    for name, table in tables.items():
        try:
            write_table(table, folder / f"{name}.{ending}")
        except OSError as error:
            raise ConfigError(
                f"'--tables {folder}' cannot be written ({error.strerror or error}); choose another."
            ) from error
