"""Every method of the benchmark: where it is, what it needs, what it is judged by."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from engine.errors import ConfigError
from engine.graph.config import Form, GraphConfig
from engine.graph.data import Prepared
from engine.graph.scoring import Scorer

DIMENSION = 64
"""Length of a vector per role; methods with one vector per node get twice as much."""

Scope = Literal["ranking", "areas", "direction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method."""

    name: str
    label: str
    module: str
    """Where its code is; the stored results of a method hold as long as this code does not change."""
    scope: Scope = "ranking"
    """Everything; or the areas under the curve alone; or the one for direction alone."""
    package: str | None = None
    """Module that it needs on top of the product."""
    requirement: str = ""
    """Name to install it by."""
    is_ours: bool = False


_BASELINES, _TRAIN = "engine.graph.baselines", "engine.graph.train"
_ALL = (
    Method(name="dual", label="Dual embeddings (ours)", module=_TRAIN, is_ours=True),
    Method(name="paper", label="Paper's literal form", module=_TRAIN, is_ours=True),
    Method(name="popularity", label="In-degree popularity", module=_BASELINES),
    Method(name="degree_head", label="Degrees only", module=_BASELINES, scope="direction"),
    Method(name="cocitation", label="Co-citation", module=_BASELINES),
    Method(name="hope", label="HOPE", module=_BASELINES),
    Method(name="strap", label="STRAP-like", module="engine.benchmark.strap"),
    Method(
        name="als", label="ALS", module="engine.benchmark.factors", package="implicit", requirement="implicit==0.7.3"
    ),
    Method(
        name="bpr", label="BPR", module="engine.benchmark.factors", package="implicit", requirement="implicit==0.7.3"
    ),
    Method(name="gae", label="GAE, one embedding", module="engine.benchmark.gae"),
    Method(name="gae_published", label="GAE, one embedding, loss as published", module="engine.benchmark.gae"),
    Method(name="digae", label="DiGAE", module="engine.benchmark.digae"),
    Method(name="digae_published", label="DiGAE, loss as published", module="engine.benchmark.digae"),
    Method(name="sdgae", label="SDGAE", module="engine.benchmark.digae"),
    Method(name="sdgae_published", label="SDGAE, loss as published", module="engine.benchmark.digae"),
    Method(
        name="dirgnn",
        label="Dir-GNN",
        module="engine.benchmark.dirgnn",
        package="torch_geometric",
        requirement="torch-geometric==2.8.1",
    ),
    Method(name="magnet", label="MagNet", module="engine.benchmark.magnet", scope="areas"),
)
METHODS: dict[str, Method] = {method.name: method for method in _ALL}


def chosen_methods(names: Sequence[str]) -> list[Method]:
    """Return methods by name, in the order of `METHODS`; all of them for no name.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of Method

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    for name in names:
        if name not in METHODS:
            raise ConfigError(f"'--methods {name}' is unknown; allowed are {', '.join(METHODS)}.")
    return [method for method in METHODS.values() if not names or method.name in names]


def missing_packages(methods: Sequence[Method]) -> dict[str, list[str]]:
    """Return what is not installed: requirement to the labels of the methods that need it."""
    missing: dict[str, list[str]] = {}
    for method in methods:
        if method.package is not None and find_spec(method.package) is None:
            missing.setdefault(method.requirement, []).append(method.label)
    return missing


def fit_method(method: Method, prepared: Prepared, *, seed: int) -> Scorer:
    """Fit one method on the training part of a split.

    Parameters
    ----------
    method : Method
    prepared : Prepared
        Its test edges are not read.
    seed : int

    Returns
    -------
    Scorer
    """
    module = importlib.import_module(method.module)
    if method.is_ours:
        form: Form = "paper" if method.name == "paper" else "default"
        methods = tuple(dict.fromkeys(("paper" if form == "paper" else "dual", method.name)))
        config = GraphConfig(seed=seed, dimension=DIMENSION, form=form, methods=methods)
        scorer: Scorer = module.fit(prepared, config).scorers[method.name]
    elif method.module == _BASELINES:
        scorer = module.fit_baseline(method.name, prepared.training, dimension=DIMENSION, seed=seed)
    else:
        scorer = getattr(module, f"fit_{method.name}")(prepared.training, dimension=DIMENSION, seed=seed)
    return scorer
