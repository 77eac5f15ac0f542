"""What a syntax tree says: its shape, the names that it uses, and those that it defines."""

import ast
import re
from collections.abc import Iterator
from typing import Any

#: How a registry names code: ``module:name``.
ENTRY = re.compile(r"[a-z_]\w*(\.\w+)+:\w+")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (
    *FUNCTIONS,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_SKIPPED_FIELDS = {"ctx", "type_comment", "kind", "returns", "annotation", "type_params"}


class Names:
    """Gather the names that a definition uses; annotations and docstrings are left out.

    Attributes
    ----------
    dotted : set of str
        Names, with their attributes, that are not bound inside.
    attributes : set of str
        Every attribute that is taken of anything.
    texts : set of str
        Constant texts.
    imports : dict
        Names bound by imports inside, with module and attribute.
    """

    def __init__(self, node: ast.AST) -> None:
        self.dotted: set[str] = set()
        self.attributes: set[str] = set()
        self.bound: set[str] = set()
        self.texts: set[str] = set()
        self.imports: dict[str, tuple[str, str | None]] = {}
        self._visit(node, is_outermost=True)
        # self stays: its attributes are the methods that a method uses.
        self.bound -= {*self.imports, "self", "cls"}
        self.dotted = {name for name in self.dotted if name.split(".")[0] not in self.bound}

    def _visit(self, node: ast.AST, is_outermost: bool = False) -> None:
        if isinstance(node, _SCOPES) and not is_outermost:
            # What one method binds says nothing of the same name in another.
            inner = Names(node)
            self.dotted |= inner.dotted
            self.attributes |= inner.attributes
            self.texts |= inner.texts
            self.imports |= inner.imports
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.update(imported(node))
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
            name = dotted(node)
            if name:
                self.dotted.add(name)
        elif isinstance(node, ast.Name):
            (self.dotted if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)
        elif isinstance(node, ast.arg):
            self.bound.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.texts.add(node.value)
        for name, value in ast.iter_fields(node):
            if name in _SKIPPED_FIELDS:
                continue
            if name == "body" and isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                value = without_docstring(value)
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.AST):
                    self._visit(item)


def shape(node: Any) -> str:
    """Write a syntax tree as text that is the same for code that does the same in every layout."""
    if isinstance(node, list):
        return "[" + ",".join(shape(item) for item in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        skipped = name in _SKIPPED_FIELDS and not isinstance(node, ast.AnnAssign)
        if skipped or name == "ctx" or value is None or value == []:
            continue
        if name == "body" and isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            value = without_docstring(value)
        fields.append(f"{name}={shape(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Leave out texts and ``pass`` that stand alone."""
    return [
        node
        for node in body
        if not isinstance(node, ast.Pass)
        and not (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
    ]


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those under ``if`` and ``try`` as well."""
    for node in body:
        if isinstance(node, ast.If):
            if dotted(node.test) not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                yield from top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [inner for handler in node.handlers for inner in handler.body]
            yield from top_level([*node.body, *handlers, *node.orelse, *node.finalbody])
        else:
            yield node


def defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name
    else:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield the names that an import binds, with module and attribute."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, (node.module or "", alias.name)
        elif alias.asname:
            yield alias.asname, (alias.name, None)
        else:
            top = alias.name.split(".")[0]
            yield top, (top, None)


def dotted(node: ast.AST) -> str:
    """Write ``a.b.c`` for a chain of attributes on a name, or nothing for another expression."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def is_registry(node: ast.stmt) -> bool:
    """Say whether an assignment is a table of code by name, of which a run uses only its row."""
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(
        isinstance(inner, ast.Constant)
        and isinstance(inner.value, str)
        and ENTRY.fullmatch(inner.value)
        for inner in ast.walk(node)
    )
