"""The training page: what is chosen is what is trained, and the page follows the job."""

import base64
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import jobs
from dashboard.controls import training
from dashboard.jobs import JobSpec
from engine.errors import ConfigError
from engine.runs import read_run

StoreRun = Callable[..., Path]

# Words: progress file, run folder. It waits for a file beside the script before it ends.
TRAINER = """
import json, pathlib, sys, time
progress, out, go = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[0]).with_name("go")
with progress.open("a") as file:
    file.write(json.dumps({"time": time.time(), "stage": "single", "epoch": 1, "epochs": 4, "losses": {"edges": 0.5}}))
    file.write("\\n")
for _ in range(3000):
    if go.exists():
        break
    time.sleep(0.02)
if go.read_text():
    sys.stderr.write(go.read_text())
    sys.exit(2)
go.with_name(out.name).rename(out) if go.with_name(out.name).exists() else out.mkdir()
(out / "manifest.json").touch()
"""


@pytest.fixture
def go(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make jobs run a stand-in that ends when the returned file appears: with its text as error, if any."""
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)

    def command(spec: JobSpec, folder: Path, run_id: str) -> list[str]:
        return [sys.executable, "-I", str(script), str(folder / "progress.jsonl"), str(runs / run_id)]

    monkeypatch.setattr(jobs, "_command", command)
    return tmp_path / "go"


def page() -> None:
    from dashboard.views import runs

    runs.render()


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def wait_for(state: str, *, epoch: int = 0) -> jobs.JobStatus:
    for _ in range(400):
        job = jobs.list_jobs()[0]
        if job.state == state and job.latest.get("epoch", 0) >= epoch:
            return job
        time.sleep(0.05)
    raise AssertionError(f"the job is {job.state}, not {state}")


def test_the_form_offers_the_data_of_the_chosen_model(runs: Path) -> None:
    app = opened()
    assert app.selectbox(key="train-data-graph").value == "debian-programs"
    app.segmented_control(key="train-kind").set_value("delay").run()
    assert app.selectbox(key="train-data-delay").value == "journey-coupons"
    assert not [box for box in app.selectbox if box.key == "train-data-graph"]
    app.segmented_control(key="train-kind").set_value("graph").run()
    assert app.selectbox(key="train-data-graph").value == "debian-programs"


def test_what_is_chosen_is_what_is_trained_and_only_changes_are_written(go: Path) -> None:
    app = opened()
    app.text_input(key="train-setting-graph-epochs").set_value(" 3 ")
    app.text_input(key="train-setting-graph-dimension").set_value("")
    app.number_input(key="train-seed").set_value(7)
    app.selectbox(key="train-data-graph").select("journey-types")
    press(app, "Train")
    job = wait_for("running")
    assert job.spec == JobSpec(kind="graph", data="journey-types", seed=7, settings=(("epochs", "3"),))
    go.touch()
    wait_for("done")


def test_a_setting_that_is_not_allowed_gets_the_engines_sentence_and_starts_nothing(go: Path) -> None:
    app = opened()
    app.text_input(key="train-setting-graph-epochs").set_value("many")
    press(app, "Train")
    assert app.error[0].value == "Setting 'epochs' is 'many'; allowed is a whole number."
    assert jobs.list_jobs() == []
    app.text_input(key="train-setting-graph-epochs").set_value("3")
    press(app, "Train")
    assert not app.error
    assert [job.state for job in jobs.list_jobs()] == ["running"]
    jobs.cancel(jobs.list_jobs()[0].id)


def test_a_running_job_shows_stage_and_loss_and_survives_a_reload(go: Path) -> None:
    press(opened(), "Train")
    wait_for("running", epoch=1)
    # A reload is a new session that knows of no job.
    app = opened()
    assert "running" in app.markdown[0].value
    losses = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]["y"]
    assert np.frombuffer(base64.b64decode(losses["bdata"]), losses["dtype"]).tolist() == [0.5]
    assert app.get("progress")[0].proto.value == 25
    assert app.get("progress")[0].proto.text.startswith(r"single\: epoch 1 of 4 · ")
    press(app, "Cancel")
    wait_for("cancelled")
    app.run()
    assert "cancelled" in app.markdown[0].value
    assert "Cancel" not in [button.label for button in app.button]


def test_a_finished_job_is_offered_and_stands_in_the_list(go: Path, store_run: StoreRun, runs: Path) -> None:
    app = press(opened(), "Train")
    job = wait_for("running", epoch=1)
    store_run(job.run_id).rename(go.with_name(job.run_id))
    go.touch()
    wait_for("done")
    app.run()
    assert not app.exception
    assert "done" in app.markdown[0].value
    assert job.run_id in app.dataframe[0].value["Run"].tolist()
    assert read_run(runs / job.run_id).kind == "graph"


def test_a_failed_job_shows_its_sentence(go: Path) -> None:
    app = press(opened(), "Train")
    wait_for("running", epoch=1)
    go.write_text("Error: Column 'a_b' is missing in *edges*; it has none.\n")
    wait_for("failed")
    app.run()
    assert app.error[0].value == r"Column 'a\_b' is missing in \*edges\*; it has none."


def test_a_run_deleted_after_its_job_is_said_to_be_gone(go: Path) -> None:
    app = press(opened(), "Train")
    go.touch()
    # The stand-in leaves a folder that is no whole run: nothing to open.
    job = wait_for("done")
    app.run()
    assert f"Its run {job.run_id} is no longer stored." in [caption.value for caption in app.caption]


def test_without_runs_and_jobs_the_page_says_what_to_do(runs: Path) -> None:
    app = opened()
    assert [info.value.split(".")[0] for info in app.info] == ["Nothing is training", "No run is stored yet"]


def test_data_of_another_model_is_refused_whatever_the_browser_sends(go: Path) -> None:
    with pytest.raises(ConfigError, match=r"'\.\./secret\.csv' is not graph data; allowed are debian-programs"):
        training.start_training("graph", "../secret.csv", 0, {})
    with pytest.raises(ConfigError, match="'journey-coupons' is not graph data"):
        training.start_training("graph", "journey-coupons", 0, {})
    assert jobs.list_jobs() == []


def test_stored_runs_are_listed_with_the_command_that_repeats_them(store_run: StoreRun) -> None:
    store_run("graph-one", seed=3)
    table = opened().dataframe[0].value
    assert table["Run"].tolist() == ["graph-one"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", table["Trained (UTC)"].iloc[0])
    assert table["Seed"].tolist() == [3]
    assert table["Command"].tolist() == ["python -m engine train graph"]


def test_a_command_says_nothing_of_where_own_files_lie(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RECOMMENDER_LENS_DATA", str(tmp_path / "data"))
    manifest = {
        "kind": "graph",
        "dataset": {"name": "own-data.csv", "origin": "own"},
        "seed": 0,
        "seconds": 1,
        "created": "2026-01-01T00:00:00",
        "command": ["--data", f"{runs}/.uploads/0123/own-data.csv", f"{tmp_path}/data/a/b.csv", f"{tmp_path}/database"],
    }
    monkeypatch.setattr(training.cache, "list_runs", lambda: {"graph-1": manifest})
    (command,) = training.runs_table()["Command"]
    assert command == f"--data FILE '$RECOMMENDER_LENS_DATA/a/b.csv' {tmp_path}/database"


@pytest.mark.parametrize("kind", ["graph", "delay", "uncertainty"])
def test_every_setting_of_every_model_has_an_input_with_its_meaning(runs: Path, kind: str) -> None:
    app = opened()
    app.segmented_control(key="train-kind").set_value(kind).run()
    assert not app.exception
    inputs = [box for box in (*app.text_input, *app.selectbox) if str(box.key).startswith(f"train-setting-{kind}-")]
    assert len(inputs) > 5
    assert [box.key for box in inputs if not box.help] == []
