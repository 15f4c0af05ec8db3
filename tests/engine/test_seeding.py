"""Seeds: same in, same out; other purposes, other numbers."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.seeding import generator, torch_seed

seeds = st.integers(0, 2**31)


@given(seeds)
def test_the_same_seed_and_purpose_give_the_same_numbers(seed):
    assert np.array_equal(generator(seed, "split").random(5), generator(seed, "split").random(5))


@given(seeds)
def test_purposes_have_streams_of_their_own(seed):
    streams = [generator(seed, *names).random(8).tobytes() for names in ((), ("a",), ("b",), ("a", "b"), ("ab",))]
    assert len(set(streams)) == len(streams)


def test_neighbouring_seeds_are_uncorrelated():
    first = np.array([generator(seed, "x").standard_normal() for seed in range(2000)])
    # 3.5 standard errors of a correlation of nothing over 1,999 pairs.
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 3.5 / np.sqrt(1999)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="negative"):
        generator(-1)


def test_torch_draws_the_same_twice_and_its_own_state_is_left_alone():
    import torch

    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    draws = []
    for _ in range(2):
        with torch_seed(3, "model"):
            draws.append(torch.rand(4))
    assert torch.equal(draws[0], draws[1])
    assert torch.equal(torch.rand(2), expected)


def test_torch_purposes_differ():
    import torch

    with torch_seed(3, "a"):
        one = torch.rand(4)
    with torch_seed(3, "b"):
        other = torch.rand(4)
    assert not torch.equal(one, other)


def test_seeded_blocks_in_threads_do_not_interleave():
    import torch

    def draw(found: list, started: threading.Event | None = None) -> None:
        with torch_seed(1, "thread"):
            if started is not None:
                started.set()
            found.append(torch.cat([torch.rand(1) for _ in range(2000)]))

    alone, together, other = [], [], []
    draw(alone)
    started = threading.Event()
    threads = [
        threading.Thread(target=draw, args=(together, started)),
        threading.Thread(target=lambda: (started.wait(10), draw(other))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert torch.equal(alone[0], together[0]) and torch.equal(alone[0], other[0])
