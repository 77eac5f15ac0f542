"""Fingerprints of code: which functions a piece of work runs, and whether one of them changed.

The source is read as syntax trees, never imported: from an entry point the names that a function
uses are followed to the functions, classes and constants of the package that they stand for, and
to data files that it names. Comments, docstrings, annotations and formatting are left out, so
that only a change of what the code does changes a fingerprint.
"""

import ast
import contextlib
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.store import artifacts
from pipeline.store.code_syntax import (
    ENTRY,
    FUNCTIONS,
    Names,
    defined,
    dotted,
    imported,
    is_registry,
    shape,
    top_level,
)

_FILE = re.compile(r"[\w-]+\.\w+")
# Publish, show how far a run is, word an error: nothing of these gets into an artifact.
_WITHOUT_EFFECT = (
    "tasks.progress",
    "tasks.process_setup",
    "settings.parameter",
    "errors",
    "store.artifacts",
)
# Columns of a registry that say how settings resolve: the resolved values are in the digest.
_SETTLED = ("defaults", "uses", "settings")


@dataclass(frozen=True)
class Code:
    """What a piece of work runs.

    Attributes
    ----------
    fingerprint : str
        16 hexadecimal digits over all parts.
    parts : mapping
        8 hexadecimal digits for each function, class, constant (``module:name``) and data file.
    """

    fingerprint: str
    parts: Mapping[str, str]


@dataclass(frozen=True)
class _Module:
    """A module's top-level names: what defines them, and what they are imported from."""

    name: str
    path: Path
    definitions: Mapping[str, list[ast.stmt]]
    imports: Mapping[str, tuple[str, str | None]]
    statements: list[ast.stmt]


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name the parts that differ, came or went between two fingerprints."""
    names = before.keys() | now.keys()
    return sorted(name for name in names if before.get(name) != now.get(name))


def entries_of(row: Any) -> list[str]:
    """List the ``module:name`` texts in a registry's row: the code that the row stands for."""
    return sorted({text for text in _leaves(row) if isinstance(text, str) and ENTRY.match(text)})


def figures_of(row: Any) -> list[str]:
    """List the flags and numbers of a registry's row; words, such as its summary, are left out."""
    plain = dataclasses.asdict(row) if dataclasses.is_dataclass(row) else dict(row)  # type: ignore[arg-type]
    return [
        f"{key}={value!r}"
        for key, value in sorted(plain.items())
        if isinstance(value, bool | int | float) and key not in _SETTLED
    ]


