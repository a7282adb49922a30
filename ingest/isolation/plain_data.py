"""Dataclasses to plain JSON values and back, with every value checked on the way back.

Nothing but the annotated types comes out, so what an untrusted process sent cannot be anything else. Understood are
str, int, float, bool, `X | None`, `tuple[X, ...]`, `tuple[X, Y]`, `Mapping[str, X]`, literals and dataclasses of these.
"""

from __future__ import annotations

import math
import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

# What SQLite and JSON readers of every language take.
_LARGEST = 2**53


class NotPlain(ValueError):
    """A value that is not of the type it should have; says where."""


def to_plain(value: Any) -> Any:
    """A dataclass as values that `json` writes; fields that have their default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        plain = {}
        for field in fields(value):
            inner = getattr(value, field.name)
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if inner != default:
                plain[field.name] = to_plain(inner)
        return plain
    if isinstance(value, Mapping):
        return {key: to_plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(inner) for inner in value]
    return value


Kind = TypeVar("Kind")


def from_plain(kind: type[Kind], value: object) -> Kind:
    """The dataclass `kind` of a JSON value.

    Raises:
        NotPlain: a field is unknown, missing or of another type.
    """
    result: Kind = _built(kind, value, kind.__name__)
    return result


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _built(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value, where)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, where)
    if origin is Literal:
        if not isinstance(value, str | int) or value not in get_args(kind):
            raise NotPlain(f"{where} is none of the values it may have.")
        return value
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if origin in (Mapping, dict):
        if not isinstance(value, dict):
            raise NotPlain(f"{where} is no mapping.")
        _, inner = get_args(kind)
        return {_scalar(str, key, where): _built(inner, item, where) for key, item in value.items()}
    return _scalar(kind, value, where)


def _dataclass(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise NotPlain(f"{where} is no {kind.__name__}.")
    hints, known = _hints(cast("Hashable", kind)), {field.name: field for field in fields(kind)}
    if unknown := value.keys() - known.keys():
        raise NotPlain(f"{where} has {len(unknown)} unknown fields.")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise NotPlain(f"{where} has no {name}.")
    return kind(**{name: _built(hints[name], inner, f"{where}.{name}") for name, inner in value.items()})


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None:
        if type(None) in kinds:
            return None
        raise NotPlain(f"{where} is missing.")
    for kind in kinds:
        if kind is not type(None):
            try:
                return _built(kind, value, where)
            except NotPlain:
                continue
    raise NotPlain(f"{where} is of none of its types.")


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise NotPlain(f"{where} is no list.")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_built(kinds[0], inner, where) for inner in value)
    if len(kinds) != len(value):
        raise NotPlain(f"{where} has {len(value)} values in place of {len(kinds)}.")
    return tuple(_built(kind, inner, where) for kind, inner in zip(kinds, value, strict=True))


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST:
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind is str and isinstance(value, str) and _is_text(value):
        return value
    raise NotPlain(f"{where} is not of its type.")


def _is_text(value: str) -> bool:
    """Whether it can be stored: half a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value
