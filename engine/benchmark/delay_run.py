"""The delay benchmark: every method on every data set and seed, from what is stored where it can be."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from engine.benchmark.delay_judge import CELL_COLUMNS, Floats, Rows, judge
from engine.benchmark.delay_methods import METHODS
from engine.benchmark.delay_sources import Source, truth_of
from engine.benchmark.store import code_hash
from engine.delay.config import DelayConfig
from engine.delay.data import Dataset, Prepared, prepare
from engine.delay.streaming import replay
from engine.delay.train import Fitted, fit
from engine.delay.weight_tables import weight_rows
from engine.delay.weights import ess_share
from engine.result import EpochRecord
from engine.seeding import generator

RESAMPLES = 400
COSTS = ("ess_share", "clipped_share", "seconds")
SHARED = "shared"
"""Stands for the models of label arrival, which several methods use."""
_COST = b"cost"
_CODE = {"batch": "engine.delay.train", "stream": "engine.delay.streaming"}

OnStep = Callable[[str, int, str], None]
"""Receives the data set, the seed and the protocol, before it is measured or read."""


class Measure(Protocol):
    """Trains and judges all methods on one data set and seed."""

    def __call__(self, dataset: Dataset, config: DelayConfig, *, draw: int | None) -> Part:
        """Return what they give."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one seed of one data set gives."""

    cells: pd.DataFrame
    """Columns `engine.benchmark.delay_judge.CELL_COLUMNS`."""
    costs: pd.DataFrame
    """Columns ``method, metric, value``, metrics `COSTS`."""


@dataclass(slots=True)
class Clock:
    """Shares processor time among the methods that a block of optimiser steps has trained."""

    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.process_time)

    def __call__(self, record: EpochRecord) -> None:
        """Book the time since the last record; what is no method is `SHARED`."""
        now = time.process_time()
        names = [name if name in METHODS else SHARED for name in record.losses] or [SHARED]
        for name in names:
            self.seconds[name] = self.seconds.get(name, 0.0) + (now - self.last) / len(names)
        self.last = now


def benchmark(
    sources: Sequence[Source], *, seeds: int, protocols: Sequence[str], folder: Path, on_step: OnStep
) -> dict[str, list[Part]]:
    """Train and judge all methods.

    Parameters
    ----------
    sources : sequence of Source
    seeds : int, >= 1
        Seeds 0, 1, …: of the data where it is simulated; of held-out units and networks everywhere.
    protocols : sequence of str
        Of `PROTOCOLS`.
    folder : Path
        Holds one file per data set, seed and protocol; what is there for the same data, settings and code is not done
        again.
    on_step : callable

    Returns
    -------
    dict of str to list of Part
        Data set to its seeds, with all protocols in one part.
    """
    torch.set_num_threads(1)
    found = {}
    for source in sources:
        parts = []
        for seed in range(seeds):
            dataset, config = source.load(seed), source.config(seed)
            draw = seed if source.is_simulated else None
            by_protocol = []
            for protocol in protocols:
                on_step(source.name, seed, protocol)
                path = folder / _file_name(source.name, seed, protocol, dataset.info.data_id, config)
                part = _read(path)
                if part is None:
                    part = PROTOCOLS[protocol](dataset, config, draw=draw)
                    _write(path, part)
                by_protocol.append(part)
            tables = [(part.cells, part.costs) for part in by_protocol]
            cells, costs = (pd.concat(table, ignore_index=True) for table in zip(*tables, strict=True))
            parts.append(Part(cells=cells, costs=costs))
        found[source.name] = parts
    return found


def measure_batch(dataset: Dataset, config: DelayConfig, *, draw: int | None) -> Part:
    """Train all methods on one snapshot and judge them.

    Parameters
    ----------
    dataset : Dataset
    config : DelayConfig
    draw : int, optional
        Seed of the draws of units; None for the ones that all seeds of the same data share.

    Returns
    -------
    Part
        Splits ``test`` (exposures from the snapshot day on; all and by segment) and ``holdout`` (earlier ones of
        units kept out of training; all and by age on that day).
    """
    prepared = prepare(dataset, config)
    clock = Clock()
    fitted = fit(prepared, config, on_epoch=clock)
    counts = unit_counts(prepared.unit, draw)
    tables = [judge(rows, counts) for rows in _splits(fitted, prepared, truth_of(dataset, prepared))]
    return Part(cells=pd.concat(tables, ignore_index=True), costs=_costs(fitted, clock))


