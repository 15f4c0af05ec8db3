"""Own data through the real command line: examples are found fit, and what is bad is told in a sentence."""

import time
from pathlib import Path

import pytest

from dashboard import cache, jobs
from dashboard.controls import data, data_roles
from dashboard.controls.data_source import Source
from engine.inspection.inspection import Inspection
from engine.inspection.roles import guess_roles

pytestmark = pytest.mark.slow


def checked(path: Path, kind: str, form: str) -> Inspection | str:
    """Check a file as the page does when the reader confirms what is guessed."""
    source = Source(path=str(path), called="mine & yours.csv", bytes=1, stamp=path.name, is_upload=True)
    looks = {look.name: look for look in cache.preview(source.path, source.stamp).columns}
    roles = data_roles.settled(form, data_roles.roles_of(kind, form), list(looks), guess_roles(kind, form, looks))
    assert roles.problems == ()
    job = jobs.submit(data.inspection_of(kind, source, roles))
    for _ in range(1200):
        status = jobs.status(job)
        assert status is not None
        if status.state != "running":
            return data.inspection(status, source)
        time.sleep(0.1)
    raise AssertionError("the file is still being checked")


@pytest.mark.parametrize(("kind", "form"), [("graph", "events"), ("uncertainty", "rows")])
def test_an_example_is_found_fit_to_train_on(runs: Path, tmp_path: Path, kind: str, form: str) -> None:
    path = tmp_path / f"own-{form}.csv"
    path.write_bytes(data_roles.example(kind, form))
    found = checked(path, kind, form)
    assert isinstance(found, Inspection), found
    assert (found.form, found.can_train, found.source) == (form, True, "mine & yours.csv")
    assert found.rows == len(path.read_text().splitlines()) - 1


def test_a_value_that_is_not_allowed_is_told_by_column_and_row(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "own-bad.csv"
    lines = data_roles.example("uncertainty", "scores").decode().splitlines()
    at = lines[0].split(",").index("score")
    bad = lines[5].split(",")
    lines[5] = ",".join([*bad[:at], "1.7", *bad[at + 1 :]])
    path.write_text("\n".join(lines))
    found = checked(path, "uncertainty", "scores")
    assert isinstance(found, Inspection) and not found.can_train and not found.can_describe
    first = found.findings.iloc[0]
    assert (first["column"], first["first_row"]) == ("score", 5)
    assert "mine & yours.csv" in first["sentence"] and "own-bad" not in first["sentence"]
