"""The page for own data: its columns are checked, the report is read, and then something is done with them."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard import jobs
from dashboard.controls import data_report, training
from dashboard.jobs import JobSpec
from engine.cli import _parser
from engine.inspection.inspection import Finding
from engine.options import parse_pairs
from tests.dashboard.data_steps import (
    BEACON,
    EDGES,
    SCORES,
    Worker,
    checked,
    give,
    inspection,
    kept,
    opened,
    press,
    role,
    scores_confirmed,
    settle,
    stand_in,
    texts,
)


@pytest.fixture
def worker(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Make jobs run the stand-in."""
    return stand_in(runs, tmp_path, monkeypatch)


def test_what_is_chosen_for_a_column_is_what_is_checked(worker: Worker) -> None:
    press(scores_confirmed(), "data-check-start")
    (spec,) = worker.specs
    assert (spec.kind, spec.action, spec.form, spec.called) == ("uncertainty", "inspect", "scores", "mine.csv")
    assert spec.columns == (("label", "click me"), ("score", "p $x$"), ("uncertainty", BEACON))
    assert Path(spec.data).read_text() == SCORES


def test_a_column_of_a_roles_name_cannot_be_left_out_and_the_page_says_so(worker: Worker) -> None:
    app = give(opened("graph"), EDGES.replace("from,to", "source,weight").replace("b,c", "b,3").replace("a,b", "a,2"))
    role(app, "target").select("weight").run()
    assert "because of its name" not in texts(app)
    app = give(opened("graph"), "source,target,weight\n" + "a,b,2\n" * 9)
    role(app, "weight").select("").run()
    assert "Column 'weight' is taken as weight because of its name" in texts(app)
    press(app, "data-check-start")
    assert dict(worker.specs[0].columns)["weight"] == "weight"


def test_a_column_that_no_feature_can_be_called_is_pointed_out(runs: Path) -> None:
    app = give(opened("uncertainty"), "bought,age,score\n" + "1,30,512\n0,41,610\n" * 9)
    assert "Column 'score' is taken as score because of its name" in texts(app)


def test_a_file_that_cannot_be_read_is_named_at_the_head(runs: Path) -> None:
    assert "mine.csv cannot be read yet." in texts(give(opened("graph"), b"K\xf6ln;\xfc\n1;2\n"))


def test_a_span_of_seconds_taken_for_days_stays_short() -> None:
    found = replace(inspection(), time={"first": 1.7e9, "last": 1.708e9, "days": 8e6, "zone": None, "unit": "days"})
    assert {figure.label: figure.value for figure in data_report.figures(found)}["Years"] == "100+"


def test_the_report_stands_on_the_page_in_the_readers_words(worker: Worker) -> None:
    worker.reports(inspection(Finding(severity="drops", sentence=f"own-data.csv: {BEACON} lacks 2 values", rows=2)))
    app = checked(worker)
    shown = texts(app)
    assert "mine.csv can be described and trained on: 40 rows, of which 2 are left out." in shown
    assert "own-data.csv" not in shown and r"mine.csv\: " in shown
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers == {
        "Rows": "40",
        "Left out": "2",
        "Repeated": "3",
        "Missing": "4",
        "Positives": "25 %",
        "Days": "59",
    }
    assert "no time zone" in shown and "0123456789abcdef" in shown
    columns, offending, dropped = (table.value for table in app.dataframe[1:])
    assert columns["Missing"].tolist() == [0.1]
    assert offending[["row", "why", BEACON]].values.tolist() == [["7", "mine.csv has no score", "=1+1"]]
    assert dropped.values.tolist() == [["no score", 2]]


def test_nothing_from_the_file_becomes_markup(worker: Worker) -> None:
    worker.reports(inspection(Finding(severity="stops", sentence=f"Column '{BEACON}' has :smile: $x$", stops="train")))
    app = checked(worker)
    shown = texts(app)
    for markup in ("![i](", ":smile:", "$x$", "http://evil"):
        assert markup not in shown
    labels = [element.label for kind in (app.selectbox, app.button, app.metric) for element in kind]
    assert not [label for label in labels if "evil" in label]


def test_a_report_that_stops_closes_the_way_and_says_why(worker: Worker) -> None:
    stop = Finding(severity="stops", sentence="Column 'score' has no positive row.", stops="train")
    worker.reports(inspection(stop, can_train=False))
    app = checked(worker)
    assert app.button(key="data-train").disabled and not app.button(key="data-describe").disabled
    assert ":material/block: Column 'score' has no positive row." in [caption.value for caption in app.caption]
    assert "mine.csv can be described, but not trained on" in texts(app)


def test_repeated_links_are_merged_by_one_click(worker: Worker) -> None:
    stop = Finding(severity="stops", sentence="Row 41 repeats an edge.", stops="train")
    links = replace(inspection(stop, can_train=False), kind="graph", form="edges")
    worker.reports(links)
    app = settle(press(give(opened("graph"), EDGES), "data-check-start"))
    worker.reports(replace(links, can_train=True))
    app = settle(press(app, "data-merge-check"))
    assert app.checkbox[0].value and app.metric and "data-merge-check" not in [button.key for button in app.button]
    commands = {code.value.split()[3]: "--merge-repeats" in code.value for code in app.code}
    assert commands == {"describe": False, "train": True}
    settle(press(app, "data-train"))
    assert [(spec.action, spec.merge_repeats) for spec in worker.specs] == [
        ("inspect", False),
        ("inspect", True),
        ("train", True),
    ]