def measure_stream(dataset: Dataset, config: DelayConfig, *, draw: int | None) -> Part:
    """Train the methods as a stream, each step tested before it is trained on, and judge all tests together.

    Parameters
    ----------
    dataset, config, draw
        As of `measure_batch`.

    Returns
    -------
    Part
        Split ``stream``, without areas under curves, which are not means over steps; empty if the log is too short
        for a stream.
    """
    prepared = prepare(dataset, config)
    streamed = replay(dataset, prepared, config)
    cells = pd.DataFrame(columns=list(CELL_COLUMNS))
    if streamed.probability:
        place = streamed.exposure
        everything = {"all": np.ones(place.size, dtype=bool)}
        truth = truth_of(dataset, prepared)
        rows = _rows("stream", prepared, place, streamed.probability, everything, truth, is_ranked=False)
        cells = judge(rows, unit_counts(prepared.unit, draw))
    return Part(cells=cells, costs=pd.DataFrame(columns=["method", "metric", "value"]))


PROTOCOLS: dict[str, Measure] = {"batch": measure_batch, "stream": measure_stream}


def unit_counts(unit: np.ndarray, draw: int | None) -> Floats:
    """Draw units with replacement.

    Parameters
    ----------
    unit : ndarray of shape (n_rows,), int
        Codes 0, 1, …
    draw : int, optional
        See `measure`.

    Returns
    -------
    ndarray of shape (1 + RESAMPLES, n_units), float64
        The first row is the sample.
    """
    size = int(unit.max()) + 1
    rng = generator(0, "benchmark", "delay", "shared" if draw is None else str(draw))
    drawn = rng.multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    return np.concatenate([np.ones((1, size)), drawn])


def _splits(fitted: Fitted, prepared: Prepared, truth: np.ndarray | None) -> list[Rows]:
    """Return the rows of both splits of the snapshot."""
    later, earlier = np.flatnonzero(prepared.test), np.flatnonzero(prepared.holdout)
    by_segment = {"all": np.ones(later.size, dtype=bool)}
    names = sorted(set(prepared.segment[later]))
    if len(names) > 1:
        by_segment |= {f"segment:{name}": prepared.segment[later] == name for name in names}
    matured = prepared.matured[earlier]
    by_age = {"all": np.ones(earlier.size, dtype=bool), "age:immature": ~matured, "age:matured": matured}
    return [
        _rows("test", prepared, later, _cut(fitted, later), by_segment, truth),
        _rows("holdout", prepared, earlier, _cut(fitted, earlier), by_age, truth),
    ]


def _cut(fitted: Fitted, place: np.ndarray) -> dict[str, np.ndarray]:
    """Cut what every method says to some rows."""
    return {method: values[place] for method, values in fitted.probability.items()}


def _rows(
    split: str,
    prepared: Prepared,
    place: np.ndarray,
    probability: Mapping[str, np.ndarray],
    segments: Mapping[str, np.ndarray],
    truth: np.ndarray | None,
    *,
    is_ranked: bool = True,
) -> Rows:
    """Cut labels, units and truth to the rows of a split."""
    return Rows(
        split=split,
        label=prepared.label[place],
        unit=prepared.unit[place],
        probability=probability,
        segments=segments,
        truth=None if truth is None else truth[place],
        is_ranked=is_ranked,
    )


def _costs(fitted: Fitted, clock: Clock) -> pd.DataFrame:
    """Return what the weights cost in effective rows and in clipping, and the training in processor time."""
    rows = [(method, "seconds", seconds) for method, seconds in clock.seconds.items()]
    for method, stream in fitted.streams.items():
        table = weight_rows(stream, fitted.probability[method])
        weight = table.loc[table["label"] != "pending", "weight"].to_numpy()
        rows += [(method, "ess_share", ess_share(weight)), (method, "clipped_share", stream.clipped_share)]
    return pd.DataFrame(rows, columns=["method", "metric", "value"])


def _file_name(data: str, seed: int, protocol: str, data_id: str, config: DelayConfig) -> str:
    """Name the file of a part by all that it depends on."""
    code = [code_hash(_CODE[protocol]), code_hash(judge.__module__)]
    text = json.dumps([data_id, asdict(config), code, RESAMPLES], sort_keys=True)
    safe = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in data)
    return f"{safe}-{seed}-{protocol}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"


def _read(path: Path) -> Part | None:
    """Return a stored part, or None if there is none."""
    if not path.exists():
        return None
    table = pq.read_table(path)
    costs = pd.DataFrame(json.loads(table.schema.metadata[_COST]), columns=["method", "metric", "value"])
    return Part(cells=table.to_pandas()[list(CELL_COLUMNS)], costs=costs)


def _write(path: Path, part: Part) -> None:
    """Keep a part; a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(part.cells, preserve_index=False)
    costs = json.dumps(part.costs.to_numpy().tolist()).encode()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table.replace_schema_metadata({_COST: costs}), partial, compression="zstd")
    os.replace(partial, path)
