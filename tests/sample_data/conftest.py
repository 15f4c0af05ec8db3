"""The scripts of `sample_data/build` import each other by bare name, as scripts do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "sample_data"
BUILD = SAMPLE_DATA / "build"


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """Import a build script by its bare name; none of them stays imported."""
    names = {path.stem for path in BUILD.glob("*.py")}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BUILD))
        yield importlib.import_module
    for name in names & set(sys.modules):
        del sys.modules[name]
