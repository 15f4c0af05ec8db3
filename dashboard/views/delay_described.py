"""What a run without a training shows where a model would be needed."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_described


def needs_training(run: Run, what: str) -> None:
    """Say that something needs a trained model, and how to train one on the same data.

    Parameters
    ----------
    run : Run
    what : str
        Start of the sentence, in the plural.
    """
    command = delay_described.training_command(run)
    start = f"{what} need a trained model; this run was described from counts alone."
    if not command:
        layout.empty_state(f"{start} A training takes bundled data or one CSV or Parquet file. {delay.AGAIN}")
        return
    layout.empty_state(f"{start} To train on the same data:")
    st.code(command, language="bash", wrap_lines=True)
