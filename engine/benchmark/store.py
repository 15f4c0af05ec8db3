"""Results of a method on a split, kept so that an interrupted benchmark goes on where it stopped."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.benchmark.measure import ANSWER_COLUMNS, Measured
from engine.benchmark.methods import DIMENSION, Method
from engine.graph.data import Prepared

_COST = b"cost"
_UNSAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with one file per data, split, method and version of the code."""

    folder: Path

    def path(self, method: Method, split: str, data: str, seed: int) -> Path:
        """Return the file of one result; `split` is the `split_hash`."""
        version = hashlib.sha256(f"{split}/{code_hash(method.module)}/{DIMENSION}".encode()).hexdigest()[:16]
        return self.folder / f"{_UNSAFE.sub('-', data)}-{seed}-{method.name}-{version}.parquet"

    def read(self, path: Path) -> Measured | None:
        """Return a stored result, or None if there is none."""
        if not path.exists():
            return None
        table = pq.read_table(path)
        cost = json.loads(table.schema.metadata[_COST])
        return Measured(table.to_pandas()[list(ANSWER_COLUMNS)], cost["seconds"], cost["megabytes"])

    def write(self, path: Path, measured: Measured) -> None:
        """Keep a result; a reader never sees half a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pandas(measured.answers, preserve_index=False)
        cost = {"seconds": measured.seconds, "megabytes": measured.megabytes}
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(table.replace_schema_metadata({_COST: json.dumps(cost).encode()}), partial, compression="zstd")
        os.replace(partial, path)


def split_hash(prepared: Prepared) -> str:
    """Return a hash of all that a method and its judge may see of a split."""
    training, heldout = prepared.training, prepared.heldout
    digest = hashlib.sha256(str(training.num_nodes).encode())
    for edges in (
        training.edge_index,
        training.validation_edge_index,
        heldout.edge_index,
        heldout.non_edge_index,
        heldout.degree_corrected_index,
    ):
        digest.update(np.ascontiguousarray(edges).tobytes())
    if training.features is not None:
        matrix = training.features.matrix
        for part in (matrix.data, matrix.indices, matrix.indptr):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


def code_hash(module: str) -> str:
    """Return a hash of a module and of the modules of its own package that it imports, however far.

    Comments, layout and docstrings do not count.

    Parameters
    ----------
    module : str
        Dotted name.

    Returns
    -------
    str
    """
    package = module.rpartition(".")[0]
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        tree = ast.parse(_source(name))
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting += [name for name in imported if name.startswith(f"{package}.")]
        found[name] = ast.dump(_without_docstrings(tree))
    return hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()[:16]


def _source(module: str) -> str:
    """Return the text of a module."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    return Path(spec.origin).read_text(encoding="utf-8")


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Drop every statement that is a text alone."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                line
                for line in body
                if not (
                    isinstance(line, ast.Expr)
                    and isinstance(line.value, ast.Constant)
                    and isinstance(line.value.value, str)
                )
            ]
    return tree
