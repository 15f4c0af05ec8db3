"""The list of runs is what lies on disk, whatever lies beside it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import cache
from engine.errors import RunError

StoreRun = Callable[..., Path]


def test_runs_are_listed_by_kind_with_the_default_data_first(store_run: StoreRun) -> None:
    store_run("graph-own", name="own.csv")
    store_run("graph-default")
    store_run("delay-one", "delay")
    assert list(cache.list_runs("graph")) == ["graph-default", "graph-own"]
    assert list(cache.list_runs("uncertainty")) == []
    assert len(cache.list_runs()) == 3


def test_what_is_no_whole_run_is_not_listed_and_hides_no_other(store_run: StoreRun, runs: Path) -> None:
    store_run("graph-good")
    for number, text in enumerate(('{"schema_', "[]", '{"schema_version": 1, "status": "complete"}')):
        (runs / f"graph-bad-{number}").mkdir()
        (runs / f"graph-bad-{number}" / "manifest.json").write_text(text)
    half = store_run("graph-half")
    (half / "manifest.json").unlink()
    cache.forget_list()
    assert list(cache.list_runs()) == ["graph-good"]


def test_a_run_of_a_kind_that_this_program_does_not_know_is_not_listed(store_run: StoreRun) -> None:
    folder = store_run("graph-one")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"kind": "ranking"}))
    cache.forget_list()
    assert cache.list_runs() == {}


@pytest.mark.parametrize("run_id", ["", ".", "..", "../graph-one", "/etc", "graph-one/", "graph-one/../graph-one"])
def test_an_id_is_looked_up_in_the_list_and_never_becomes_a_path(
    store_run: StoreRun, runs: Path, monkeypatch: pytest.MonkeyPatch, run_id: str
) -> None:
    store_run("graph-one")
    opened: list[str] = []
    monkeypatch.setattr(cache, "read_run", opened.append)
    with pytest.raises(RunError, match="There is no run"):
        cache.open_run(run_id)
    assert opened == []


def test_a_run_is_opened_once_and_shared(store_run: StoreRun) -> None:
    store_run("graph-one")
    assert cache.open_run("graph-one") is cache.open_run("graph-one")


def test_a_run_trained_again_under_the_same_name_is_opened_anew(store_run: StoreRun) -> None:
    folder = store_run("graph-one")
    before = cache.open_run("graph-one")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"created": "2030-01-01T00:00:00+00:00", "seed": 9}))
    cache.forget_list()
    assert cache.open_run("graph-one") is not before
    assert cache.open_run("graph-one").manifest["seed"] == 9


def test_of_two_runs_with_one_name_the_listed_one_is_the_opened_one(
    store_run: StoreRun, runs: Path, tmp_path: Path
) -> None:
    shipped = tmp_path / "shipped" / "graph-one"
    shipped.parent.mkdir()
    store_run("graph-one", seed=1).rename(shipped)
    store_run("graph-one", seed=2)
    cache.forget_list()
    assert cache.list_runs()["graph-one"]["seed"] == cache.open_run("graph-one").manifest["seed"] == 1


def test_a_missing_folder_holds_no_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "run_folders", lambda: (tmp_path / "a", tmp_path / "b"))
    assert cache.list_runs() == {}


def test_own_runs_lie_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOMMENDER_LENS_RUNS", str(tmp_path / "x" / ".." / "mine"))
    assert cache.run_folders()[1] == tmp_path / "mine"
    monkeypatch.delenv("RECOMMENDER_LENS_RUNS")
    assert cache.run_folders() == (cache.ROOT / "sample_data" / "runs", cache.ROOT / "runs")
