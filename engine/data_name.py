"""What readers see data called, where the name of their file says too little."""

from __future__ import annotations

import argparse
import unicodedata
from dataclasses import replace

from engine.datasets import BUNDLED
from engine.errors import ConfigError
from engine.result import RunResult

MOST_SIGNS = 80
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the reading direction, with which a name can pass for another one."""


def add_name(parser: argparse.ArgumentParser) -> None:
    """Describe the option.

    Parameters
    ----------
    parser : ArgumentParser
    """
    # The parser has a ``name`` already: that of the command.
    parser.add_argument(
        "--name", dest="called", metavar="TEXT", help="what the run calls the data (default: the name of the file)"
    )


def is_sign(sign: str) -> bool:
    """Say whether a sign may stand in a name: it has to be visible, and on one line."""
    return unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") and sign not in _TURNS


def checked_name(name: str | None, data: str | None) -> str | None:
    """Return what data are to be called, or None for the name of the file.

    Parameters
    ----------
    name : str or None
        As given with ``--name``.
    data : str or None
        As given with ``--data``; None for a table that Spark knows.

    Returns
    -------
    str or None
        Without white space around it. It is shown and never becomes a path.

    Raises
    ------
    ConfigError
        If it is empty, longer than `MOST_SIGNS`, has a control character, or the data are bundled, or called as if
        they were.
    """
    if name is None:
        return None
    text = name.strip()
    if data in BUNDLED:
        raise ConfigError(f"'--data {data}' is bundled and has its name already; leave out --name.")
    if text in BUNDLED:
        raise ConfigError(f"'--name {text}' is what bundled data are called; give another name.")
    if not text or len(text) > MOST_SIGNS:
        raise ConfigError(
            f"'--name' has {len(text):,} characters; allowed are 1 to {MOST_SIGNS}. Give a shorter or a longer name."
        )
    odd = [place for place, sign in enumerate(text, start=1) if not is_sign(sign)]
    if odd:
        raise ConfigError(
            f"'--name' has the control character {text[odd[0] - 1]!a} in place {odd[0]}; leave such characters out."
        )
    return text


def named(result: RunResult, name: str | None) -> RunResult:
    """Return a result whose data are called as the reader wishes."""
    return result if name is None else replace(result, dataset=replace(result.dataset, name=name))
