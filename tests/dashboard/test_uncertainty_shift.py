"""What if the share of positives changes: the numbers of now and then, and the precision to hold for it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.layout import number
from engine.result import DatasetInfo
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.editor import open_editor
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate


def page() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


@pytest.fixture(scope="module")
def result():
    """Run once on simulated scores with a flat prior."""
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3)).drop(columns=["k_all", "n_all"])
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=10, buckets=3, precision_targets=(0.4, 0.6)))


@pytest.fixture
def stored(runs: Path, result) -> Run:
    return read_run(write_run(result, runs / "uncertainty-one", command=["python"]))


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["uncertainty-shift"] = True
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def shifted(app: AppTest) -> dict[str, list[str]]:
    table = next(element.value for element in app.table if "Under the shift" in element.value.columns)
    return {str(name): [str(cell) for cell in row] for name, row in zip(table.index, table.to_numpy(), strict=True)}


def test_thinned_negatives_come_back_in_precision_and_leave_recall(stored: Run) -> None:
    app = opened(uncertainty_precision="0.40")
    app.radio(key="uncertainty-shift-by").set_value("tau").run()
    app.number_input(key="uncertainty-kept").set_value(4.0).run()
    editor = open_editor(stored.curve("cells"), stored.curve("edges"), "given")
    decision = editor.decide(editor.snap("mist", 0.4), "test")
    lines = {name.split(" (")[0]: cells for name, cells in shifted(app).items()}
    # One negative in four was kept: four times as many false positives stand beside the same true ones.
    then = decision.true_positive / (decision.true_positive + 4 * decision.false_positive)
    assert lines["Precision, test rows"][1].startswith(f"{number(then)} [")
    assert lines["Recall, test rows"][0] == lines["Recall, test rows"][1]
    rate = decision.positives / (decision.positives + 4 * (decision.rows - decision.positives))
    assert lines["Share of positives, test rows"][1] == number(rate)


def test_the_precision_to_hold_is_rounded_up_and_does_not_grow_when_it_is_held(stored: Run) -> None:
    app = opened(uncertainty_precision="0.40")
    app.radio(key="uncertainty-shift-by").set_value("tau").run()
    app.number_input(key="uncertainty-kept").set_value(3.0).run()
    # 0.4 of one positive beside three negatives: 0.4 / (0.4 + 0.6 / 3) = 2 / 3.
    now = math.ceil(100 * 2 / 3) / 100
    for _ in range(2):
        button = app.button(key="uncertainty-hold-shifted")
        assert button.label == f"Hold {now:.2f} on these rows" and not button.disabled
        assert any("To have precision 0.40 under the shift, hold 0.667" in caption.value for caption in app.caption)
        button.click().run()
        assert app.number_input(key="uncertainty-aim").value == now


def test_a_precision_beyond_what_can_be_held_is_not_offered(stored: Run) -> None:
    app = opened(uncertainty_precision="0.60")
    app.radio(key="uncertainty-shift-by").set_value("tau").run()
    app.number_input(key="uncertainty-kept").set_value(500.0).run()
    assert app.button(key="uncertainty-hold-shifted").disabled
