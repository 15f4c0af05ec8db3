"""What lies in the data folder can be named, and nothing else can."""

import os
from pathlib import Path

import pytest

from dashboard.controls import data_folder
from dashboard.controls.data_source import size_text
from engine.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a data folder with a file beside it that nobody may read."""
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    root = tmp_path / "data"
    (root / "deep" / "parts").mkdir(parents=True)
    (root / "one.csv").write_text("a\n1\n")
    (root / "deep" / "Käufe 2026.TSV.gz").write_bytes(b"12345")
    for name in ("p1.parquet", "p2.parquet"):
        (root / "deep" / "parts" / name).write_bytes(b"123")
    for hidden in (".hidden.csv", "notes.txt", "views.duckdb"):
        (root / hidden).write_text("x")
    (root / ".git").mkdir()
    (root / ".git" / "x.csv").write_text("x")
    (root / "out.csv").symlink_to(tmp_path / "secret.csv")
    (root / "outside").symlink_to(tmp_path)
    (root / "again.csv").symlink_to(root / "one.csv")
    os.mkfifo(root / "pipe.csv")
    monkeypatch.setenv("RECOMMENDER_LENS_DATA", str(root))
    return root


def test_files_that_can_be_read_are_listed_with_their_size_and_links_are_not(folder: Path) -> None:
    found, is_cut = data_folder.listing(folder)
    assert [(listed.name, listed.bytes) for listed in found] == [
        ("deep/Käufe 2026.TSV.gz", 5),
        ("deep/parts/", 6),
        ("deep/parts/p1.parquet", 3),
        ("deep/parts/p2.parquet", 3),
        ("one.csv", 4),
    ]
    assert not is_cut


def test_all_that_is_listed_can_be_named(folder: Path) -> None:
    for listed in data_folder.listing(folder)[0]:
        assert data_folder.inside(folder, listed.name) == folder / listed.name
    assert data_folder.inside(folder, " one.csv ") == folder / "one.csv"
    # A link that stays inside leads nowhere else.
    assert data_folder.inside(folder, "again.csv") == folder / "one.csv"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.csv",
        "deep/../../secret.csv",
        "deep/../one.csv",
        "/etc/passwd",
        "",
        "  ",
        "one.csv\0.csv",
        "..",
        "~/../x",
    ],
)
def test_a_name_that_could_lead_out_is_refused_whatever_lies_there(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="does not lie in the data folder; name a file below it"):
        data_folder.inside(folder, name)


def test_an_absolute_path_is_refused_even_if_it_is_inside(folder: Path) -> None:
    with pytest.raises(ConfigError, match="does not lie in the data folder"):
        data_folder.inside(folder, str(folder / "one.csv"))


@pytest.mark.parametrize(
    "name", ["out.csv", "outside/secret.csv", "outside/data/one.csv/x", "gone.csv", ".", "*.csv", "a" * 5000]
)
def test_links_that_lead_out_look_like_files_that_are_not_there(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"There is no file '.*' in the data folder; choose one from the list"):
        data_folder.inside(folder, name)


@pytest.mark.parametrize("name", ["notes.txt", "views.duckdb", "pipe.csv"])
def test_what_is_no_table_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' cannot be read here; allowed are .csv"):
        data_folder.inside(folder, name)


def test_a_folder_is_one_of_parquet_files_none_of_which_leads_out(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"Folder '.git' holds no .parquet file"):
        data_folder.inside(folder, ".git")
    (folder / "deep" / "parts" / "p3.parquet").symlink_to(folder.parent / "secret.csv")
    with pytest.raises(ConfigError, match="holds a link that leads out of the data folder"):
        data_folder.inside(folder, "deep/parts")


def test_without_a_folder_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for named in ("", str(tmp_path / "gone")):
        monkeypatch.setenv("RECOMMENDER_LENS_DATA", named)
        assert data_folder.root() is None
    monkeypatch.delenv("RECOMMENDER_LENS_DATA")
    assert data_folder.root() is None


def test_a_link_to_the_data_folder_itself_is_followed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    monkeypatch.setenv("RECOMMENDER_LENS_DATA", str(link))
    assert data_folder.root() == folder


def test_the_list_is_cut_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "MOST_LISTED", 2)
    found, is_cut = data_folder.listing(folder)
    assert (len(found), is_cut) == (2, True)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (58_471, "58.5 kB"), (1_250_000, "1.25 MB"), (2 * 10**9, "2 GB")],
)
def test_sizes_have_three_digits_at_most(count: int, text: str) -> None:
    assert size_text(count) == text
