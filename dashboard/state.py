"""Keys of the session state and of the address bar: the only place where they are spelled."""

from __future__ import annotations

from typing import Final

RUN: Final = {"graph": "graph-run", "delay": "delay-run", "uncertainty": "uncertainty-run"}
"""Kind to the key of its run picker; the same word stands in the address bar."""

JOB: Final = "job"
"""Key of the training job that the training page follows."""

RUN_TITLE: Final = {
    "graph": "Directed graph",
    "delay": "Delayed feedback",
    "uncertainty": "Prediction uncertainty",
}
"""Kind to the name of its page."""
