"""Given files are private, limited, and gone as soon as nobody needs them."""

import os
import time
import tomllib
from pathlib import Path

import pytest

from dashboard import uploads
from engine.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(runs: Path) -> Path:
    return runs / ".uploads"


def test_a_kept_file_lies_under_our_name_in_folders_closed_to_others(folder: Path) -> None:
    path = uploads.keep(b"a,b\n1,2\n", name="own-data.csv")
    assert path.read_bytes() == b"a,b\n1,2\n"
    assert [place.stat().st_mode & 0o777 for place in (folder, path.parent)] == [0o700, 0o700]
    assert path.parent.parent == folder and path.name == "own-data.csv"


def test_two_files_of_one_name_never_meet(folder: Path) -> None:
    first, second = (uploads.keep(content, name="own-data.csv") for content in (b"1", b"2"))
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    uploads.discard(first)
    assert second.exists()


def test_a_file_above_the_limit_is_refused_before_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 2**20)
    uploads.keep(b"0" * 2**20, name="own-data.csv")
    with pytest.raises(ConfigError, match=r"The file has 1\.0 MB; at most 1 MB can be uploaded"):
        uploads.keep(b"0" * (2**20 + 1), name="own-data.csv")
    assert len(list(folder.glob("*"))) == 1


def test_the_server_takes_no_larger_file_than_is_kept() -> None:
    settings = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["maxUploadSize"] * 2**20 == uploads.MOST_BYTES


def test_all_kept_files_together_are_limited_and_room_comes_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_KEPT_BYTES", 10)
    first = uploads.keep(b"0" * 6, name="own-data.csv")
    with pytest.raises(ConfigError, match="Files of other readers take 0 of 0 MB at the moment; try again"):
        uploads.keep(b"0" * 5, name="own-data.csv")
    uploads.discard(first)
    assert uploads.keep(b"0" * 5, name="own-data.csv").exists()


def test_the_last_holder_that_lets_go_removes_the_file(folder: Path) -> None:
    path = uploads.keep(b"1", name="own-data.csv")
    for holder in ("page", "graph-1"):
        uploads.hold(path, holder)
    uploads.release(path, "page")
    assert path.exists()
    uploads.release(path, "graph-1")
    assert list(folder.iterdir()) == []
    # Both may happen again, for example when an ended job is looked at once more.
    uploads.hold(path, "page")
    uploads.release(path, "graph-1")
    assert list(folder.iterdir()) == []


def test_letting_go_without_having_held_removes_nothing(folder: Path) -> None:
    path = uploads.keep(b"1", name="own-data.csv")
    uploads.release(path, "graph-1")
    assert path.exists()


def test_files_that_nobody_touched_for_long_are_swept_and_others_stay(folder: Path) -> None:
    old, looked_at, new = (uploads.keep(b"1", name="own-data.csv") for _ in range(3))
    long_ago = time.time() - uploads.STALE - 60
    for path in (old, looked_at):
        os.utime(path.parent, (long_ago, long_ago))
    uploads.hold(looked_at, "page")
    uploads.sweep()
    assert [path.exists() for path in (old, looked_at, new)] == [False, True, True]


def test_nothing_outside_their_folder_is_held_or_removed(tmp_path: Path) -> None:
    own = tmp_path / "mine" / "deep" / "file.csv"
    own.parent.mkdir(parents=True)
    own.write_text("1")
    uploads.hold(own, "page")
    uploads.release(own, "page")
    uploads.discard(own)
    assert [path.name for path in own.parent.iterdir()] == ["file.csv"]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(runs: Path) -> None:
    (runs / ".uploads").write_text("in the way")
    with pytest.raises(ConfigError, match="The file cannot be kept while it is read"):
        uploads.keep(b"1", name="own-data.csv")
