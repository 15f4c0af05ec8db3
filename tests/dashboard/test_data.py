"""The page for own data: a file is given and looked at, and its columns are confirmed."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dashboard import uploads
from engine.inspection.inspection import Finding, Inspection
from tests.dashboard.data_steps import EDGES, give, inspection, kept, opened, role, texts


def test_before_a_file_is_given_the_page_says_what_one_holds(runs: Path) -> None:
    app = opened()
    assert "| **Source** |" in texts(app) and not app.dataframe and not app.button
    app.segmented_control(key="data-kind").set_value("delay").run()
    assert "| **Exposure time** |" in texts(app)
    assert not uploads.uploads_folder().exists()


def test_a_given_file_is_previewed_and_its_roles_are_guessed(runs: Path) -> None:
    app = give(opened("graph"), EDGES)
    assert app.dataframe[0].value["from"].tolist()[:3] == ["a", "b", "a"]
    assert (role(app, "source").value, role(app, "target").value, role(app, "weight").value) == ("from", "to", "")
    assert not app.button(key="data-check-start").disabled


def test_checking_waits_until_every_needed_role_has_one_column(runs: Path) -> None:
    app = give(opened("graph"), EDGES)
    role(app, "target").select("from").run()
    assert app.button(key="data-check-start").disabled
    assert "Column 'from' is chosen for Source and Target; a column plays one role." in texts(app)
    role(app, "target").select("").run()
    assert app.button(key="data-check-start").disabled and "Choose the column for Target." in texts(app)


def test_an_upload_goes_when_it_is_removed_or_replaced(runs: Path) -> None:
    app = give(opened("graph"), EDGES)
    (first,) = kept()
    give(app, EDGES + "c,d\n", "other.csv")
    (second,) = kept()
    assert first != second and second.read_text().endswith("c,d\n")
    app.file_uploader(key="data-file").set_value(None).run()
    assert kept() == []


def test_the_name_of_a_file_becomes_no_path(runs: Path) -> None:
    app = give(opened("graph"), EDGES, "../../../etc/x <b>.CSV")
    (path,) = kept()
    assert path.name == "own-data.csv" and path.parent.parent == uploads.uploads_folder()
    assert r"**x \<b\>.CSV**" in texts(app)
    give(app, EDGES, "script.py.gz")
    assert "cannot be read here; allowed are .csv, .csv.gz" in app.error[0].value and kept() == []


def test_a_file_above_the_limit_is_refused_by_the_server(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)
    app = give(opened("graph"), EDGES)
    assert "at most 0 MB can be uploaded" in app.error[0].value and kept() == [] and not app.dataframe


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.csv", b""),
        ("mine.csv", b"a,b\n"),
        ("mine.csv", b"a,a\n1,2\n"),
        ("mine.csv", b"a,b\n1\n"),
        ("mine.csv", b"a\0b,c\n1,2\n"),
        ("mine.csv", b"\xff\xfea\0,\0b\0"),
        ("mine.csv", ",".join(f"c{k}" for k in range(10_000)).encode() + b"\n"),
        ("mine.csv.gz", b"a,b\n1,2\n"),
        ("mine.parquet", b"PAR1 nonsense PAR1"),
        ("mine.parquet", b""),
    ],
)
def test_a_bad_file_gives_a_sentence_and_no_more(runs: Path, name: str, content: bytes) -> None:
    app = give(opened("graph"), content, name)
    assert len(app.error) == 1 and app.error[0].value and not app.dataframe
    assert str(runs) not in app.error[0].value and "own-data" not in app.error[0].value


def test_a_path_out_of_the_data_folder_is_refused(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.controls import data_source

    (tmp_path / "data").mkdir()
    (tmp_path / "secret.csv").write_text(EDGES)
    monkeypatch.setenv("RECOMMENDER_LENS_DATA", str(tmp_path / "data"))
    for name in ("../secret.csv", str(tmp_path / "secret.csv")):
        assert data_source.on_server(tmp_path / "data", name) is None


def test_the_report_survives_its_way_through_json() -> None:
    found = inspection(Finding(severity="note", sentence="a"))
    back = Inspection.from_json(found.to_json())
    pd.testing.assert_frame_equal(back.findings, found.findings)
    assert replace(back, **{name: None for name in ("columns", "findings", "offending", "dropped")}) == replace(
        found, **{name: None for name in ("columns", "findings", "offending", "dropped")}
    )
