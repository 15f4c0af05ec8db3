"""Folders that appear whole or not at all, holds on them, and what is swept away."""

import socket
import subprocess
import sys
import time

import pytest

from engine.partial import claimant, claimed, held, sweep, written_whole


def test_a_folder_appears_with_everything_in_it_and_no_trace_of_how(tmp_path):
    with written_whole(tmp_path / "deep" / "run") as partial:
        (partial / "part").write_text("all")
        assert partial.parent == tmp_path / "deep" and not (tmp_path / "deep" / "run").exists()
        sweep(tmp_path / "deep", older=0.0)
        assert partial.exists()  # held by its writer
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    assert (tmp_path / "deep" / "run" / "part").read_text() == "all"
    with pytest.raises(OSError, match="not empty"), written_whole(tmp_path / "deep" / "run"):
        pass
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


def test_a_hold_and_a_claim_end_with_their_process_however_that_ends(tmp_path):
    program = (
        "import pathlib, sys, time\nfrom engine.partial import claimed, held\nfolder = pathlib.Path(sys.argv[1])\n"
        "with held(folder), claimed(folder / 'run'):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with held(tmp_path) as is_ours:
            assert not is_ours
        sweep(tmp_path, older=0.0)
        assert claimant(tmp_path / "run") == f"process {other.pid} on {socket.gethostname()}"
        with claimed(tmp_path / "run") as is_ours:
            assert not is_ours
    finally:
        other.kill()
        other.communicate(timeout=60)
    with held(tmp_path) as is_ours:
        assert is_ours
    assert claimant(tmp_path / "run") == ""
    with claimed(tmp_path / "run") as is_ours:
        assert is_ours and claimant(tmp_path / "run") == ""  # of another process nothing is to be said
    assert list(tmp_path.iterdir()) == []


def test_only_old_hidden_folders_of_the_ending_that_nobody_holds_are_swept(tmp_path):
    for name in (".a.partial", ".held.partial", "b.partial", ".c.checkpoint", ".config"):
        (tmp_path / name / "deep").mkdir(parents=True)
    (tmp_path / ".file.partial").write_text("")
    (tmp_path / ".link.partial").symlink_to(tmp_path / ".config")
    sweep(tmp_path, older=60.0)
    assert len(list(tmp_path.iterdir())) == 7  # all of them are new
    with held(tmp_path / ".held.partial"):
        sweep(tmp_path, older=0.0)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".held.partial", "b.partial", ".c.checkpoint", ".config", ".file.partial", ".link.partial"}
    sweep(tmp_path, ".checkpoint", older=0.0)
    assert left - {path.name for path in tmp_path.iterdir()} == {".c.checkpoint"}
    begin = time.monotonic()
    sweep(tmp_path / "nowhere")
    assert time.monotonic() - begin < 1
