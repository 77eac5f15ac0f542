"""What changes a fingerprint of code, and what does not."""

import pytest

from pipeline.store.code_hash import Reader, changed_parts, entries_of, flags_of

FILES = {
    "__init__.py": "",
    "work.py": '''"""Do the work."""

from toy import helper
from toy.registry import TABLE
from toy.helper import shared as common

LIMIT = 3


def build(rows: list) -> int:
    """Build it."""
    # a comment
    from toy.late import arrive

    result = [common(row) for row in rows if row < LIMIT]
    return helper.total(result) + arrive("page.html") + len(TABLE)


def neighbour(rows):
    return rows
''',
    "helper.py": """def shared(row):
    return _deep(row)


def _deep(row):
    return row + 1


def total(rows):
    return sum(rows)


def unused():
    return Counter().count()


class Counter:
    def count(self):
        return 1
""",
    "late.py": '''class Reader:
    """Read."""

    def read(self, name):
        total = 0
        return total

    def size(self, name):
        return len(name)


def arrive(name):
    return Reader().read(name)
''',
    "registry.py": 'TABLE = {"a": "toy.models:A", "b": "toy.models:B"}\n',
    "models.py": "class A:\n    def fit(self):\n        return 1\n\n\nclass B:\n    pass\n",
    "templates/page.html": "<p>{% include 'part.html' %}</p>",
    "templates/part.html": "<b></b>",
    "templates/other.html": "<i></i>",
}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "toy"


def code(package, *more):
    return Reader(package).code(["toy.work:build", *more])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("work.py", "# a comment", "# another comment"),
        ("work.py", '"""Build it."""', '"""Build it otherwise."""'),
        ("work.py", '    """Build it."""\n', ""),
        (
            "work.py",
            "result = [common(row) for row",
            "result = [\n        common(row)\n        for row",
        ),
        ("work.py", "rows: list) -> int", "rows: tuple) -> float"),
        ("work.py", "    return rows\n", "    return list(rows)\n"),
        ("helper.py", "return Counter().count()", "return 7"),
        ("helper.py", "        return 1\n", "        return 2\n"),
        ("registry.py", '"b": "toy.models:B"', '"b": "toy.models:B", "c": "toy.models:C"'),
        ("models.py", "return 1", "return 2"),
        ("templates/other.html", "<i>", "<u>"),
    ],
    ids=[
        "comment",
        "docstring",
        "no docstring",
        "layout",
        "annotation",
        "neighbour in the module",
        "unused helper",
        "class of an unused helper",
        "another row of a registry",
        "a registry's model that was not chosen",
        "a template that is not used",
    ],
)
def test_fingerprint_is_the_same_while_the_code_that_runs_is(package, name, old, new):
    before = code(package)
    text = (package / name).read_text()
    assert old in text
    (package / name).write_text(text.replace(old, new))
    assert code(package) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "part"),
    [
        ("work.py", "row < LIMIT", "row <= LIMIT", "toy.work:build"),
        ("work.py", "LIMIT = 3", "LIMIT = 4", "toy.work:LIMIT"),
        ("helper.py", "row + 1", "row + 2", "toy.helper:_deep"),
        ("helper.py", "return sum(rows)", "return max(rows)", "toy.helper:total"),
        ("late.py", "total = 0", "total = 1", "toy.late:Reader"),
        ("templates/page.html", "<p>", "<div>", "file:toy/templates/page.html"),
        ("templates/part.html", "<b>", "<em>", "file:toy/templates/part.html"),
    ],
    ids=[
        "line of the function",
        "constant",
        "helper of a helper",
        "function through its module",
        "class of a late import",
        "template",
        "part of a template",
    ],
)
def test_fingerprint_and_its_part_change_with_the_code_that_runs(package, name, old, new, part):
    before = code(package)
    text = (package / name).read_text()
    assert old in text
    (package / name).write_text(text.replace(old, new))
    now = code(package)
    assert now.fingerprint != before.fingerprint
    assert changed_parts(before.parts, now.parts) == [part]


def test_name_bound_in_one_method_is_followed_in_another(package):
    (package / "late.py").write_text(
        "def total():\n    return 1\n\n\n"
        "class Reader:\n"
        "    def read(self, name):\n        total = 0\n        return total\n\n"
        "    def size(self):\n        return total()\n\n\n"
        "def arrive(name):\n    return Reader().read(name)\n"
    )
    assert "toy.late:total" in code(package).parts


def test_code_of_the_selected_registry_row_is_included(package):
    chosen = code(package, "toy.models:A")
    assert "toy.models:A" in chosen.parts
    assert "toy.models:B" not in chosen.parts


def test_statements_at_import_change_the_fingerprint(package):
    before = code(package)
    (package / "helper.py").write_text("print('hello')\n" + FILES["helper.py"])
    assert changed_parts(before.parts, code(package).parts) == ["toy.helper:"]


def test_fingerprint_is_remembered_while_no_file_changes(package, tmp_path):
    memory = tmp_path / "memory" / "code.json"
    first = Reader(package, memory).code(["toy.work:build"])
    memory.write_text(memory.read_text().replace(first.fingerprint, "f" * 16))
    assert Reader(package, memory).code(["toy.work:build"]).fingerprint == "f" * 16
    (package / "late.py").write_text(FILES["late.py"] + "\n")
    assert Reader(package, memory).code(["toy.work:build"]) == first


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_damaged_memory_is_ignored(package, tmp_path, content):
    memory = tmp_path / "code.json"
    memory.write_text(content)
    assert Reader(package, memory).code(["toy.work:build"]) == code(package)


def test_entries_and_flags_of_a_registry_row():
    row = {
        "name": "a",
        "family": "toy.models:A",
        "options": {"builder": ["toy.models:B"]},
        "masks": True,
        "summary": "not code: at all",
        "defaults": {"units": 3},
    }
    assert entries_of(row) == ["toy.models:A", "toy.models:B"]
    assert flags_of(row) == ["masks=True"]
