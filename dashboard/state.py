"""Keys of the session state and of the address bar: the only place where they are spelled."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["graph", "delay", "uncertainty"]

RUN: Final[dict[Kind, str]] = {"graph": "graph-run", "delay": "delay-run", "uncertainty": "uncertainty-run"}
"""Kind to the key of its run picker; the same word stands in the address bar."""

PAGES: Final = "pages"
"""Kind to page object, for links between pages; set by the entry on every run."""

JOB: Final = "job"
"""Key of the training job that the training page follows."""

RUN_TITLE: Final[dict[Kind, str]] = {
    "graph": "Directed graph",
    "delay": "Delayed feedback",
    "uncertainty": "Prediction uncertainty",
}
"""Kind to the name of its page."""

TRAIN: Final = {"kind": "train-kind", "data": "train-data", "seed": "train-seed", "setting": "train-setting"}
"""Keys of the training form."""

DELAY: Final = {
    "window": "delay-window",
    "group": "delay-by",
    "segment": "delay-segment",
    "metric": "delay-metric",
    "baseline": "delay-against",
    "tab": "delay-tab",
}
"""Keys of the widgets of the delayed-feedback page; the same words stand in the address bar."""
