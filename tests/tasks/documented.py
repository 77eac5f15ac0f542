"""Compare lines that a run prints with the page of the documentation that shows them."""

import re

from conftest import ROOT

from pipeline.models.specs import MODELS

_PAGE = ROOT / "docs" / "terminal.md"
_MODEL = re.compile(rf"\b({'|'.join(sorted(MODELS, key=len, reverse=True))})\b")


def _shape(line):
    """Replace numbers, models, datasets and folders in a line."""
    line = _MODEL.sub("MODEL", re.sub(r"-[0-9a-f]{16}\b", "", line))
    line = re.sub(r"\S*outputs/", "outputs/", line)
    line = re.sub(r"\b(vader|toy)\b", "DATASET", line)
    line = re.sub(r"^\[(baseline|\d/\d)\]", "[STEP]", line)
    line = re.sub(r"\d[\d.,]*\b", "#", line)
    line = line.replace("# min # s", "# s").replace("Evaluate MODEL, Evaluate", "Evaluate")
    return " ".join(line.split())


def assert_documented(lines):
    """Assert that the page shows lines of the same shape."""
    shown = set(map(_shape, _PAGE.read_text(encoding="utf-8").splitlines()))
    missing = {line for line in lines if _shape(line) not in shown}
    assert not missing, {_shape(line) for line in missing}
