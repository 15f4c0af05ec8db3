"""The funnel from exposure over engagement to conversion: promised and observed, and what leaving it out costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.loop import Batch, Progress, Rows, optimise, predict
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.panel import Panel
from engine.delay.train import OURS, Fitted
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator, torch_seed

STAGES = ("exposed", "engaged", "converted_engaged", "converted_plain", "converted")
CHECKED = ("log_loss", "roc_auc", "calibration")
_MIN_ENGAGED = 20


def funnel_table(fitted: Fitted, prepared: Prepared, config: DelayConfig) -> pd.DataFrame:
    """Compare the promised with the observed share of the later exposures that reach every stage.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : DelayConfig

    Returns
    -------
    DataFrame
        One row per ``segment`` ("all" or a segment) and ``stage``: ``n`` exposures from the snapshot day on, of
        ``units``; ``observed`` share of them with its interval ``ci_low, ci_high``; ``predicted``, the mean
        probability; ``ratio`` = predicted / observed with ``ratio_low, ratio_high`` (NaN where nothing was observed).

    Notes
    -----
    Stages: *engaged* by the waiting window, p_a; *converted_engaged*, p_a p_{y|a}; *converted_plain*, conversion
    without engagement by then, (1 − p_a) p_{y|not a}; *converted*, their sum, which is r, the method's prediction.
    The parts of every network add up to its r; so do the means. Intervals resample units and hold the networks fixed.
    """
    promised = stage_probabilities(fitted, prepared)
    rows = np.flatnonzero(prepared.test)
    label, engaged = prepared.label[rows], prepared.state[rows]
    happened = {
        "exposed": np.ones(rows.size),
        "engaged": engaged,
        "converted_engaged": engaged * label,
        "converted_plain": (1.0 - engaged) * label,
        "converted": label,
    }
    names = sorted(set(prepared.segment[rows]))
    tables = [_segment(happened, promised, prepared, rows, config, "all")]
    if len(names) > 1:
        for name in names:
            mine = prepared.segment[rows] == name
            part = {stage: values[mine] for stage, values in happened.items()}
            tables.append(_segment(part, promised, prepared, rows[mine], config, name))
    return pd.concat(tables, ignore_index=True)


def stage_probabilities(fitted: Fitted, prepared: Prepared) -> dict[str, np.ndarray]:
    """Return what ours promises for every stage, means over its networks, shape (n_rows,) per stage of `STAGES`."""
    heads = torch.sigmoid(predict(_network(fitted, prepared), torch.from_numpy(prepared.x)).double()).numpy()
    engage, given, without = np.moveaxis(heads, 2, 0)  # each (members, n_rows)
    plain = (1.0 - engage) * without if fitted.has_leak else np.zeros_like(engage)
    return {
        "exposed": np.ones(engage.shape[1]),
        "engaged": engage.mean(axis=0),
        "converted_engaged": (engage * given).mean(axis=0),
        "converted_plain": plain.mean(axis=0),
        "converted": (engage * given + plain).mean(axis=0),
    }


def selection_gap(fitted: Fitted, prepared: Prepared, config: DelayConfig) -> pd.DataFrame:
    """Score a model that learned from engaged exposures alone on all of them, beside the entire space.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : DelayConfig

    Returns
    -------
    DataFrame
        ``model`` (entire_space, engaged_only), ``population`` (all or engaged exposures from the snapshot day on),
        ``metric`` (see `CHECKED`), ``value`` with interval, and ``n`` units. No row where fewer than 20 engaged
        exposures could be learned from or the test has none.

    Notes
    -----
    *engaged_only* is the usual conversion model after the click: one head, same trunk, steps, starts and weights, but
    trained on engaged rows alone, so that it says P(converts | engaged, x). Over all exposures that promises too
    much wherever engagement tells something: the sample-selection bias that the entire space avoids. On engaged
    exposures it is at home, and the entire space, which does not know of the engagement, is not.
    """
    columns = ["model", "population", "metric", "value", "ci_low", "ci_high", "n"]
    rows = np.flatnonzero(prepared.test)
    engaged = prepared.state[rows] > 0
    stream = fitted.streams[OURS]
    mine = prepared.state[stream.exposure] > 0
    if mine.sum() < _MIN_ENGAGED or not engaged.any() or not stream.positive[mine].sum() > 0:
        return pd.DataFrame(columns=columns)
    learned = Rows(exposure=stream.exposure[mine], positive=stream.positive[mine], negative=stream.negative[mine])
    members = {
        "entire_space": fitted.members[OURS][:, rows],
        "engaged_only": _engaged_only(learned, prepared, config)[:, rows],
    }
    panel = Panel(
        "test",
        label=prepared.label[rows],
        unit=prepared.unit[rows],
        members=members,
        segments={"all": np.ones(rows.size, dtype=bool), "engaged": engaged},
    )
    found = panel.measure(resamples=config.resamples, rng=generator(config.seed, "funnel", "gap")).rows()
    table = pd.DataFrame(found).rename(columns={"method": "model", "segment": "population"})
    return table.loc[table["metric"].isin(CHECKED), columns].reset_index(drop=True)


def _network(fitted: Fitted, prepared: Prepared) -> StackedNetwork:
    """Build the networks of ours from their stored weights."""
    stored = {name.removeprefix(f"{OURS}."): v for name, v in fitted.model.items() if name.startswith(f"{OURS}.")}
    members, inputs, hidden = stored["weights.0"].shape
    network = StackedNetwork(inputs, hidden=hidden, outputs=3, members=members)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in stored.items()})
    return network


def _segment(
    happened: Mapping[str, np.ndarray],
    promised: Mapping[str, np.ndarray],
    prepared: Prepared,
    rows: np.ndarray,
    config: DelayConfig,
    segment: str,
) -> pd.DataFrame:
    """Return the five rows of a segment."""
    observed = np.column_stack([happened[stage] for stage in STAGES])
    predicted = np.column_stack([promised[stage][rows] for stage in STAGES])

    def statistic(weight: np.ndarray) -> np.ndarray:
        seen, said = weight @ observed, weight @ predicted
        ratio = np.divide(said, seen, out=np.full(seen.size, np.nan), where=seen > 0)
        return np.concatenate((seen / weight.sum(), ratio)) if weight.any() else np.full(2 * seen.size, np.nan)

    rng = generator(config.seed, "funnel", segment)
    draws = bootstrap(statistic, prepared.unit[rows], n_resamples=config.resamples, rng=rng)
    low, high = (np.split(end, 2) for end in percentile_interval(draws))
    point = np.split(statistic(np.ones(rows.size)), 2)
    columns: dict[str, Any] = {"n": rows.size, "units": np.unique(prepared.unit[rows]).size}
    columns |= {"observed": point[0], "ci_low": low[0], "ci_high": high[0], "predicted": predicted.mean(axis=0)}
    columns |= {"ratio": point[1], "ratio_low": low[1], "ratio_high": high[1]}
    return pd.DataFrame({"segment": segment, "stage": STAGES} | columns)


def _engaged_only(learned: Rows, prepared: Prepared, config: DelayConfig) -> np.ndarray:
    """Train P(converts | engaged, x) and return what it says of every exposure, shape (members, n_rows)."""
    share = float(learned.positive.sum() / (learned.positive.sum() + learned.negative.sum()))

    def loss_of(heads: torch.Tensor, batch: Batch) -> torch.Tensor:
        return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)

    x = torch.from_numpy(prepared.x)
    with torch_seed(config.seed, "delay", "methods"):
        network = StackedNetwork(x.shape[1], hidden=config.hidden, outputs=1, members=config.members)
        network.start_at(torch.full((config.members, 1), share))
        optimise(
            network,
            (x,),
            {"engaged only": learned},
            loss_of,
            config=config,
            stage="engaged exposures only",
            progress=Progress(None),
        )
    said: np.ndarray = torch.sigmoid(predict(network, x).squeeze(2).double()).numpy()
    return said