def test_rows_without_a_score_say_why_they_are_not_described(worker: Worker) -> None:
    note = Finding(severity="note", sentence="Rows without a score cannot be described.", stops="describe")
    worker.reports(inspection(note, can_describe=False))
    app = checked(worker)
    assert app.button(key="data-describe").disabled and not app.button(key="data-train").disabled
    assert ":material/block: Rows without a score cannot be described." in [caption.value for caption in app.caption]
    assert ":gray-badge[note] Rows without" in texts(app) and "red-badge" not in texts(app)
    assert "mine.csv can be trained on, but not described: 40 rows" in texts(app)


def test_data_that_stop_are_refused_whatever_the_browser_sends(worker: Worker) -> None:
    from dashboard.controls import data

    spec = JobSpec(kind="graph", data="x.csv", seed=0, action="inspect", called="x.csv")
    found = inspection(can_describe=False, can_train=False)
    assert data.start("train", found, spec, 0, {}) == data.start("describe", found, spec, 0, {})
    assert worker.specs == []


def test_another_choice_makes_the_report_old(worker: Worker) -> None:
    app = checked(worker)
    assert app.metric
    role(app, "weight").select("Region").run()
    assert not app.metric and app.button(key="data-check-start").label == "Check the data"
    role(app, "weight").select("").run()
    assert app.metric and app.button(key="data-check-start").label == "Check again"


def test_describing_and_training_use_the_checked_columns_and_only_changed_settings(worker: Worker) -> None:
    app = settle(press(checked(worker), "data-describe"))
    assert "green-badge[done]" in texts(app)
    app.number_input(key="data-seed").set_value(5)
    app.text_input(key="train-setting-uncertainty-members").set_value("2")
    settle(press(app, "data-train"))
    inspect, describe, train = worker.specs
    assert (describe.action, train.action, train.seed, train.settings) == ("describe", "train", 5, (("members", "2"),))
    assert inspect.columns == describe.columns == train.columns
    assert inspect.data == describe.data == train.data


def test_a_setting_that_is_not_allowed_starts_nothing(worker: Worker) -> None:
    app = checked(worker)
    app.text_input(key="train-setting-uncertainty-members").set_value("none")
    press(app, "data-train")
    assert "Setting 'members' is 'none'" in app.error[0].value and len(worker.specs) == 1


def test_a_check_that_fails_is_told_and_can_be_repeated(worker: Worker) -> None:
    worker.complaint.write_text(f"Error: File 'own-data.csv' has 3 values in line 9; {BEACON}.\n")
    app = checked(worker)
    assert "File 'mine.csv' has 3 values in line 9" in app.error[0].value
    worker.complaint.unlink()
    assert settle(press(app, "data-check-start")).metric


def test_a_check_can_be_cancelled(worker: Worker) -> None:
    worker.go.unlink()
    app = press(scores_confirmed(), "data-check-start")
    assert "is being checked" in texts(app)
    app = settle(press(app, "data-check-cancel"))
    assert "Stopped before it ended" in app.error[0].value
    assert [job.state for job in jobs.list_jobs()] == ["cancelled"]


@pytest.mark.parametrize("action", ["describe", "train"])
def test_the_shown_command_does_what_the_button_does(worker: Worker, action: str) -> None:
    app = checked(worker)
    line = next(code.value for code in app.code if f"engine {action}" in code.value)
    arguments = _parser().parse_args(shlex.split(line.replace("\\\n", " "))[3:])
    roles = {"label": "click me", "score": "p $x$", "uncertainty": BEACON}
    assert parse_pairs(arguments.column, option="--column") == roles
    assert (arguments.name, arguments.kind, arguments.data) == (action, "uncertainty", "mine.csv")


def test_a_second_session_sees_nothing_of_the_first(worker: Worker) -> None:
    worker.complaint.write_text("Error: Column 'secret' is bad.\n")
    checked(worker)
    other = opened("uncertainty")
    assert "mine.csv" not in texts(other) and "secret" not in texts(other) and not other.dataframe
    assert training.followed_job(None) is None
    worker.complaint.unlink()
    settle(press(checked(worker), "data-train"))
    assert training.followed_job(None) is None and len(jobs.list_jobs()) == 3


def test_a_check_of_the_same_file_by_another_reader_does_not_end_with_the_first(worker: Worker) -> None:
    worker.go.unlink()
    spec = JobSpec(kind="graph", data="shared.csv", seed=0, action="inspect", called="shared.csv")
    first, second = jobs.submit(spec), jobs.submit(spec)
    jobs.cancel(first)
    worker.go.touch()
    while jobs.status(second).state == "running" or jobs.status(first).state == "running":
        pass
    assert (jobs.status(first).state, jobs.status(second).state) == ("cancelled", "done")


def test_what_went_wrong_in_one_session_is_not_told_in_another(worker: Worker) -> None:
    worker.complaint.write_text("Error: Setting 'secret' is bad.\n")
    job = jobs.submit(JobSpec(kind="graph", data="debian-programs", seed=0))
    running = training.followed_job(None)
    assert running is None or running.state == "running"
    while jobs.status(job).state == "running":
        pass
    assert training.followed_job(None) is None
    assert "secret" in training.followed_job(job).message


def test_files_of_the_data_folder_are_read_where_they_are(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened("graph")
    app.segmented_control(key="data-way").set_value("server").run()
    assert "RECOMMENDER_LENS_DATA=" in app.info[0].value
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "my edges.csv").write_text(EDGES)
    monkeypatch.setenv("RECOMMENDER_LENS_DATA", str(folder))
    app.run()
    app.selectbox(key="data-path").select("my edges.csv").run()
    settle(press(app, "data-check-start"))
    assert worker.specs[0].data == str(folder / "my edges.csv") and kept() == []
    line = app.code[0].value
    assert "--data \"$RECOMMENDER_LENS_DATA\"/'my edges.csv'" in line and str(folder) not in line
