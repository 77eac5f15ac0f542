"""Hashes of the code that a step runs, to tell whether a change of code affects an artifact.

The source is parsed, never imported. Starting at an entry point, the names that a function uses
are followed to the functions, classes and constants of the package, and to its data files. Only a
change of what the code does changes a hash: comments, docstrings, annotations and formatting are
ignored.
"""

import ast
import contextlib
import dataclasses
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.store import code_syntax as syntax
from pipeline.store.files import digest, read_json, sha256_of, write_atomically

_FILE = re.compile(r"[\w-]+\.\w+")
# Code that publishes, shows progress or formats errors does not change the content of artifacts.
_WITHOUT_EFFECT = re.compile(
    r"\w+\.(errors|settings\.parameter|tasks\.(interrupt|progress|process_setup|step_log)"
    r"|store\.(publishing|files|locks|manifests))"
)
_LUIGI_METHODS = ("requires", "output", "complete", "run", "deps", "clone")


@dataclass(frozen=True)
class Code:
    """Hexadecimal hashes of the code that a step runs.

    ``parts`` has 8 digits for each function, class, constant (``module:name``) and data file;
    ``fingerprint`` has 16 digits for all parts together.
    """

    fingerprint: str
    parts: Mapping[str, str]


@dataclass(frozen=True)
class _Module:
    """The top-level names of a module with their definitions and imports, and other statements."""

    name: str
    path: Path
    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str | None]]
    statements: list[ast.stmt]
    is_of_tasks: bool


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that were changed, added or removed.

    Examples
    --------
    >>> changed_parts({"a:f": "11", "a:g": "22"}, {"a:f": "11", "a:g": "33", "a:h": "44"})
    ['a:g', 'a:h']
    """
    names = before.keys() | now.keys()
    return sorted(name for name in names if before.get(name) != now.get(name))


def entries_of(row: Any) -> list[str]:
    """Return the ``module:name`` texts in a row of a table, also in nested rows."""
    if isinstance(row, str):
        return [row] if syntax.ENTRY.match(row) else []
    if dataclasses.is_dataclass(row):
        row = vars(row)
    if isinstance(row, Mapping):
        row = list(row.values())
    values = row if isinstance(row, list | tuple) else ()
    return sorted({entry for value in values for entry in entries_of(value)})


def flags_of(row: Any) -> list[str]:
    """Return the flags and numbers of a row of a table, without texts such as its summary."""
    columns = vars(row) if dataclasses.is_dataclass(row) else row
    return [
        f"{key}={value!r}"
        for key, value in sorted(columns.items())
        if isinstance(value, bool | int | float)
    ]


class Reader:
    """Follow code through a package; results are cached while no file of the package changes.

    Parameters
    ----------
    root : Path
        Folder of the package.
    memory : Path, optional
        File of cached results; it need not be writable.
    frame : str
        ``module:class`` of the base class of steps, whose methods except ``build`` select which
        artifact is built and do not change its content.
    """

    def __init__(self, root: Path, memory: Path | None = None, frame: str = "") -> None:
        self._root = root
        self._memory = memory
        self._frame = frame
        self._modules: dict[str, _Module | None] = {}

    def code(self, entries: Iterable[str], facts: Iterable[str] = ()) -> Code:
        """Return the hashes of ``facts`` and of all code reached from entries ``module:name``."""
        entries, facts = sorted(set(entries)), sorted(facts)
        key = digest([entries, facts])
        if key not in self._codes:
            parts = dict(self._reach(entries))
            if facts:
                parts["registry"] = digest(facts)[:8]
            self._codes[key] = Code(digest(parts), dict(sorted(parts.items())))
            self._write_memory()
        return self._codes[key]

    def _reach(self, entries: list[str]) -> Iterator[tuple[str, str]]:
        """Yield every part that is reached from the entries, with its hash."""
        waiting, seen = list(entries), set(entries)
        while waiting:
            part = waiting.pop()
            if part.startswith("file:"):
                yield part, sha256_of(self._root.parent / part.removeprefix("file:"))[:8]
                references = self._included_files(part)
            else:
                nodes = self._nodes(part)
                if nodes:
                    yield part, digest([syntax.shape(node) for node in nodes])[:8]
                references = self._references(part, nodes)
            new = {name for name in references if not self._is_without_effect(name)} - seen
            seen |= new
            waiting += sorted(new)

    def _nodes(self, part: str) -> list[ast.stmt]:
        """Return the statements that define a part."""
        module_name, _, name = part.partition(":")
        owner, _, method = name.partition(".")
        module = self._module(module_name)
        if module is None or not name:
            return module.statements if module else []
        nodes = module.definitions.get(owner, [])
        if method:
            return [inner for inner in _methods(nodes) if inner.name == method]
        return [] if any(map(syntax.is_table_of_code, nodes)) else nodes

    def _references(self, part: str, nodes: list[ast.stmt]) -> Iterator[str]:
        """Yield the parts that a part uses."""
        module_name, _, qualified_name = part.partition(":")
        module = self._module(module_name)
        if module is None:
            return
        owner, _, method = qualified_name.partition(".")
        if method and not nodes:
            yield from self._inherited(module, owner, method)
        if nodes and not module.is_of_tasks:
            yield f"{module.name}:"
        for node in nodes:
            names = syntax.Names(node)
            scope = dataclasses.replace(module, imports={**module.imports, **names.imports})
            for name in names.dotted:
                first, *rest = name.split(".")
                if first in ("self", "cls") and method and rest:
                    if not self._selects_artifact(module, owner, rest[0]):
                        yield f"{module.name}:{owner}.{rest[0]}"
                else:
                    yield from self._resolved(scope, name, names.attributes)
            for text in names.texts:
                if syntax.ENTRY.fullmatch(text):
                    yield text
                elif _FILE.fullmatch(text) and not text.endswith(".py"):
                    yield from map(self._file_part, sorted(module.path.parent.rglob(text)))

    def _resolved(self, module: _Module, name: str, attributes: set[str]) -> Iterator[str]:
        """Yield the parts of the package that a dotted name refers to."""
        first, *rest = name.split(".")
        if first in module.imports:
            source, attribute = module.imports[first]
            rest = [*([attribute] if attribute else []), *rest]
            while rest and self._module(f"{source}.{rest[0]}"):
                source, rest = f"{source}.{rest[0]}", rest[1:]
            target = self._module(source)
            if target is None or not rest:
                return
            if rest[0] not in target.definitions:
                if rest[0] in target.imports:
                    yield from self._resolved(target, ".".join(rest), attributes)
                return
            module, first = target, rest[0]
        nodes = module.definitions.get(first, [])
        if module.is_of_tasks and any(isinstance(node, ast.ClassDef) for node in nodes):
            # Of another step, only the methods that are called count.
            for method in sorted(attributes):
                if not self._is_of_frame(method):
                    yield f"{module.name}:{first}.{method}"
        elif nodes:
            yield f"{module.name}:{first}"

    def _inherited(self, module: _Module, owner: str, method: str) -> Iterator[str]:
        """Yield a method in the base classes of a class that does not define it itself."""
        for node in module.definitions.get(owner, []):
            for base in node.bases if isinstance(node, ast.ClassDef) else []:
                for part in self._resolved(module, syntax.dotted(base), {method}):
                    yield part if "." in part.partition(":")[2] else f"{part}.{method}"

    def _is_of_frame(self, method: str) -> bool:
        """Return whether Luigi or the base class of steps defines a method, except ``build``."""
        names = {inner.name for inner in _methods(self._nodes(self._frame))} - {"build"}
        return method in names or method in _LUIGI_METHODS

    def _selects_artifact(self, module: _Module, owner: str, method: str) -> bool:
        """Return whether a method decides which artifact is built: digests cover its effect."""
        required = self._nodes(f"{module.name}:{owner}.requires")
        names = {name for node in required for name in syntax.Names(node).dotted}
        return f"self.{method}" in names or self._is_of_frame(method)

    def _is_without_effect(self, part: str) -> bool:
        module = part.partition(":")[0]
        return module == self._frame.partition(":")[0] or bool(_WITHOUT_EFFECT.fullmatch(module))

    def _included_files(self, part: str) -> Iterator[str]:
        """Yield the files in the same folder that a data file names, such as template parts."""
        path = self._root.parent / part.removeprefix("file:")
        with contextlib.suppress(UnicodeDecodeError):
            names = set(_FILE.findall(path.read_text(encoding="utf-8"))) - {path.name}
            files = [other for other in path.parent.iterdir() if other.is_file()]
            yield from (self._file_part(other) for other in files if other.name in names)

    def _file_part(self, path: Path) -> str:
        return f"file:{path.relative_to(self._root.parent).as_posix()}"

    def _module(self, name: str) -> _Module | None:
        """Return a module of the package, parsed once, None for any other name."""
        if name not in self._modules:
            stem = self._root.parent.joinpath(*name.split("."))
            paths = (stem.with_suffix(".py"), stem / "__init__.py")
            is_inside = name.split(".")[0] == self._root.name
            path = next((path for path in paths if is_inside and path.is_file()), None)
            self._modules[name] = _parsed(name, path) if path else None
        return self._modules[name]

    @functools.cached_property
    def _state(self) -> str:
        """A digest of path, size and mtime of every source and data file of the package."""
        states = []
        for folder, _, names in os.walk(self._root):
            for path in (os.path.join(folder, name) for name in names if not name.endswith(".pyc")):
                stat = os.stat(path)
                states.append((path, stat.st_size, stat.st_mtime_ns))
        return digest(sorted(states))

    @functools.cached_property
    def _codes(self) -> dict[str, Code]:
        """The results of this process, and of earlier ones unless a file has changed since."""
        content: Any = read_json(self._memory) if self._memory else None
        if not isinstance(content, dict) or content.get("state") != self._state:
            return {}
        return {key: Code(**entry) for key, entry in content["codes"].items()}

    def _write_memory(self) -> None:
        if self._memory is None:
            return
        codes = {key: vars(code) for key, code in self._codes.items()}
        content = {"state": self._state, "codes": codes}
        with contextlib.suppress(OSError):
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._memory, json.dumps(content))


def _parsed(name: str, path: Path) -> _Module:
    """Parse a module."""
    module = _Module(name, path, {}, {}, [], name.split(".")[1:2] == ["tasks"])
    for node in syntax.parse(path.read_bytes()):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module.imports.update(syntax.imported(node))
        elif isinstance(node, ast.Expr):
            module.statements.append(node)
        else:
            for defined_name in syntax.defined(node):
                module.definitions.setdefault(defined_name, []).append(node)
    return module


def _methods(nodes: Iterable[ast.stmt]) -> list[ast.FunctionDef]:
    """Return the methods of those statements that are classes."""
    bodies = [node.body for node in nodes if isinstance(node, ast.ClassDef)]
    return [inner for body in bodies for inner in body if isinstance(inner, ast.FunctionDef)]
