"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STANDARD = tuple(sys.stdlib_module_names)
SUBSYSTEMS = ("graph", "delay", "uncertainty")
ORDER = ("config", "data", "model", "train", "evaluate", "run")
"""Inside a subsystem each of these may import those before it."""
SHARED = ("errors", "seeding", "distributed", "schema", "raw_text", "delimited", "stripped", "tables", "first_bad")
SHARED += ("partial", "checkpoint", "checkpoint_files", "result", "runs", "claims", "metrics")
"""What a subsystem may import outside itself."""
VIEW_IMPORTS = ("dashboard.controls", "dashboard.cache", "dashboard.state", "dashboard.layout", "dashboard.glossary")
ENGINE_CALLERS = ("controls", "cache", "jobs")
"""Modules of the dashboard that may call the engine beyond its figures."""


def imports(source: str, module: str) -> Iterator[str]:
    """Yield what a module imports, wherever in it, as dotted names with what is taken from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of some packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def dependency_faults(module: str, source: str) -> list[str]:
    """Return every import of a module that the dependency rules forbid."""
    return [
        f"{module} imports {name}: {rule}"
        for name in imports(source, module)
        for rule in (_engine_rule(module, name), _subsystem_rule(module, name), _dashboard_rule(module, name))
        if rule
    ]


def _engine_rule(module: str, name: str) -> str | None:
    """Rules of the engine as a whole, of its figures and of its metrics."""
    if not within(module, "engine"):
        return None
    if within(name, "streamlit", "dashboard"):
        return "the engine knows no user interface"
    if within(module, "engine.figures"):
        allowed = ("engine.figures", "pandas", "numpy", "plotly", "altair")
        return None if within(name, *allowed, *STANDARD) else "figures draw tables and know nothing else"
    if within(name, "plotly", "altair", "engine.figures"):
        return "only figures draw"
    if within(name, "engine.benchmark") and not within(module, "engine.benchmark"):
        return "nothing knows the benchmark"
    if within(module, "engine.metrics") and not within(name, "engine.metrics", "engine.errors", "numpy", *STANDARD):
        return "metrics are NumPy only"
    return None


def _subsystem_rule(module: str, name: str) -> str | None:
    """Rules between and inside the three subsystems, and of what lies below them."""
    parts, target = module.split("."), name.split(".")
    if parts[0] != "engine" or target[0] != "engine" or len(target) < 2:
        return None
    if len(parts) > 1 and parts[1] in SUBSYSTEMS:
        if target[1] != parts[1]:
            return None if target[1] in SHARED else "a subsystem knows only what is shared"
        if len(parts) > 2 and len(target) > 2 and parts[2] in ORDER and target[2] in ORDER:
            return None if ORDER.index(target[2]) < ORDER.index(parts[2]) else f"order is {' <- '.join(ORDER)}"
        return None
    if len(parts) > 1 and parts[1] in SHARED and target[1] not in SHARED:
        return "what is shared knows no subsystem and no command line"
    return None


def _dashboard_rule(module: str, name: str) -> str | None:
    """Rules of the dashboard: views draw, few modules call the engine."""
    parts = module.split(".")
    if parts[0] != "dashboard":
        return None
    if within(name, "engine.benchmark"):
        return "nothing knows the benchmark"
    if parts[1:2] == ["views"]:
        allowed = ("streamlit", "engine.figures", "dashboard.views", *VIEW_IMPORTS, *STANDARD)
        plain = name in {f"dashboard.{tail}" for tail in ("controls", "cache", "state", "layout", "glossary")}
        return None if plain or within(name, *allowed) else "views draw what controls hand them"
    if within(name, "dashboard.views") and parts[1:2] != ["app"]:
        return "only the entry knows the views"
    if within(name, "torch"):
        return "pages never train in their own process"
    called = within(name, "engine") and not within(name, "engine.figures", "engine.errors")
    if called and parts[1] not in ENGINE_CALLERS:
        return f"only {', '.join(ENGINE_CALLERS)} call the engine"
    return None


def test_every_import_follows_the_dependency_rules(sources):
    modules = sources("engine", "dashboard")
    assert [fault for module, text in modules.items() for fault in dependency_faults(module, text)] == []


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("engine.graph.data", "import streamlit as st", "user interface"),
        ("engine.tables", "from dashboard import layout", "user interface"),
        ("engine.graph.evaluate", "def f():\n    import plotly.express as px", "only figures draw"),
        ("engine.cli", "from altair import Chart", "only figures draw"),
        ("engine.graph.run", "from engine.benchmark.strap import fit_strap", "nothing knows the benchmark"),
        ("engine.cli", "def f():\n    import engine.benchmark.command", "nothing knows the benchmark"),
        ("dashboard.controls.graph", "from engine.benchmark.table import markdown", "nothing knows the benchmark"),
        ("engine.delay.run", "from engine.figures.theme import OURS", "only figures draw"),
        ("engine.figures.graph", "import torch", "figures draw tables"),
        ("engine.figures.graph", "import streamlit", "user interface"),
        ("engine.figures.graph", "from engine.claims import CLAIMS", "figures draw tables"),
        ("engine.figures.graph", "from engine.graph.config import METHODS", "figures draw tables"),
        ("engine.metrics.ranking", "import pandas as pd", "NumPy only"),
        ("engine.metrics.ranking", "from sklearn.metrics import roc_auc_score", "NumPy only"),
        ("engine.metrics.ranking", "from engine.result import metric_row", "NumPy only"),
        ("engine.graph.train", "from engine.delay.config import DelayConfig", "only what is shared"),
        ("engine.delay.data", "import engine.uncertainty.grid", "only what is shared"),
        ("engine.delay.data", "from ..graph import data", "only what is shared"),
        ("engine.graph.run", "from engine.cli import main", "only what is shared"),
        ("engine.graph.data", "from engine.datasets import load", "only what is shared"),
        ("engine.graph.config", "from engine.graph.data import load", "order is"),
        ("engine.graph.model", "from engine.graph.train import fit", "order is"),
        ("engine.graph.data", "from .run import run", "order is"),
        ("engine.uncertainty.evaluate", "from engine.uncertainty import run", "order is"),
        ("engine.result", "from engine.graph.config import GraphConfig", "knows no subsystem"),
        ("engine.tables", "from engine.cli import main", "knows no subsystem"),
        ("engine.metrics.ranking", "import engine.graph.data", "NumPy only"),
        ("dashboard.views.graph", "import torch", "views draw"),
        ("dashboard.views.graph", "import plotly.graph_objects as go", "views draw"),
        ("dashboard.views.graph", "import pandas as pd", "views draw"),
        ("dashboard.views.graph", "import numpy as np", "views draw"),
        ("dashboard.views.graph", "from dashboard import jobs", "views draw"),
        ("dashboard.views.graph", "from engine.runs import read_run", "views draw"),
        ("dashboard.layout", "from engine.runs import Run", "call the engine"),
        ("dashboard.glossary", "import engine.claims", "call the engine"),
        ("dashboard.controls.graph", "import torch", "never train"),
        ("dashboard.cache", "from dashboard.views import graph", "only the entry"),
    ],
)
def test_a_planted_import_is_caught(module, line, rule):
    faults = dependency_faults(module, f'"""A module."""\n{line}\n')
    assert faults and any(rule in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("engine.graph.run", "from engine.graph.evaluate import evaluate"),
        ("engine.graph.sampling", "from engine.graph.data import Prepared"),
        ("engine.graph.data", "from engine.schema import Column"),
        ("engine.benchmark.strap", "from engine.graph.data import TrainingGraph"),
        ("engine.benchmark.run", "from engine.benchmark.store import Store"),
        ("engine.metrics.ranking", "import numpy as np\nimport warnings\nfrom engine.errors import DataError"),
        ("engine.figures.graph", "import plotly.graph_objects as go\nfrom engine.figures.theme import OURS"),
        ("engine.cli", "from engine.datasets import load"),
        ("dashboard.views.graph", "import streamlit as st\nfrom dashboard import controls, layout"),
        ("dashboard.views.graph", "from dashboard.controls import graph\nfrom engine.figures.graph import network"),
        ("dashboard.controls.graph", "from engine.graph.explore import neighbours"),
        ("dashboard.app", "from dashboard.views import graph\nfrom engine.errors import EngineError"),
    ],
)
def test_an_allowed_import_is_let_through(module, line):
    assert dependency_faults(module, f'"""A module."""\n{line}\n') == []


def loaded_after(statement: str) -> set[str]:
    """Return the top-level packages that a fresh process has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_the_engine_loads_no_user_interface_no_drawing_and_nothing_that_trains(sources):
    names = [name for name in sources("engine") if name.count(".") <= 1 and name != "engine.figures"]
    loaded = loaded_after("; ".join(f"import {name}" for name in names if not name.endswith("__main__")))
    assert "pandas" in loaded
    assert loaded & {"streamlit", "plotly", "altair", "torch", "sklearn", "scipy"} == set()


def test_the_dashboard_loads_nothing_that_trains(sources):
    names = [name for name in sources("dashboard") if name != "dashboard.app"]
    loaded = loaded_after("; ".join(f"import {name}" for name in names))
    assert "streamlit" in loaded
    assert loaded & {"torch", "sklearn", "scipy", "statsmodels"} == set()
