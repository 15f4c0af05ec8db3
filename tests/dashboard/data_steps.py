"""Steps of a reader of the page for own data, and a stand-in for the command line that its jobs start."""

import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import jobs, uploads
from dashboard.jobs import JobSpec
from engine.inspection.inspection import COLUMN_FIELDS, DROPPED_FIELDS, FINDING_FIELDS, Finding, Inspection, table_of

SCORES = "click me,p $x$,σ² ![i](http://evil.example/x.png),Region\n" + "1,0.9,0.1,N\n0,0.2,0.3,S\n" * 20
EDGES = "from,to\n" + "a,b\nb,c\n" * 20
BEACON = "σ² ![i](http://evil.example/x.png)"

# Words: report, complaint, run folder, file that is waited for.
WORKER = """
import pathlib, sys, time
report, complaint, out, go = map(pathlib.Path, sys.argv[1:5])
for _ in range(3000):
    if go.exists():
        break
    time.sleep(0.02)
if complaint.exists():
    sys.stderr.write(complaint.read_text())
    sys.exit(2)
if sys.argv[5] == "inspect":
    print(report.read_text())
else:
    out.mkdir(parents=True)
    (out / "manifest.json").touch()
"""


class Worker:
    """Stands in for the command line: what it reports or complains of, and when."""

    def __init__(self, folder: Path) -> None:
        self.report, self.complaint, self.go = (folder / name for name in ("report.json", "complaint.txt", "go"))
        self.specs: list[JobSpec] = []
        self.go.touch()

    def reports(self, found: Inspection) -> None:
        self.report.write_text(found.to_json())


def stand_in(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Make jobs run the stand-in."""
    made = Worker(tmp_path)
    script = tmp_path / "worker.py"
    script.write_text(WORKER)

    def command(spec: JobSpec, folder: Path, run_id: str) -> list[str]:
        made.specs.append(spec)
        paths = (made.report, made.complaint, runs / run_id, made.go)
        return [sys.executable, "-I", str(script), *map(str, paths), spec.action]

    monkeypatch.setattr(jobs, "_command", command)
    made.reports(inspection())
    return made


def inspection(*findings: Finding, can_describe: bool = True, can_train: bool = True) -> Inspection:
    """Return a report on four columns and 40 rows."""
    column = {"missing": 4, "distinct": 2, "minimum": 0, "maximum": 1, "example": "1", "type": "number"}
    return Inspection(
        kind="uncertainty",
        form="scores",
        source="own-data.csv",
        roles={"label": "click me"},
        rows=40,
        columns=table_of([{"column": BEACON, "role": "uncertainty"} | column], COLUMN_FIELDS),
        findings=table_of(findings, FINDING_FIELDS),
        offending=table_of([{"row": 7, "why": "own-data.csv has no score", BEACON: "=1+1"}], ("row", "why")),
        balance={"0": 30, "1": 10},
        time={"first": "2026-01-01", "last": "2026-03-01", "days": 59.0, "zone": None, "unit": "dates"},
        duplicates=3,
        dropped=table_of([{"why": "no score", "rows": 2}], DROPPED_FIELDS),
        content_hash="0123456789abcdef" * 4,
        data_id=None,
        can_describe=can_describe,
        can_train=can_train,
    )


def page() -> None:
    from dashboard.views import data

    data.render()


def opened(kind: str = "") -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    if kind:
        app.segmented_control(key="data-kind").set_value(kind).run()
    assert not app.exception
    return app


def give(app: AppTest, text: str | bytes = SCORES, name: str = "mine.csv") -> AppTest:
    content = text.encode() if isinstance(text, str) else text
    app.file_uploader(key="data-file").set_value((name, content, "text/csv")).run()
    assert not app.exception
    return app


def role(app: AppTest, name: str) -> object:
    return next(box for box in app.selectbox if str(box.key).startswith(f"data-role-{name}-"))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def settle(app: AppTest) -> AppTest:
    """Wait until no job runs, and draw the page as the reader then sees it."""
    for _ in range(400):
        if all(job.state != "running" for job in jobs.list_jobs()):
            app.run()
            assert not app.exception
            return app
        time.sleep(0.05)
    raise AssertionError("a job still runs")


def scores_confirmed() -> AppTest:
    app = give(opened("uncertainty"))
    next(box for box in app.segmented_control if str(box.key).startswith("data-form-")).set_value("scores").run()
    for name, column in (("label", "click me"), ("score", "p $x$"), ("uncertainty", BEACON)):
        role(app, name).select(column).run()
    return app


def checked(worker: Worker) -> AppTest:
    return settle(press(scores_confirmed(), "data-check-start"))


def texts(app: AppTest) -> str:
    """Return all markdown of the page."""
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.error, app.info) for element in kind)


def kept() -> list[Path]:
    return list(uploads.uploads_folder().glob("*/own-data*"))