class Reader:
    """Follow code through a package, remembering what was found while the files stay the same.

    Parameters
    ----------
    root : Path
        The package's folder.
    memory : Path, optional
        File that keeps fingerprints between processes. If it cannot be written, nothing is kept.
    frame : str
        ``module:class`` of the frame around all work: its methods, and what a subclass overrides
        of them besides ``build``, settle which artifact is meant and not what is in it.
    """

    def __init__(self, root: Path, memory: Path | None = None, frame: str = "") -> None:
        self._root = root
        self._package = root.name
        self._memory = memory
        self._frame_module, _, self._frame_class = frame.partition(":")
        self._modules: dict[str, _Module | None] = {}
        self._known: dict[str, Code] = {}
        self._loaded = False
        self._state = ""

    def code(self, entries: Iterable[str], facts: Iterable[str] = ()) -> Code:
        """Return the fingerprint of what is reached from the entries.

        Parameters
        ----------
        entries : iterable of str
            ``module:name`` or ``module:Class.method``.
        facts : iterable of str
            Anything else that the work depends on and that code does not show.

        Returns
        -------
        Code
        """
        entries, facts = sorted(set(entries)), sorted(facts)
        key = artifacts.digest([entries, facts])
        self._load()
        if key not in self._known:
            parts = dict(self._reach(entries))
            if facts:
                parts["registry"] = _short(json.dumps(facts))
            self._known[key] = Code(artifacts.digest(parts), dict(sorted(parts.items())))
            self._save()
        return self._known[key]

    def _reach(self, entries: list[str]) -> Iterator[tuple[str, str]]:
        """Yield every part that the entries reach, with its hash."""
        waiting, seen = list(entries), set(entries)
        while waiting:
            part = waiting.pop()
            yield from self._hashes(part)
            for found in self._references(part):
                if found not in seen and not self._is_without_effect(found):
                    seen.add(found)
                    waiting.append(found)

    def _hashes(self, part: str) -> Iterator[tuple[str, str]]:
        """Yield the hash of a part, if it is anything that is defined."""
        if part.startswith("file:"):
            path = self._root.parent / part.removeprefix("file:")
            yield part, artifacts.sha256_of(path)[:8]
            return
        nodes = self._nodes(part)
        if nodes:
            yield part, _short("".join(shape(node) for node in nodes))

    def _nodes(self, part: str) -> list[ast.stmt]:
        """Return the statements that define a part."""
        module_name, _, name = part.partition(":")
        module = self._module(module_name)
        if module is None:
            return []
        if not name:
            return module.statements
        owner, _, method = name.partition(".")
        found = module.definitions.get(owner, [])
        if method:
            return [
                inner
                for node in found
                if isinstance(node, ast.ClassDef)
                for inner in node.body
                if isinstance(inner, FUNCTIONS) and inner.name == method
            ]
        return [] if any(is_registry(node) for node in found) else found

    def _references(self, part: str) -> Iterator[str]:
        """Yield the parts that a part uses."""
        if part.startswith("file:"):
            yield from self._included_files(part)
            return
        module = self._module(part.partition(":")[0])
        owner = part.partition(":")[2].partition(".")[0]
        nodes = self._nodes(part)
        if module is None:
            return
        if not nodes and "." in part.partition(":")[2]:
            yield from self._inherited(module, part)
        if nodes and not module.name.startswith(f"{self._package}.tasks"):
            yield f"{module.name}:"
        for node in nodes:
            names = Names(node)
            imports = {**module.imports, **names.imports}
            for name in names.dotted:
                first, *rest = name.split(".")
                if first in ("self", "cls") and "." in part.partition(":")[2] and rest:
                    if not self._belongs_to_frame(rest[0]) and not self._settles(
                        module, owner, rest[0]
                    ):
                        yield f"{module.name}:{owner}.{rest[0]}"
                else:
                    yield from self._resolved(module, imports, name, names.attributes)
            for text in names.texts:
                if ENTRY.fullmatch(text):
                    yield text
                elif _FILE.fullmatch(text):
                    yield from self._data_files(module.path.parent, text)

    def _resolved(
        self,
        module: _Module,
        imports: Mapping[str, tuple[str, str | None]],
        name: str,
        attributes: set[str],
    ) -> Iterator[str]:
        """Yield what a dotted name stands for inside the package."""
        first, *rest = name.split(".")
        if first in imports:
            source, attribute = imports[first]
            rest = [*([attribute] if attribute else []), *rest]
            while rest and self._module(f"{source}.{rest[0]}"):
                source, rest = f"{source}.{rest[0]}", rest[1:]
            target = self._module(source)
            if target is None or not rest:
                return
            if rest[0] not in target.definitions:
                if rest[0] in target.imports:
                    yield from self._resolved(target, target.imports, ".".join(rest), attributes)
                return
            module, first = target, rest[0]
        if first not in module.definitions:
            return
        if self._is_step(module, first):
            used = (method for method in attributes if not self._belongs_to_frame(method))
            yield from (f"{module.name}:{first}.{method}" for method in sorted(used))
        else:
            yield f"{module.name}:{first}"

    def _inherited(self, module: _Module, part: str) -> Iterator[str]:
        """Yield a method of the bases of a class that does not define it itself."""
        owner, _, method = part.partition(":")[2].partition(".")
        for node in module.definitions.get(owner, []):
            for base in node.bases if isinstance(node, ast.ClassDef) else []:
                for found in self._resolved(module, module.imports, dotted(base), {method}):
                    name = found.partition(":")[2]
                    yield found if "." in name else f"{found}.{method}"

    def _is_step(self, module: _Module, name: str) -> bool:
        """Say whether a name is a class inside the frame, of which single methods are used."""
        nodes = module.definitions.get(name, [])
        is_class = any(isinstance(node, ast.ClassDef) for node in nodes)
        return is_class and module.name.startswith(f"{self._package}.tasks")

    def _belongs_to_frame(self, name: str) -> bool:
        """Say whether a method settles which artifact is meant rather than what is in it."""
        if name in ("requires", "output", "complete", "run", "deps", "clone"):
            return True
        frame = self._module(self._frame_module) if self._frame_module else None
        nodes = frame.definitions.get(self._frame_class, []) if frame else []
        return name != "build" and any(
            isinstance(inner, FUNCTIONS) and inner.name == name
            for node in nodes
            if isinstance(node, ast.ClassDef)
            for inner in node.body
        )

    def _settles(self, module: _Module, owner: str, name: str) -> bool:
        """Say whether a method says what its class requires: digests cover what comes of it."""
        required = self._nodes(f"{module.name}:{owner}.requires")
        return any(f"self.{name}" in Names(node).dotted for node in required)

    def _is_without_effect(self, part: str) -> bool:
        module = part.partition(":")[0].removeprefix(f"{self._package}.")
        return module in _WITHOUT_EFFECT or part.startswith(f"{self._frame_module}:")

    def _data_files(self, folder: Path, name: str) -> Iterator[str]:
        """Yield the package's data files of a name, below the folder of who names it."""
        if name.endswith(".py"):
            return
        for path in sorted(folder.rglob(name)):
            yield f"file:{path.relative_to(self._root.parent).as_posix()}"

    def _included_files(self, part: str) -> Iterator[str]:
        """Yield the files beside a data file that it names, such as parts of a template."""
        path = self._root.parent / part.removeprefix("file:")
        with contextlib.suppress(OSError, UnicodeDecodeError):
            named = set(_FILE.findall(path.read_text(encoding="utf-8"))) - {path.name}
            for other in sorted(path.parent.iterdir()):
                if other.name in named and other.is_file():
                    yield f"file:{other.relative_to(self._root.parent).as_posix()}"

    def _module(self, name: str) -> _Module | None:
        """Return a module of the package, parsed once, or None for anything else."""
        if name not in self._modules:
            self._modules[name] = self._parsed(name)
        return self._modules[name]

    def _parsed(self, name: str) -> _Module | None:
        if name.split(".")[0] != self._package:
            return None
        stem = self._root.parent.joinpath(*name.split("."))
        path = next(
            (path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()),
            None,
        )
        if path is None:
            return None
        definitions: dict[str, list[ast.stmt]] = {}
        imports: dict[str, tuple[str, str | None]] = {}
        statements: list[ast.stmt] = []
        for node in top_level(ast.parse(path.read_bytes()).body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.update(imported(node))
            elif isinstance(node, ast.Expr):
                if not isinstance(node.value, ast.Constant):
                    statements.append(node)
            else:
                for name_of in defined(node):
                    definitions.setdefault(name_of, []).append(node)
        return _Module(name, path, definitions, imports, statements)

    def _load(self) -> None:
        """Take over what an earlier process found, when every file is as it was then."""
        if self._loaded:
            return
        self._loaded = True
        self._state = artifacts.digest(sorted(_states(self._root)))
        if self._memory is None:
            return
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(self._memory.read_text(encoding="utf-8"))
            if content["state"] == self._state:
                for key, entry in content["codes"].items():
                    self._known[key] = Code(entry["fingerprint"], entry["parts"])

    def _save(self) -> None:
        if self._memory is None:
            return
        codes = {
            key: {"fingerprint": code.fingerprint, "parts": dict(code.parts)}
            for key, code in self._known.items()
        }
        with contextlib.suppress(OSError):
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"state": self._state, "codes": codes})
            artifacts.write_atomically(self._memory, text)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the plain values inside a row."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _states(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of change of every file below a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _states(Path(entry.path))
            else:
                state = entry.stat()
                yield entry.path, state.st_size, state.st_mtime_ns


def _short(text: str) -> str:
    """Return the first 8 hexadecimal digits of a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
