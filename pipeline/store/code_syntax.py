"""Syntax trees without comments, docstrings and annotations, and the names in them."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

#: How a table of code names a class or function: ``module:name``.
ENTRY = re.compile(r"[a-z_]\w*(\.\w+)+:\w+")
_SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parse(source: bytes) -> Iterator[ast.stmt]:
    """Yield a module's statements without docstrings, ``pass`` and annotations of functions."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [inner for inner in node.body if not _is_docstring_or_pass(inner)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    yield from _flat(tree.body)


def shape(node: Any) -> str:
    """Return a syntax tree as text that does not depend on formatting or the Python version."""
    if isinstance(node, list):
        return "[" + ",".join(shape(item) for item in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [
        f"{name}={shape(value)}"
        for name, value in ast.iter_fields(node)
        if name not in ("ctx", "type_comment", "kind", "type_params") and value not in (None, [])
    ]
    return f"{type(node).__name__}({','.join(fields)})"


class Names:
    """The names that a definition uses, except in annotations."""

    def __init__(self, node: ast.AST) -> None:
        self.dotted: set[str] = set()  # names that are not bound inside, with their attributes
        self.attributes: set[str] = set()
        self.texts: set[str] = set()  # string constants
        self.imports: dict[str, tuple[str, str | None]] = {}  # module and attribute by name
        self._bound: set[str] = set()
        self._visit_children(node)
        # self and cls stay: their attributes are the methods that a method uses.
        bound = self._bound - {*self.imports, "self", "cls"}
        self.dotted = {name for name in self.dotted if name.split(".")[0] not in bound}

    def _visit_children(self, node: ast.AST) -> None:
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        for child in ast.iter_child_nodes(node):
            if child is not annotation:
                self._visit(child)

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, _SCOPES):
            # A name that is bound in one scope, such as a method, is not bound in another.
            inner = Names(node)
            for name in ("dotted", "attributes", "texts", "imports"):
                getattr(self, name).update(getattr(inner, name))
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.update(imported(node))
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
            self.dotted |= {dotted(node)} - {""}
        elif isinstance(node, ast.Name):
            (self.dotted if isinstance(node.ctx, ast.Load) else self._bound).add(node.id)
        elif isinstance(node, ast.arg):
            self._bound.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.texts.add(node.value)
        self._visit_children(node)


def defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
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
        else:
            name = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or name, (name, None)


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for attributes of a name, empty for other expressions."""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def is_table_of_code(node: ast.stmt) -> bool:
    """Return whether a statement assigns a table of ``module:name`` entries, one for each row."""
    is_assignment = isinstance(node, ast.Assign | ast.AnnAssign)
    return is_assignment and any(map(ENTRY.fullmatch, Names(node).texts))


def _is_docstring_or_pass(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str)
    return isinstance(node, ast.Pass)


def _flat(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Yield statements, those under ``if`` and ``try`` too, except for type checkers."""
    for node in nodes:
        if isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
            if not (isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")):
                yield from _flat(ast.iter_child_nodes(node))
        elif isinstance(node, ast.stmt):
            yield node
