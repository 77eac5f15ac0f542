"""Lay out what was measured: the page ``speed.md``, and the short table of the README."""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import hot_spots
from benchmarks.speed.comparisons import COMPARISONS

#: The key of the profile among the records.
PROFILE = "profile"
_MARKED = re.compile(r"(?<=<!-- speed -->\n).*?(?=<!-- end of speed -->)", re.DOTALL)
_HEAD = """# Speed

Written by `make bench`: both sides of each comparison in turn, each run a process of its own unless
it is said otherwise, medians with the least and the most of the runs; ± is a standard deviation
over seeds. What is compared stands in `speed/`, the notebook way in `notebook_way/`.

- Memory is the peak of the process, or of one that it started, whichever was largest: processes
  that work side by side are not added up. Of several runs, and of several steps, it is the largest.
- Seconds are those of whole processes, unless a fact is named that counts; `steps` are those of the
  pipeline's steps, `step memory` their largest peak.
- The notebook way does what the public notebooks do, and differs from them in this. In its favour:
  it writes nothing to disk and draws nothing, looks words up without Keras' counting of texts, and
  fills dense matrices of half the size of numpy's default type, which the notebooks leave for Keras
  to convert. Not in its favour: its text steps repair encodings, list addresses, mentions and
  hashtags and find texts that come twice, since the pipeline does. Keras 3 stands for Keras 2.

"""
_WHERE = """
## Where the time goes

Each of these ran once, as a whole process, by itself. Every five milliseconds all threads were
looked at: "most of it" names functions of the package with the library that they call, in brackets
where that is Python, and imports, with the seconds of threads in them (of two at work both count).
"""
_DONE = """
What was found by such profiles before, and is done:

- reading: a reader and a record for each line became columns, and Python no longer looks for cycles
  among millions of lists;
- cleaning: single spaces were replaced by themselves, and texts that nothing could change any more
  went through a second round;
- texts with two labels were grouped by strings, and are by numbers now;
- the first layer of `bag_dense` was a sparse product whose gradient visits padding, and is a sum of
  rows sorted by word; Adam passed a dozen times over three arrays, and does once;
- the search for test texts in training hashed millions of numbers where sorting is faster, and
  compared texts of too different sizes.
"""


def page(records: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the page from the records."""
    lines = [_HEAD]
    machines = sorted({each["machine"] for each in records.values()})
    lines.append("Machine: " + "; ".join(machines) + ".\n\n")
    lines.append("| work | reach | measured | met |\n| --- | --- | --- | --- |\n")
    for name in COMPARISONS:
        for line in records.get(name, {}).get("lines", []):
            lines.append(_row(line[key] for key in ("work", "reach", "measured", "met")))
    for name in COMPARISONS:
        if records.get(name, {}).get("sides"):
            lines.append(_sides(name, records[name]))
    missing = [name for name in (*COMPARISONS, PROFILE) if name not in records]
    if missing:
        lines.append(f"\nNot measured: {', '.join(missing)}.\n")
    if PROFILE in records:
        lines.append(_WHERE + hot_spots.table(records[PROFILE]["chains"]))
    lines.append(_DONE)
    return "".join(lines)


def _sides(name: str, record: Mapping[str, Any]) -> str:
    """Lay out the sides of a comparison."""
    lines = [f"\n## {name}\n\n| side | runs | seconds | peak MiB | facts |\n|", " --- |" * 5 + "\n"]
    for side in record["sides"]:
        lines.append(_row(side[key] for key in ("name", "runs", "seconds", "memory", "facts")))
    if record.get("note"):
        lines.append("\n" + record["note"] + "\n")
    return "".join(lines)


def short(records: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the short table, of the lines that have a short form."""
    lines = ["| work | here | beside |\n|---|---|---|\n"]
    for name in COMPARISONS:
        for line in records.get(name, {}).get("lines", []):
            if line.get("short"):
                lines.append(_row(line["short"]))
    return "".join(lines)


def with_short(text: str, records: Mapping[str, Mapping[str, Any]]) -> str:
    """Put the short table between its marks in a text.

    Raises
    ------
    ValueError
        If the marks are not there, once.
    """
    table = short(records)
    written, number = _MARKED.subn(lambda match: f"\n{table}\n", text)
    if number != 1:
        raise ValueError(
            f"the marks <!-- speed --> and <!-- end of speed --> stand {number} times, not once; "
            "put them around the short table."
        )
    return written


def _row(cells: Any) -> str:
    """Lay out a row of a table."""
    return f"| {' | '.join(map(str, cells))} |\n"
