"""Weights, models of arrival and learners of the stream, on rows that can be followed by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.delay.config import DelayConfig
from engine.delay.data import prepare
from engine.delay.emission import STREAM_OF
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.streaming import replay
from engine.delay.streaming_arrival import ArrivalModels, real_negatives_by_segment
from engine.delay.streaming_learner import Learner, StepRows
from engine.delay.streaming_weights import Arrival, row_weights

CONFIG = DelayConfig(members=2, hidden=4, steps=40, batch_size=32, learning_rate=0.05, weight_decay=0.0)
LABEL = np.array([1.0, 0.0, 1.0])
FIRST = np.array([True, True, False])
ARRIVAL = Arrival(late=np.full(3, 0.2), plain=np.full(3, 0.75), signals=np.full(3, 0.5), segment=np.full(3, 0.9))


@pytest.mark.parametrize(
    ("method", "positive", "negative"),
    [
        ("oracle", [1, 0, 1], [0, 1, 0]),
        ("vanilla_win", [1, 0, 1], [0, 1, 0]),
        ("fnw", [1, 0, 1], [0, 1, 0]),
        ("defer", [1, 0, 1], [0, 1, 0]),
        ("es_dfm", [1.2, 0, 1.2], [0, 1.2 * 0.75, 0]),
        ("exact_joint", [1, 0, 1], [0, 0.75, 0]),
        ("entire_space", [1, 0, 1], [0, 0.75, 0]),
        ("dress_style", [1, 0, 1], [0, 0.5, 0]),
        ("kaplan_meier", [1, 0, 1], [0, 0.9, 0]),
        ("defuse", [1.2, 0.25 * 0.2, 1], [0, 0.75 * 1.2, 0]),
    ],
)
def test_rows_have_the_weights_of_their_method(method, positive, negative):
    found = row_weights(method, label=LABEL, first=FIRST, arrival=ARRIVAL)
    assert found[0] == pytest.approx(np.array(positive)) and found[1] == pytest.approx(np.array(negative))


def test_weighted_streams_have_the_oracles_loss_in_expectation():
    p, late = 0.3, 0.12
    early, real = p - late, (1 - p) / (1 - p + late)
    arrival = Arrival(late=np.full(3, late), plain=np.full(3, real), signals=np.full(3, real), segment=np.full(3, real))
    mass = np.array([early, 1 - p + late, late])  # early positive, observed negative, late positive
    for method, rows in {"exact_joint": 1.0, "dress_style": 1.0, "es_dfm": 1 + late, "defuse": 1 + late}.items():
        positive, negative = row_weights(method, label=LABEL, first=FIRST, arrival=arrival)
        assert mass @ positive == pytest.approx(rows * p) and mass @ negative == pytest.approx(rows * (1 - p))


def rows_of(exposure, label, first=None) -> StepRows:
    label = np.asarray(label, dtype=float)
    return StepRows(
        exposure=np.asarray(exposure, dtype=int), positive=label, negative=1 - label,
        first=np.ones(label.size) if first is None else np.asarray(first, dtype=float),
    )  # fmt: skip


def log_loss(heads, batch):
    return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)


@pytest.fixture
def learner():
    torch.manual_seed(0)
    x = torch.randn(200, 3)
    network = StackedNetwork(3, hidden=4, outputs=1, members=2, groups=2)
    made = Learner(network, x, log_loss, CONFIG)
    label = (x[:, 0] > 0).double().numpy()
    made.pretrain([rows_of(np.arange(200), label), rows_of(np.arange(200), 1 - label)])
    return made


def test_copies_start_as_their_source_and_then_learn_on_their_own(learner):
    every = np.arange(200)
    copy = learner.spread([0, 1, 0], log_loss)
    before = learner.heads(every)
    assert torch.equal(copy.heads(every), before[[0, 1, 0]])
    few = rows_of([], [])
    copy.learn([rows_of(every, np.ones(200)), few, rows_of(every, np.zeros(200))], usual_rows=200.0)
    after = copy.heads(every)
    assert (after[0] - before[0]).mean() > 0.05 and (after[2] - before[0]).mean() < -0.05
    assert torch.equal(after[1], before[1])  # no rows, no change
    assert torch.equal(learner.heads(every), before)


def test_a_step_with_few_rows_moves_a_network_less_than_one_with_many(learner):
    every = np.arange(200)
    copy = learner.spread([0, 0], log_loss)
    before = copy.heads(every)
    copy.learn([rows_of(np.arange(4), np.ones(4)), rows_of(every, np.ones(200))], usual_rows=200.0)
    few, many = (copy.heads(every) - before).abs().mean(dim=(1, 2, 3))
    assert few < 0.5 * many


def test_a_step_without_any_rows_leaves_all_as_it_was(learner):
    before = learner.heads(np.arange(200))
    assert np.isnan(learner.learn([rows_of([], [])] * 2, usual_rows=10.0))
    assert torch.equal(learner.heads(np.arange(200)), before)


def test_blind_groups_do_not_see_the_last_column():
    torch.manual_seed(0)
    x = torch.zeros(100, 2)
    x[50:, 1] = 1.0
    label = x[:, 1].double().numpy()
    config = dataclasses.replace(CONFIG, hidden=16, steps=120)
    network = StackedNetwork(2, hidden=16, outputs=1, members=2, groups=2)
    made = Learner(network, x, log_loss, config, blind=torch.tensor([True, False]))
    made.pretrain([rows_of(np.arange(100), label)] * 2)
    share = torch.sigmoid(made.heads(np.array([0, 99]))).mean(dim=1)[..., 0]
    assert share[0, 0] == share[0, 1] and 0.3 < share[0, 0] < 0.7
    assert share[1, 0] < 0.1 and share[1, 1] > 0.9


@pytest.fixture
def prepared(dataset_of):
    return prepare(dataset_of(simulate(900, SimulationConfig(seed=5, days=60.0, window_days=10.0))), DelayConfig())


def test_models_of_arrival_learn_the_labels_that_their_names_say(prepared):
    config = dataclasses.replace(CONFIG, members=1)
    state = prepared.engaged_by(prepared.waiting)
    torch.manual_seed(0)
    made = ArrivalModels(prepared, torch.zeros(prepared.time.size, 1), state, np.arange(prepared.time.size), config)
    exposure = np.array([3, 5, 8])
    delay = np.full(prepared.time.size, np.inf)
    delay[[3, 8]] = 2.0, 9.0  # early, never, late
    made._prepared = dataclasses.replace(prepared, delay=delay)
    plain, signals, late = made._rows(exposure)
    assert plain.exposure.tolist() == signals.exposure.tolist() == [5, 8] and plain.positive.tolist() == [1, 0]
    assert late.exposure.tolist() == [3, 5, 8] and late.positive.tolist() == [0, 0, 1]


def test_models_of_arrival_find_the_shares_of_a_log_without_features(prepared):
    state = prepared.engaged_by(prepared.waiting)
    config = dataclasses.replace(CONFIG, steps=150, batch_size=256)
    torch.manual_seed(0)
    every = np.arange(prepared.time.size)
    found = ArrivalModels(prepared, torch.zeros(every.size, 1), state, every, config).at(every)
    open_still = prepared.delay > prepared.waiting
    late = open_still & np.isfinite(prepared.delay)
    assert found["late"].mean() == pytest.approx(late.mean(), abs=0.03)
    assert found["plain"].mean() == pytest.approx(1 - late.sum() / open_still.sum(), abs=0.03)
    for engaged in (0.0, 1.0):
        mine = state == engaged
        share = 1 - (late & mine).sum() / (open_still & mine).sum()
        assert found["signals"][mine].mean() == pytest.approx(share, abs=0.04)


def test_the_curve_of_a_segment_gives_its_real_negatives_and_no_later_event(prepared):
    nan = np.inf
    part = dataclasses.replace(
        prepared,
        time=np.array([0.0, 0.0, 0.0, 0.0, 5.0, 0.0]),
        delay=np.array([1.0, 6.0, nan, nan, 3.0, 8.0]),
        window=np.full(6, 10.0),
        waiting=np.full(6, 4.0),
        segment=np.array(["A", "A", "A", "A", "B", "B"], dtype=object),
    )
    # As of day 7 the conversions of days 8 (both of segment B) have not happened: A has 1 of 4 early, 1 of 3 late.
    found = real_negatives_by_segment(part, np.array([0, 4]), since=0.0, until=7.0)
    assert found == pytest.approx([2 / 3, 1.0])
    # As of day 9, B's row of day 5 has converted at age 3 and the other at age 8: nobody is left.
    assert real_negatives_by_segment(part, np.array([0, 4]), since=0.0, until=9.0) == pytest.approx([2 / 3, 0.0])
    # Exposures before the first day do not count; a segment without any borrows the curve of all.
    assert real_negatives_by_segment(part, np.array([0]), since=1.0, until=9.0) == pytest.approx([1.0])
    assert real_negatives_by_segment(part, np.array([0]), since=20.0, until=30.0) == pytest.approx([1.0])


def test_corrections_find_the_rate_that_vanilla_misses(dataset_of):
    config = DelayConfig(members=2, hidden=16, steps=200, resamples=10)
    log = dataset_of(simulate(8000, SimulationConfig(seed=1)))
    made = prepare(log, config)
    played = replay(log, made, config)
    observed = made.label[played.exposure].mean()
    ratio = {name: p.mean() / observed for name, p in played.probability.items()}
    assert ratio["vanilla"] < 0.75
    for method in set(STREAM_OF) - {"vanilla", "vanilla_win"}:
        assert ratio[method] == pytest.approx(ratio["oracle"], abs=0.15), method
