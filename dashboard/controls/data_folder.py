"""The folder on the server whose files readers may name, and no way out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigError

VARIABLE = "RECOMMENDER_LENS_DATA"
ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
"""Files that are offered. A DuckDB file is not: a view in it may read files elsewhere."""
MOST_LISTED = 500
MOST_VISITED = 5_000
"""Files and folders that are looked at for the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file, or one folder of Parquet files."""

    name: str
    """Path inside the data folder, with slashes; that of a folder ends in one."""
    bytes: int


def root() -> Path | None:
    """Return the data folder, or None if none is set or it is not there."""
    named = os.environ.get(VARIABLE, "").strip()
    folder = Path(named).expanduser() if named else None
    return folder.resolve() if folder is not None and folder.is_dir() else None


def listing(folder: Path) -> tuple[list[Listed], bool]:
    """List what can be read in the data folder.

    Parameters
    ----------
    folder : Path
        What `root` returned.

    Returns
    -------
    list of Listed
        By name, at most `MOST_LISTED`.
    bool
        Whether there is more.
    """
    found: list[Listed] = []
    for visited, entry in enumerate(_entries(folder)):
        if len(found) > MOST_LISTED or visited >= MOST_VISITED:
            return sorted(found[:MOST_LISTED], key=lambda listed: listed.name), True
        found += [entry] if entry is not None else []
    return sorted(found, key=lambda listed: listed.name), False


def _entries(folder: Path) -> Iterator[Listed | None]:
    """Walk through a folder without following links; None stands for what is not offered."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(place)
        sizes = {name: size for name in sorted(files) if (size := _size(here / name)) is not None}
        for name in files:
            yield (
                Listed(name=(here / name).relative_to(folder).as_posix(), bytes=sizes[name]) if name in sizes else None
            )
        parts = [size for name, size in sizes.items() if name.lower().endswith(".parquet")]
        if len(parts) < 2 or here == folder:
            yield None
        else:
            yield Listed(name=f"{here.relative_to(folder).as_posix()}/", bytes=sum(parts))


def _size(path: Path) -> int | None:
    """Return the bytes of a file that is offered; links are not, they may lead out."""
    if path.name.startswith(".") or not path.name.lower().endswith(ENDINGS) or path.is_symlink():
        return None
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def shown(word: str) -> str:
    """Write a path below the data folder so that it says nothing about the machine; any other word stays."""
    folder = root()
    if folder is None or not word.startswith(f"{folder}{os.sep}"):
        return word
    return f"${VARIABLE}/{Path(word).relative_to(folder).as_posix()}"


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a reader names, and refuse whatever is not in the data folder.

    Parameters
    ----------
    folder : Path
        What `root` returned.
    name : str
        As typed, or chosen from the list.

    Returns
    -------
    Path
        With no link in it.

    Raises
    ------
    ConfigError
        If the name leads out of the folder, is not there, or is no file of `ENDINGS` or folder of Parquet files.
    """
    plain = name.strip()
    if not plain or "\0" in plain or Path(plain).is_absolute() or ".." in Path(plain).parts:
        raise ConfigError(
            f"'{plain}' does not lie in the data folder; name a file below it, without '..' or a leading /."
        )
    try:
        path = (folder / plain).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        path = None
    # Whoever asks for a link that leads out learns no more than that there is no such file.
    if path is None or not path.is_relative_to(folder) or path == folder:
        raise ConfigError(f"There is no file '{plain}' in the data folder; choose one from the list.")
    if path.is_dir():
        _check_parts(folder, path, plain)
    elif not path.is_file() or not path.name.lower().endswith(ENDINGS):
        raise ConfigError(
            f"'{plain}' cannot be read here; allowed are {', '.join(ENDINGS)} and folders of Parquet files."
        )
    return path


def _check_parts(folder: Path, path: Path, name: str) -> None:
    """Refuse a folder without Parquet files, or with one that is a link out of the data folder."""
    parts = list(path.rglob("*.parquet"))
    if not parts:
        raise ConfigError(f"Folder '{name}' holds no .parquet file; name another one, or a file.")
    for part in parts:
        if not part.resolve().is_relative_to(folder):
            raise ConfigError(f"Folder '{name}' holds a link that leads out of the data folder; name another one.")
