"""The published JSON Schema of the record form, and a quick way to tell that a form is as it asks."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator


@cache
def schema() -> Mapping[str, Any]:
    """Return the published JSON Schema of the record form."""
    text = files("surefoot").joinpath("data", "record.schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


@cache
def validator() -> Draft202012Validator:
    """Return the validator of the schema."""
    return Draft202012Validator(schema())


_EXAMPLES: Mapping[str, object] = {"str": "", "NoneType": None, "int": 0, "float": 0.0, "bool": False}
_UNKNOWN_KIND = object()  # passes no schema


def _shape(value: object) -> Hashable:
    """Keys and kinds of values, all that the schema looks at; entries of a list that are alike stand once.

    The schema asks of a list whether it has two entries, never what a text says (a test holds it to that).
    """
    if isinstance(value, str):
        return "str"
    if isinstance(value, dict):
        return "dict", tuple((key, _shape(entry)) for key, entry in value.items())
    if isinstance(value, list):
        return "list", min(len(value), 3), tuple(dict.fromkeys(_shape(entry) for entry in value))
    return type(value).__name__


def _example(shape: Any) -> Any:
    """Return the smallest value of a shape."""
    if not isinstance(shape, tuple):
        return _EXAMPLES.get(shape, _UNKNOWN_KIND)
    if shape[0] == "dict":
        return {key: _example(entry) for key, entry in shape[1]}
    entries = [_example(entry) for entry in shape[2]]
    return entries + entries[:1] * (shape[1] - len(entries))


@lru_cache(maxsize=4096)
def _shape_passes(key: str, shape: Hashable) -> bool:
    """Whether a field of a shape is as the schema asks; the fields of a series are of few shapes."""
    return next(validator().iter_errors({key: _example(shape)}), None) is None


def passes(fields: Mapping[str, Any]) -> bool:
    """Whether a form is as the schema asks.

    The schema asks nothing of one field because of another, nor of one entry of a list because of the next (a test
    holds it to that): each is looked at by itself, and what others of its shape did is remembered.
    """
    return all(_field_passes(key, value) for key, value in fields.items())


def _field_passes(key: str, value: object) -> bool:
    if not isinstance(value, list) or not value:
        return _shape_passes(key, _shape(value))
    shapes = dict.fromkeys(_shape(entry) for entry in value)
    return all(_shape_passes(key, ("list", min(len(value), 3), (shape,))) for shape in shapes)
