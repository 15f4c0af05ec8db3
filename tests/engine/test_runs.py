"""Run folders: whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from engine.errors import RunError
from engine.partial import sweep
from engine.runs import Run, check_target, list_runs, read_run, write_run

COMMAND = ["python", "-m", "engine", "train", "graph", "--seed", "7"]


@pytest.fixture
def run(tiny_result, tmp_path) -> Run:
    return read_run(write_run(tiny_result, tmp_path / "tiny-run", command=COMMAND, threads=1))


def change_manifest(run, **changes):
    """Rewrite the manifest of a stored run; None removes an entry."""
    manifest = {key: value for key, value in (run.manifest | changes).items() if value is not None}
    (run.folder / "manifest.json").write_text(json.dumps(manifest))


def test_every_table_comes_back_as_it_was(run, tiny_result):
    pd.testing.assert_frame_equal(run.metrics, tiny_result.metrics)
    pd.testing.assert_frame_equal(run.predictions, tiny_result.predictions)
    pd.testing.assert_frame_equal(run.history, tiny_result.history)
    for name, table in tiny_result.curves.items():
        pd.testing.assert_frame_equal(run.curve(name), table)
    assert np.array_equal(run.embedding("source"), tiny_result.embeddings["source"])


def test_the_model_comes_back_with_its_shapes(run, tiny_result):
    from safetensors.numpy import load_file

    model = load_file(run.folder / "model.safetensors")
    assert model["weight"].shape == (2, 2) and model["scale"].shape == () and model["scale"] == 3.0


def test_the_manifest_tells_how_the_run_was_made(run):
    manifest = run.manifest
    assert (manifest["schema_version"], manifest["status"], manifest["kind"]) == (1, "complete", "graph")
    assert manifest["methods"] == ["dual", "popularity"] and manifest["config"] == {"seed": 7, "epochs": 2}
    assert manifest["seed"] == 7 and manifest["command"] == COMMAND and manifest["threads"] == 1
    assert manifest["dataset"]["data_id"] == "0123456789abcdef" and manifest["dataset"]["rows"] == {"edges": 12}
    assert manifest["curves"] == ["claims", "differences"] and manifest["embeddings"] == ["source"]
    assert manifest["versions"]["numpy"] == np.__version__ and manifest["seconds"] == 1.2
    assert (run.id, run.kind) == ("tiny-run", "graph")


def test_a_run_is_its_files_and_nothing_beside_them(run):
    files = sorted(str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file())
    assert files == [
        "curves/claims.parquet",
        "curves/differences.parquet",
        "embeddings.safetensors",
        "history.parquet",
        "manifest.json",
        "metrics.parquet",
        "model.safetensors",
        "predictions.parquet",
    ]
    assert [path.name for path in run.folder.parent.iterdir()] == ["tiny-run"]


def test_a_run_without_arrays_can_be_written(tiny_result, tmp_path):
    import dataclasses

    bare = dataclasses.replace(tiny_result, embeddings={}, model={}, history=pd.DataFrame())
    run = read_run(write_run(bare, tmp_path / "bare", command=COMMAND))
    assert run.history.empty
    with pytest.raises(RunError, match="has no embedding 'source'; it has none"):
        run.embedding("source")


def test_an_empty_folder_may_be_filled_and_parents_are_made(tiny_result, tmp_path):
    (tmp_path / "here").mkdir()
    write_run(tiny_result, tmp_path / "here", command=COMMAND)
    write_run(tiny_result, tmp_path / "deep" / "down" / "there", command=COMMAND)
    assert read_run(tmp_path / "here").id == "here" and read_run(tmp_path / "deep/down/there").id == "there"


def test_an_existing_run_is_never_overwritten(run, tiny_result):
    before = (run.folder / "manifest.json").read_bytes()
    with pytest.raises(RunError, match="exists already and is not an empty folder; choose another with --out"):
        write_run(tiny_result, run.folder, command=["other"])
    assert (run.folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("name", ["", ".", "..", "a", "Run-1", "my_run", "-x", ".hidden", "a b", "ü-run", "x" * 64])
def test_other_names_are_refused(tmp_path, name):
    with pytest.raises(RunError, match="is not a name for a run; allowed are 2 to 63 lower-case letters"):
        check_target(f"{tmp_path}/{name}" if name not in ("", ".") else name)


@pytest.mark.parametrize("name", ["ab", "graph-20260101-120000", "7-of-9", "x" * 63])
def test_plain_names_are_allowed(tmp_path, name):
    assert check_target(tmp_path / name) == tmp_path / name


def test_a_file_or_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file-here").write_text("x")
    (tmp_path / "link-here").symlink_to(tmp_path / "nowhere")
    for name in ("file-here", "link-here"):
        with pytest.raises(RunError, match="exists already and is not an empty folder"):
            check_target(tmp_path / name)


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match=r"cannot be written .*is not a writable folder"):
        check_target(tmp_path / "file" / "deep" / "run")


def test_a_folder_without_permission_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(RunError, match="is not a writable folder"):
        check_target(tmp_path / "run")


def test_a_path_that_no_system_takes_is_refused(tmp_path):
    with pytest.raises(RunError, match="File name too long"):
        check_target(tmp_path / ("x" * 300) / "run")


@pytest.mark.parametrize("moment", ["engine.partial.sync", "engine.runs._write_files"])
def test_a_full_disk_leaves_nothing_and_says_so(tiny_result, tmp_path, monkeypatch, moment):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(moment, fail)
    with pytest.raises(RunError, match=r"cannot be written \(No space left on device\); choose another with --out"):
        write_run(tiny_result, tmp_path / "full", command=COMMAND)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_write_leaves_nothing(tiny_result, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("engine.partial.sync", fail)
    with pytest.raises(error):
        write_run(tiny_result, tmp_path / "cut", command=COMMAND)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_no_json_number_is_never_written(tiny_result, tmp_path):
    import dataclasses

    broken = dataclasses.replace(tiny_result, seconds=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        write_run(broken, tmp_path / "nan-run", command=COMMAND)
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_while_writing_leaves_no_run(tmp_path):
    """Everything is on disk but the rename: the last moment at which a kill can strike."""
    program = textwrap.dedent(
        """
        import dataclasses, os, signal, sys
        import pandas as pd
        from engine import runs
        from engine.result import DatasetInfo, METRIC_COLUMNS, RunResult

        @dataclasses.dataclass
        class Config:
            seed: int = 0

        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        table = pd.DataFrame({name: ["x"] for name in METRIC_COLUMNS})
        result = RunResult(kind="graph", config=Config(), metrics=table, curves={"claims": table},
                           dataset=DatasetInfo(name="d", origin="real", data_id="0"), predictions=table)
        runs.write_run(result, sys.argv[1] + "/killed", command=["x"])
        """
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "manifest.json").exists() and left.name.startswith(".killed.")
    assert list_runs(tmp_path) == []
    # What it left is swept away, but not what another process has only just begun.
    sweep(tmp_path)
    assert left.exists()
    sweep(tmp_path, older=0.0)
    assert list(tmp_path.iterdir()) == []


def test_runs_are_listed_newest_first_and_anything_else_is_passed_over(tiny_result, tmp_path):
    for name, created in (("older", "2026-01-01T00:00:00+00:00"), ("newer", "2026-02-01T00:00:00+00:00")):
        change_manifest(read_run(write_run(tiny_result, tmp_path / name, command=COMMAND)), created=created)
    change_manifest(read_run(write_run(tiny_result, tmp_path / "old-schema", command=COMMAND)), schema_version=0)
    (tmp_path / "empty").mkdir()
    (tmp_path / "truncated").mkdir()
    (tmp_path / "truncated" / "manifest.json").write_text('{"schema_version": 1, "status": "comp')
    (tmp_path / "file.json").write_text("{}")
    assert [run.id for run in list_runs(tmp_path)] == ["newer", "older"]


def test_no_folder_means_no_runs(tmp_path):
    assert list_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize("content", ["", "{", "[1", b"\xff\xfe", '{"schema_version"'])
def test_a_truncated_manifest_is_no_run(run, content):
    data = content if isinstance(content, bytes) else content.encode()
    (run.folder / "manifest.json").write_bytes(data)
    with pytest.raises(RunError, match="is not a run: it has no readable manifest"):
        read_run(run.folder)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}"])
def test_a_manifest_without_a_version_is_refused(run, content):
    (run.folder / "manifest.json").write_text(content)
    with pytest.raises(RunError, match=r"has schema version None; this program reads 1\. Train it again\."):
        read_run(run.folder)


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_another_schema_version_is_refused(run, version):
    change_manifest(run, schema_version=version)
    with pytest.raises(RunError, match=f"has schema version {version}; this program reads 1"):
        read_run(run.folder)


def test_an_unfinished_run_is_refused(run):
    change_manifest(run, status="running")
    with pytest.raises(RunError, match="is not complete; train it again"):
        read_run(run.folder)


@pytest.mark.parametrize(
    "changes", [{"curves": None}, {"kind": "other"}, {"dataset": {}}, {"dataset": 3}, {"seed": None}]
)
def test_a_manifest_that_lacks_an_entry_is_refused(run, changes):
    change_manifest(run, **changes)
    with pytest.raises(RunError, match="lacks entries that every run has"):
        read_run(run.folder)


@pytest.mark.parametrize("name", ["metrics", "predictions", "history", "curves/claims"])
def test_a_run_that_lost_a_table_is_refused(run, name):
    (run.folder / f"{name}.parquet").unlink()
    with pytest.raises(RunError, match=f"has lost its table '{name}'"):
        read_run(run.folder)
    assert list_runs(run.folder.parent) == []


def test_a_damaged_table_is_reported_when_it_is_read(run):
    (run.folder / "metrics.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RunError, match="Table 'metrics' of run 'tiny-run' cannot be read; train it again"):
        _ = read_run(run.folder).metrics


def test_damaged_embeddings_are_reported_when_they_are_read(run):
    (run.folder / "embeddings.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(RunError, match="The embeddings of run 'tiny-run' cannot be read"):
        run.embedding("source")


def test_an_unknown_table_or_matrix_is_named_with_those_that_exist(run):
    with pytest.raises(RunError, match="has no table 'nope'; it has claims, differences"):
        run.curve("nope")
    with pytest.raises(RunError, match="has no embedding 'nope'; it has source"):
        run.embedding("nope")


def test_tables_are_read_once(run, monkeypatch):
    before = run.metrics, run.curve("claims")
    monkeypatch.setattr(pd, "read_parquet", None)
    pd.testing.assert_frame_equal(run.metrics, before[0])
    pd.testing.assert_frame_equal(run.curve("claims"), before[1])


def test_what_one_reader_adds_no_other_sees(run):
    mine = run.curve("claims")
    mine["mine"] = 1
    mine.loc[:, "value"] = -9.0
    assert "mine" not in run.curve("claims").columns
    assert (run.curve("claims")["value"] != -9.0).all()
