"""The methods of the delay benchmark by the names that its tables show."""

from __future__ import annotations

from collections.abc import Sequence

from engine.delay.config import METHODS
from engine.errors import ConfigError

OURS = "dress_style"
ORACLE, VANILLA, WAIT = "oracle", "vanilla", "wait"
"""What the gap lies between, and the method that waits for the whole window."""
LABELS = {
    "oracle": "Oracle (final labels)",
    "pretrained": "Pre-trained, frozen",
    "wait": "Wait for the window",
    "vanilla": "Vanilla",
    "vanilla_win": "Vanilla-win",
    "fnw": "FNW",
    "fnc": "FNC",
    "es_dfm": "ES-DFM",
    "exact_joint": "Exact weights, no signals",
    "defer": "DEFER",
    "defuse": "DEFUSE",
    "fsiw": "FSIW",
    "ulc": "ULC",
    "dfm": "DFM",
    "nndf": "nnDF",
    "kaplan_meier": "Kaplan–Meier by segment",
    "esdf": "ESDF",
    "entire_space": "Entire space, no signals",
    "dress_style": "DRESS-style (ours)",
}


def label_of(method: str) -> str:
    """Return the name of a method in tables."""
    return LABELS.get(method, method)


def chosen_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Return methods by name, in the order of `engine.delay.config.METHODS`; all of them for no name.

    Vanilla, oracle, wait and ours are always among them: the others are judged against these.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    tuple of str

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    for name in names:
        if name not in METHODS:
            raise ConfigError(f"'--methods {name}' is unknown; allowed are {', '.join(METHODS)}.")
    wanted = {*names, ORACLE, VANILLA, WAIT, OURS}
    return tuple(name for name in METHODS if not names or name in wanted)


__all__ = ["LABELS", "METHODS", "ORACLE", "OURS", "VANILLA", "WAIT", "chosen_methods", "label_of"]
