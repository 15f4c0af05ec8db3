"""The entry: safe settings, all pages, no heavy imports, and one page's trouble is no other's."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.cache import ROOT

StoreRun = Callable[..., Path]
APP = str(ROOT / "dashboard" / "app.py")


def test_the_shipped_settings_are_the_safe_ones() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["server"]["enableCORS"] is True
    assert config["server"]["enableStaticServing"] is False
    assert config["server"]["maxUploadSize"] <= 50
    assert config["server"]["maxMessageSize"] <= 50
    assert config["server"]["maxCacheDataSize"] == "512mb"
    assert config["client"] == {"showErrorDetails": "type", "showErrorLinks": False, "toolbarMode": "viewer"}
    assert config["browser"]["gatherUsageStats"] is False
    assert {"light", "dark"} <= set(config["theme"])


def test_no_setting_and_no_page_names_an_address_outside() -> None:
    sources = [ROOT / ".streamlit" / "config.toml", *(ROOT / "dashboard").rglob("*.py")]
    found = [str(path) for path in sources if "http://" in path.read_text() or "https://" in path.read_text()]
    assert found == []


def test_the_overview_opens_on_stored_runs(store_run: StoreRun) -> None:
    for kind in ("graph", "delay", "uncertainty"):
        store_run(f"{kind}-one", kind)
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Three questions every recommender must answer"


@pytest.mark.parametrize("page", ["overview", "graph", "delay", "uncertainty", "runs"])
def test_a_page_on_shipped_runs_imports_no_model_and_no_solver(page: str, tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from streamlit.testing.v1 import AppTest
app = AppTest.from_string("from dashboard.views import {page}\\n{page}.render()", default_timeout=60).run()
assert not app.exception and not app.error, (app.exception, app.error)
unwanted = {{"torch", "scipy", "sklearn", "ibis", "duckdb", "networkx"}} & set(sys.modules)
print(len(app.get("plotly_chart")) + len(app.dataframe) > 0, *sorted(unwanted))
"""
    environment = {"RECOMMENDER_LENS_RUNS": str(tmp_path), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize("kind", ["graph", "delay", "uncertainty"])
def test_every_kind_has_a_page_and_the_training_page_comes_last(runs: Path, kind: str) -> None:
    app = AppTest.from_file(APP, default_timeout=60).run()
    pages = app.session_state["pages"]
    assert list(pages) == ["overview", "graph", "delay", "uncertainty", "data", "train"]
    assert pages[kind].url_path == kind
