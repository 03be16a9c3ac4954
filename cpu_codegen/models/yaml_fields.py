"""A YAML file as checked fields: every complaint names file, line and field.

Covered: composing the node tree, taking typed fields out of a mapping, leftovers refused. Not covered: what the fields mean
(catalogue.py). Nodes are read by hand, because a plain load loses the line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError, cause

_TAG = "tag:yaml.org,2002:"
MAX_FILE_BYTES = 4 << 20


REGISTRY_REMEDY = "mend that line; models.yaml in the project shows the format"


def read_yaml(path: Path, *, remedy: str = REGISTRY_REMEDY) -> Fields:
    """The top-level mapping of a file. UsageError when it cannot be read or is no YAML. `remedy` goes with wrong fields."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster and not everywhere
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE_BYTES:
            raise UsageError(f"{path}: over {MAX_FILE_BYTES} bytes", remedy="a registry is a short YAML file")
        node = yaml.compose(data.decode("utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {cause(error)}", remedy="name a YAML file in UTF-8") from error
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply", remedy="see models.yaml for the format") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: not YAML: {error.problem}", remedy="mend that line") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {error}", remedy="mend the file") from error
    return Fields(path, node, "", remedy)


class Fields:
    """One mapping of a YAML file. Fields are taken by name; `done` refuses what nobody took."""

    def __init__(self, path: Path, node: Any, name: str, remedy: str = REGISTRY_REMEDY) -> None:
        self.path, self.node, self.name, self._remedy = path, node, name, remedy
        self._left: dict[str, tuple[Any, Any]] = {}
        if node is None:
            return
        if node.id != "mapping":
            raise self.wrong(node, f"expected fields, found {_shown(node)}")
        for key, value in node.value:
            if key.id != "scalar":
                raise self.wrong(key, "a field's name must be plain text")
            if key.value in self._left:
                raise self.wrong(key, f"{key.value} stands twice")
            self._left[key.value] = (key, value)

    def wrong(self, node: Any, problem: str, *, field: str = "") -> UsageError:
        """The error for a node: file, line, field, problem."""
        where = ".".join(part for part in (self.name, field) if part)
        line = node.start_mark.line + 1 if node is not None else 1
        return UsageError(
            f"{self.path}:{line}: {where + ': ' if where else ''}{problem}",
            remedy=self._remedy,
        )

    def missing(self, field: str) -> UsageError:
        """The error for a field that must be there."""
        return self.wrong(self.node, f"{field} is missing")

    def text(self, field: str, pattern: str | None = None) -> str | None:
        """A text, trimmed; must match `pattern` whole."""
        node = self._take(field, "str", "text")
        if node is None:
            return None
        value: str = node.value.strip()
        if pattern is not None and not re.fullmatch(pattern, value):
            raise self.wrong(node, f"{value!r} is not of the form expected here", field=field)
        return value

    def raw(self, field: str) -> str:
        """A text with the space around it; "" when absent."""
        node = self._take(field, "str", "text")
        return "" if node is None else str(node.value)

    def number(self, field: str) -> int | None:
        """A whole number ≥ 0."""
        node = self._take(field, "int", "a whole number")
        if node is None:
            return None
        text = node.value.replace("_", "")
        if not re.fullmatch(r"\d{1,18}", text):
            raise self.wrong(node, f"expected a whole number, found {node.value!r}", field=field)
        return int(text)

    def flag(self, field: str) -> bool | None:
        """true or false."""
        node = self._take(field, "bool", "true or false")
        return None if node is None else node.value.lower() in ("true", "yes", "on")

    def choice(self, field: str, allowed: tuple[str, ...]) -> Any:
        """One of a closed set of words."""
        node = self._take(field, None, "one word")
        if node is None:
            return None
        if node.value not in allowed:
            raise self.wrong(node, f"{node.value!r} is none of {', '.join(allowed)}", field=field)
        return node.value

    def texts(self, field: str, pattern: str | None = None) -> tuple[str, ...]:
        """A text or a list of texts."""
        entry = self._left.pop(field, None)
        if entry is None:
            return ()
        nodes = entry[1].value if entry[1].id == "sequence" else [entry[1]]
        for node in nodes:
            if node.id != "scalar" or (pattern is not None and not re.fullmatch(pattern, node.value)):
                raise self.wrong(node, f"{_shown(node)} is not of the form expected here", field=field)
        return tuple(node.value for node in nodes)

    def numbers(self, field: str) -> tuple[int, ...]:
        """A whole number or a list of them."""
        return tuple(int(text.replace("_", "")) for text in self.texts(field, r"[\d_]{1,20}"))

    def reals(self, field: str) -> dict[str, float] | None:
        """A mapping of names to numbers."""
        inner = self.mapping(field)
        if inner is None:
            return None
        found: dict[str, float] = {}
        for name, (_, node) in list(inner._left.items()):
            if node.id != "scalar" or not re.fullmatch(r"\d{1,9}(\.\d+)?", node.value):
                raise inner.wrong(node, f"expected a number, found {_shown(node)}", field=name)
            found[name] = float(node.value)
        return found

    def mapping(self, field: str) -> Fields | None:
        """A mapping inside this one."""
        entry = self._left.pop(field, None)
        if entry is None:
            return None
        return Fields(self.path, entry[1], f"{self.name}.{field}" if self.name else field, self._remedy)

    def is_mapping(self, field: str) -> bool:
        """Whether a field that is left to take holds fields."""
        return field in self._left and self._left[field][1].id == "mapping"

    def value(self, field: str) -> tuple[str, str | bool | list[str] | None]:
        """A field's text (or true, false, nothing, or texts), and where it stands: `file:line: field`."""
        key, node = self._left.pop(field)
        where = f"{self.path}:{key.start_mark.line + 1}: {self.name + '.' if self.name else ''}{field}"
        if node.id == "sequence":
            if any(part.id != "scalar" for part in node.value):
                raise self.wrong(node, "expected plain texts in the list", field=field)
            return where, [part.value for part in node.value]
        if node.id != "scalar":
            raise self.wrong(node, "expected a value, found fields", field=field)
        if node.tag == _TAG + "null":
            return where, None
        return where, node.value.lower() in ("true", "yes", "on") if node.tag == _TAG + "bool" else node.value

    def mappings(self, field: str) -> list[Fields]:
        """A mapping, or a list of mappings."""
        entry = self._left.pop(field, None)
        if entry is None:
            return []
        name = f"{self.name}.{field}" if self.name else field
        nodes = entry[1].value if entry[1].id == "sequence" else [entry[1]]
        return [Fields(self.path, node, name) for node in nodes]

    def each(self) -> Iterator[tuple[str, Fields]]:
        """All mappings inside this one, by name."""
        for field in list(self._left):
            inner = self.mapping(field)
            if inner is not None:
                yield field, inner

    def names(self) -> list[str]:
        """What is left to take."""
        return list(self._left)

    def done(self) -> None:
        """Refuses a field that nobody asked for: most often a misspelt one."""
        for field, (key, _) in self._left.items():
            raise self.wrong(key, "no such field", field=field)

    def _take(self, field: str, kind: str | None, what: str) -> Any:
        entry = self._left.pop(field, None)
        if entry is None:
            return None
        node = entry[1]
        if node.id != "scalar" or (kind is not None and node.tag != _TAG + kind):
            raise self.wrong(node, f"expected {what}, found {_shown(node)}", field=field)
        return node


def _shown(node: Any) -> str:
    return f"{node.value!r}" if node.id == "scalar" else "a list" if node.id == "sequence" else "fields"
