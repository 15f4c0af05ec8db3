"""What every method would learn from a made-up delay, where the truth is known."""

from __future__ import annotations

from dashboard import layout
from dashboard.cache import Run


def draw(run: Run) -> None:
    """Draw the tab.

    Parameters
    ----------
    run : Run
    """
    layout.empty_state(f"Run {layout.escape_markdown(run.id)} holds no law.")
