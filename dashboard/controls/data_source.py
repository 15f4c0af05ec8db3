"""Where own data come from: an upload that only this session sees, or a file in the server's data folder."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import cache, uploads
from dashboard.controls import data_folder
from dashboard.controls.one_of import one_of
from dashboard.job_spec import reworded
from dashboard.layout import empty_state, error_box, escape_markdown
from dashboard.state import DATA
from engine.data_name import MOST_SIGNS, is_sign
from engine.datasets import BUNDLED
from engine.errors import ConfigError, EngineError

WAYS = {"upload": "Upload a file", "server": "A file on the server"}
HOLDER = "page"
KEPT_AS = "own-data"
"""What an upload is called on the disk; the name that the reader gave is only ever shown."""
_MEGABYTES = uploads.MOST_BYTES // 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of the reader's own."""

    path: str
    called: str
    """The reader's name for it: of the uploaded file, or the path inside the data folder."""
    bytes: int
    stamp: str
    """Other content, other stamp; part of the keys of what is chosen for it."""
    is_upload: bool

    def reworded(self, text: str) -> str:
        """Put the reader's name for the file where a message has ours."""
        return reworded(text, Path(self.path), self.called)


def choose() -> Source | None:
    """Let the reader give a file; None until there is one."""
    way = one_of("Where are your data?", WAYS, DATA["way"], is_kept=True)
    source = _uploaded() if way == "upload" else _on_server()
    if complaint := st.session_state.get(DATA["complaint"]):
        error_box(complaint)
    return source


def _uploaded() -> Source | None:
    """Offer the upload, or show what was uploaded before another page was opened."""
    file = st.file_uploader(
        f"CSV or TSV (also gzipped), or Parquet; at most {_MEGABYTES} MB",
        type=["csv", "tsv", "gz", "parquet"],
        key=DATA["file"],
        on_change=_take,
        # What the widget says; what counts is checked when the file is kept.
        max_upload_size=_MEGABYTES,
    )
    st.caption("Excel: save the sheet as CSV. Larger: name a file on the server, or use the command line.")
    source: Source | None = st.session_state.get(DATA["upload"])
    if source is None:
        return None
    if not Path(source.path).exists():
        drop()
        error_box("The file is no longer kept, because nobody looked at it for hours; give it again.")
        return None
    uploads.hold(Path(source.path), HOLDER)
    if file is None:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f":material/draft: **{escape_markdown(source.called)}** · {size_text(source.bytes)}")
            st.button("Remove", icon=":material/close:", on_click=drop, width="content", key="data-remove")
    return source


def _take() -> None:
    """Keep what was just uploaded in place of what was kept before."""
    drop()
    file = st.session_state.get(DATA["file"])
    if file is None:
        return
    try:
        st.session_state[DATA["upload"]] = keep(file)
    except EngineError as error:
        st.session_state[DATA["complaint"]] = str(error)


def keep(file: Any) -> Source:
    """Keep an uploaded file for this session, and no longer.

    Parameters
    ----------
    file : UploadedFile
        Nothing of it is parsed, and its name becomes no path.

    Returns
    -------
    Source

    Raises
    ------
    ConfigError
        If its ending is none that is read, it is too large, or cannot be kept.
    """
    name = file.name.replace("\\", "/").rpartition("/")[2]
    endings = [ending for ending in data_folder.ENDINGS if name.lower().endswith(ending)]
    if not endings:
        raise ConfigError(f"'{name[-60:]}' cannot be read here; allowed are {', '.join(data_folder.ENDINGS)}.")
    path = uploads.keep(file.getbuffer(), name=f"{KEPT_AS}{endings[-1]}")
    uploads.hold(path, HOLDER)
    cache.until_session_ends(str(path), partial(uploads.release, path, HOLDER))
    return Source(path=str(path), called=name, bytes=file.size, stamp=path.parent.name[:12], is_upload=True)


def drop() -> None:
    """Need the upload of this session no longer; it goes as soon as no job reads it."""
    st.session_state.pop(DATA["complaint"], None)
    source = st.session_state.pop(DATA["upload"], None)
    if source is not None:
        uploads.release(Path(source.path), HOLDER)


def _on_server() -> Source | None:
    """Offer the files of the data folder, if the server has one."""
    folder = data_folder.root()
    if folder is None:
        empty_state(
            "This server offers no folder of data. Whoever starts it can name one: "
            f"`{data_folder.VARIABLE}=/path/to/data python -m dashboard`. Files of any size are read where they are."
        )
        return None
    files, is_cut = data_folder.listing(folder)
    sizes = {listed.name: listed.bytes for listed in files}
    name = st.selectbox(
        "File in the data folder",
        list(sizes),
        index=None,
        key=DATA["path"],
        format_func=lambda name: f"{name} · {size_text(sizes[name])}" if name in sizes else str(name),
        placeholder="Choose, or type a path inside the folder" if sizes else "No file that can be read is in it yet",
        accept_new_options=True,
        persist_state="session",
    )
    if is_cut:
        st.caption(f"The list is cut after {data_folder.MOST_LISTED} files; type the path of any other.")
    return on_server(folder, name) if name else None


def on_server(folder: Path, name: str) -> Source | None:
    """Make a source of a file in the data folder, or say why it is none."""
    try:
        path = data_folder.inside(folder, name)
        found = path.stat()
    except (EngineError, OSError) as error:
        error_box(error if isinstance(error, EngineError) else f"'{name}' cannot be read ({error.strerror}).")
        return None
    parts = [part.stat().st_size for part in path.rglob("*.parquet")] if path.is_dir() else [found.st_size]
    stamp = hashlib.sha256(f"{path} {found.st_mtime_ns} {sum(parts)}".encode()).hexdigest()[:12]
    called = path.relative_to(folder).as_posix()
    return Source(path=str(path), called=called, bytes=sum(parts), stamp=stamp, is_upload=False)


def run_name(called: str) -> str:
    """Return the name that a run keeps of its data, as `checked_name` allows it; nothing if none is left."""
    text = "".join(sign for sign in " ".join(called.split()) if is_sign(sign)).strip()
    if len(text) > MOST_SIGNS:
        # The ending tells most; it stays.
        text = f"{text[: MOST_SIGNS - 21].rstrip()}…{text[-20:].lstrip()}"
    return "" if text in BUNDLED else text


def size_text(count: int) -> str:
    """Write a number of bytes with three digits at most."""
    power = 0 if count < 1000 else min(4, int(math.log10(count + 0.5) // 3))
    return f"{count / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
