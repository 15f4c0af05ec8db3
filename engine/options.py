"""Settings from text: `key=value` pairs and TOML files become frozen configuration objects."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import itertools
import textwrap
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import ConfigError

T = TypeVar("T")
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def parse_pairs(pairs: Sequence[str], *, option: str) -> dict[str, str]:
    """Split ``key=value`` words.

    Parameters
    ----------
    pairs : sequence of str
    option : str
        Name of the option for messages.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ConfigError
        If a word has no ``=``, an empty side, or repeats a key.

    Examples
    --------
    >>> parse_pairs(["epochs=5"], option="--set")
    {'epochs': '5'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise ConfigError(f"'{option} {pair}' is not of the form name=value; write for example {option} a=b.")
        if key.strip() in found:
            raise ConfigError(f"'{option}' names '{key.strip()}' twice; give it once.")
        found[key.strip()] = value.strip()
    return found


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file of settings.

    Raises
    ------
    ConfigError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"'--config {path}' cannot be read ({error.strerror}); check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"'--config {path}' is not TOML ({error}); write lines such as epochs = 50.") from error


def build_config(cls: type[T], values: Mapping[str, Any]) -> T:
    """Make a configuration object from texts or TOML values.

    Parameters
    ----------
    cls : type
        A frozen dataclass whose fields are numbers, texts, booleans, tuples of these, or options.
    values : mapping of str to Any
        Field name to value; a text is read by the field's type.

    Returns
    -------
    object of type `cls`

    Raises
    ------
    ConfigError
        If a name is no field (the nearest one is suggested) or a value does not fit the field's type; range
        checks are the class's own.
    """
    hints = typing.get_type_hints(cls)
    names = [item.name for item in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise ConfigError(f"Setting '{key}' is unknown; {hint}allowed are {', '.join(names)}.")
    return cls(**{key: _convert(key, value, hints[key]) for key, value in values.items()})


def _convert(key: str, value: Any, hint: Any) -> Any:
    """Read one value by the type of its field."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None or (isinstance(value, str) and value.lower() in ("none", "auto", "")):
            return None
        return _convert(key, value, next(item for item in arguments if item is not type(None)))
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"Setting '{key}' is '{value}'; allowed are {', '.join(map(str, arguments))}.")
        return value
    if origin is tuple:
        parts = _listed(value) if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(key, part.strip() if isinstance(part, str) else part, arguments[0]) for part in parts)
    return _scalar(key, value, hint)


def _listed(text: str) -> list[str]:
    """Split at commas; one behind the last value says nothing."""
    parts = text.split(",")
    return parts[:-1] if not parts[-1].strip() and parts[0].strip() else [] if parts == [""] else parts


def _scalar(key: str, value: Any, hint: type) -> Any:
    """Read one number, text or yes/no."""
    text = str(value).strip()
    if hint is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ConfigError(f"Setting '{key}' is '{value}'; allowed are true and false.")
    if hint is str:
        return text
    try:
        return hint(text)
    except ValueError as error:
        wanted = "a whole number" if hint is int else "a number"
        raise ConfigError(f"Setting '{key}' is '{value}'; allowed is {wanted}.") from error


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of a configuration, for help texts and forms."""

    name: str
    default: Any
    description: str
    choices: tuple[Any, ...] = ()
    """Allowed values of an option; empty for free values."""


def describe(cls: type) -> list[Setting]:
    """List the fields of a configuration class with their defaults and their trailing docstrings.

    Parameters
    ----------
    cls : type
        A frozen dataclass.

    Returns
    -------
    list of Setting
    """
    hints = typing.get_type_hints(cls)
    docs = _field_docs(cls)
    return [
        Setting(
            name=item.name,
            default=item.default,
            description=docs.get(item.name, ""),
            choices=typing.get_args(hints[item.name]) if typing.get_origin(hints[item.name]) is typing.Literal else (),
        )
        for item in dataclasses.fields(cls)
    ]


def _field_docs(cls: type) -> dict[str, str]:
    """Read the string below each field; Python keeps it in the source only."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    docs: dict[str, str] = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, below in itertools.pairwise(statements):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            docs[field.target.id] = " ".join(str(below.value.value).split())
    return docs
