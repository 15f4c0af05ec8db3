"""Space around text, against Python's own."""

from __future__ import annotations

import ibis
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from engine.stripped import stripped

SPACE = " \t\n\r\v\f"
texts = st.text(st.sampled_from(SPACE + "aZ09!_-.é\x01\x1f~日"), max_size=6)


@given(st.lists(st.none() | texts, min_size=1, max_size=8))
@example([None, "", " ", "\t a \n", "a\x01", "!", " !", "é\v"])
def test_text_is_stripped_as_python_strips_it(cells):
    table = ibis.memtable(pa.table({"text": pa.array(cells, pa.string())}))
    found = table.select(text=stripped(table.text)).to_pyarrow()["text"].to_pylist()
    assert found == [None if cell is None else cell.strip(SPACE) for cell in cells]
