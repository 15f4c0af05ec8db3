"""One task of the benchmark of scale, in a process of its own: its answer as files, its time and memory as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from engine.benchmark.scale_subject import OURS, Task
from engine.benchmark.scaling import peak_gib
from engine.errors import EngineError


def main(words: Sequence[str]) -> None:
    """Do one task and print what it took.

    Parameters
    ----------
    words : sequence of str
        Module of the subject, tool, step, folder of the data, folder of the answer.
    """
    module, tool, step, folder, answers = words
    subject = importlib.import_module(module).SUBJECT
    (task,) = (task for task in subject.tasks if (task.tool, task.step) == (tool, step))
    try:
        record = work(task, Path(folder), Path(answers))
    except EngineError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(record | {"version": "" if tool == OURS else version(tool)}))


def work(task: Task, folder: Path, answers: Path) -> dict[str, float]:
    """Do a task and keep its answer.

    Parameters
    ----------
    task : Task
        One with a `work`.
    folder, answers : Path
        Of the data, and where the tables of the answer go.

    Returns
    -------
    dict of str to float
        ``seconds`` from files to answer, ``cpu_seconds`` of the processor over all threads, and ``peak_gib``,
        libraries included.
    """
    if task.work is None:
        raise ValueError(f"{task.tool} works in a place of its own.")
    for name in task.needs:
        importlib.import_module(name)
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = task.work(folder)
    record = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - started_cpu,
        "peak_gib": peak_gib(),
    }
    for name, table in answer.items():
        table.to_parquet(answers / f"{name}.parquet", index=False)
    return record


if __name__ == "__main__":
    main(sys.argv[1:])
