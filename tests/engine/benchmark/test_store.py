"""Stored results: what makes them hold, and what makes them void."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.measure import ANSWER_COLUMNS, Measured
from engine.benchmark.methods import METHODS
from engine.benchmark.store import Store, code_hash, split_hash


@pytest.fixture
def measured() -> Measured:
    """Return a result of three test edges."""
    return Measured(pd.DataFrame(np.arange(18.0).reshape(3, 6), columns=list(ANSWER_COLUMNS)), 1.5, 20.25)


def test_a_result_comes_back_as_it_was(tmp_path, measured):
    store = Store(tmp_path / "parts")
    path = store.path(METHODS["hope"], "abc", "graph", 0)
    assert store.read(path) is None
    store.write(path, measured)
    again = store.read(path)
    pd.testing.assert_frame_equal(again.answers, measured.answers)
    assert (again.seconds, again.megabytes) == (1.5, 20.25)
    assert [file.name for file in (tmp_path / "parts").iterdir()] == [path.name]


def test_another_split_data_or_method_has_another_file(tmp_path):
    store, hope = Store(tmp_path), METHODS["hope"]
    paths = {
        store.path(hope, "abc", "graph", 0),
        store.path(hope, "abd", "graph", 0),
        store.path(hope, "abc", "graph", 1),
        store.path(hope, "abc", "other", 0),
        store.path(METHODS["strap"], "abc", "graph", 0),
    }
    assert len(paths) == 5


def test_a_file_of_the_user_with_slashes_in_its_name_stays_in_the_folder(tmp_path):
    assert Store(tmp_path).path(METHODS["hope"], "abc", "../a b.csv", 0).parent == tmp_path


def test_the_hash_of_a_split_follows_every_part_of_it(prepared):
    training, heldout = prepared.training, prepared.heldout
    changed = [
        dataclasses.replace(prepared, training=dataclasses.replace(training, edge_index=training.edge_index[:, 1:])),
        dataclasses.replace(
            prepared,
            training=dataclasses.replace(training, validation_edge_index=training.validation_edge_index[:, 1:]),
        ),
        dataclasses.replace(prepared, training=dataclasses.replace(training, features=None)),
        *(
            dataclasses.replace(prepared, heldout=dataclasses.replace(heldout, **{name: getattr(heldout, name)[::-1]}))
            for name in ("edge_index", "non_edge_index", "degree_corrected_index")
        ),
    ]
    hashes = [split_hash(one) for one in (prepared, *changed)]
    assert split_hash(dataclasses.replace(prepared)) == hashes[0]
    assert len(set(hashes)) == len(hashes) - (training.features is None)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that writes a module of a package made for this test."""
    folder = tmp_path / "madeup"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name, text: (folder / f"{name}.py").write_text(text)
    for name in [name for name in sys.modules if name.partition(".")[0] == "madeup"]:
        del sys.modules[name]


def test_the_hash_of_code_follows_what_it_imports_but_not_what_it_says_of_itself(package):
    package("inner", "def g():\n    return 1\n")
    package("outer", "from madeup.inner import g\n\n\ndef f():\n    return g()\n")
    package("other", "x = 1\n")
    before = code_hash("madeup.outer")
    package("outer", '"""Say."""\nfrom madeup.inner import g\n\n\ndef f():\n    """Say."""\n    # so\n    return g()\n')
    package("other", "x = 2\n")
    assert code_hash("madeup.outer") == before
    package("inner", "def g():\n    return 2\n")
    assert code_hash("madeup.outer") != before
