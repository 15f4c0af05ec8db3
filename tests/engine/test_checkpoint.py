"""A training that is broken off anywhere goes on to the very numbers of one that was not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import checkpoint
from engine.checkpoint import follow, kept
from engine.checkpoint_files import folder_of
from engine.errors import RunError
from engine.partial import held
from engine.seeding import generator, torch_seed

IDENTITY = {"version": 2, "kind": "graph", "data": "0", "settings": {"epochs": 8}}
EPOCHS = 8


class BrokenOffError(Exception):
    """Somebody pulled the plug."""


def train(losses, *, until=None, loops=2, parts=()):
    """Train networks one after the other with noise of both kinds; return all their parameters."""
    found = []
    for number in range(loops):
        with torch_seed(3, "test", str(number)):
            net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
            optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
            rows = generator(3, "rows", str(number))
            loop = follow(
                f"net {number}",
                lambda epoch, told: losses.append((epoch, told["loss"])),
                net=net,
                optimizer=optimizer,
                schedule=schedule,
                rows=rows,
                **dict.fromkeys(parts, net),
            )
            for epoch in range(loop.done + 1, EPOCHS + 1):
                if until == (number, epoch):
                    raise BrokenOffError
                x = torch.from_numpy(rows.normal(size=(16, 3))).float() + torch.randn(16, 3)
                loss = (net(x) - x.sum(dim=1, keepdim=True)).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                loop.report(epoch, {"loss": float(loss.detach())})
                loop.keep(epoch)
            found += [value.clone() for value in net.state_dict().values()] + [torch.randn(2)]
    return found


@pytest.fixture
def always(monkeypatch):
    """Write whenever there is something to write."""
    monkeypatch.setattr(checkpoint, "_SHARE", 0.0)


@pytest.fixture
def whole():
    """Parameters and losses of a training that nobody broke off."""
    losses = []
    return train(losses), losses


def attempt(run, losses, *, is_resumed=False, every=1e-9, **options):
    """Train with checkpoints."""
    with kept(run, IDENTITY, every=every, is_resumed=is_resumed) as state:
        found = train(losses, **options)
        state.remove()
        return found


@pytest.mark.parametrize("until", [(0, 1), (0, 5), (1, 1), (1, EPOCHS)])
def test_a_broken_off_training_ends_with_the_same_numbers(whole, always, tmp_path, until):
    run = tmp_path / "run"
    with pytest.raises(BrokenOffError):
        attempt(run, [], until=until)
    losses = []
    found = attempt(run, losses, is_resumed=True)
    assert all(torch.equal(one, other) for one, other in zip(found, whole[0], strict=True)) and losses == whole[1]
    assert list(tmp_path.iterdir()) == []


def test_breaking_off_again_and_again_changes_nothing(whole, always, tmp_path):
    for until in [(0, 2), (0, 6), (1, 3)]:
        with pytest.raises(BrokenOffError):
            attempt(tmp_path / "run", [], is_resumed=until != (0, 2), until=until)
    assert {path.name for path in folder_of(tmp_path / "run").iterdir()} == {
        "checkpoint.json",
        "001.safetensors",
        "002.safetensors",
    }
    found = attempt(tmp_path / "run", [], is_resumed=True)
    assert all(torch.equal(one, other) for one, other in zip(found, whole[0], strict=True))


def test_without_resume_an_old_checkpoint_counts_for_nothing(whole, always, tmp_path):
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 3))
    losses = []
    attempt(tmp_path / "run", losses)
    assert losses == whole[1] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("every", [0.0, 1000.0])
def test_nothing_is_written_before_it_is_time_or_if_none_is_wanted(whole, tmp_path, every):
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 3), every=every)
    assert list(tmp_path.iterdir()) == []


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: clock[0])
    written = []

    def slow(path, state):
        clock[0] += 2.0
        written.append(clock[0])

    monkeypatch.setattr(checkpoint, "write_state", slow)
    with kept(tmp_path / "run", IDENTITY, every=10.0, is_resumed=False):
        loop = follow("slow disk")
        while clock[0] < 1000.0:
            clock[0] += 1.0
            loop.keep(1)
    assert written == [12.0, 114.0, 216.0, 318.0, 420.0, 522.0, 624.0, 726.0, 828.0, 930.0]


def test_a_disk_that_fills_up_ends_the_checkpoints_and_not_the_training(whole, always, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_state", fail)
    losses = []
    attempt(tmp_path / "run", losses)
    said = capsys.readouterr().err
    assert losses == whole[1] and said.count("\n") == 1 and "No space left on device" in said


@pytest.mark.parametrize("change", ["cut", "empty", "bit", "parts", "order", "json"])
def test_a_file_that_does_not_fit_is_refused(always, tmp_path, change):
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 3))
    first, second = (folder_of(tmp_path / "run") / f"00{number}.safetensors" for number in (1, 2))
    if change == "cut":
        first.write_bytes(first.read_bytes()[:-9])
    elif change == "empty":
        first.write_bytes(b"")
    elif change == "bit":
        content = bytearray(first.read_bytes())
        content[-5000] ^= 1
        first.write_bytes(content)
    elif change == "order":
        first.write_bytes(second.read_bytes())
    elif change == "json":
        first.write_bytes(first.read_bytes().replace(b'"done"', b'"gone"'))
    with pytest.raises(RunError, match=r"checkpoint of 'net 0' is damaged or of another version.*leave out --resume"):
        attempt(tmp_path / "run", [], is_resumed=True, parts=["more"] if change == "parts" else [])


def test_two_processes_never_train_one_run(always, tmp_path):
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 3))
    with held(folder_of(tmp_path / "run")), pytest.raises(RunError, match="is being trained by another process"):
        attempt(tmp_path / "run", [], is_resumed=True)


def test_of_two_trainings_that_begin_together_the_later_ends_and_the_files_of_the_earlier_stay(always, tmp_path):
    run, written = tmp_path / "run", folder_of(tmp_path / "run") / "001.safetensors"
    with (
        kept(run, IDENTITY, every=1e-9, is_resumed=False),
        kept(run, IDENTITY | {"data": "1"}, every=1e-9, is_resumed=False) as later,
    ):
        folder_of(run).mkdir()
        with held(folder_of(run)):
            written.write_bytes(b"of the earlier")
            with pytest.raises(RunError, match="run' is being trained by another process"):
                train([])
        assert not later.exists
        later.remove()
    assert written.read_bytes() == b"of the earlier"


def test_what_a_killed_training_left_is_no_part_of_the_next(whole, always, tmp_path):
    left = folder_of(tmp_path / "run") / "002.safetensors"
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 5))
    (left.parent / "checkpoint.json").unlink()
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(0, 5))
    assert not left.exists()


def test_the_time_of_before_is_known_and_parts_change_nothing_outside(always, tmp_path):
    with pytest.raises(BrokenOffError):
        attempt(tmp_path / "run", [], until=(1, 3))
    with kept(tmp_path / "run", IDENTITY, every=0.0, is_resumed=True) as state:
        assert state.earlier == 0.0 and state.exists
        train([])
        assert 0.0 < state.earlier < 60.0
    # Outside of a training with checkpoints a loop is just a loop.
    loop = follow("net 0", rows=np.random.default_rng(0))
    loop.report(1, {"loss": 1.0})
    loop.keep(1)
    assert loop.done == 0
