"""Measure the pipeline beside the notebook way and its peers, and write ``benchmarks/speed.md``.

Usage: ``python -m benchmarks.speed --data DIR --outputs DIR [--only NAME ...]``. Each comparison
runs both sides in turn, each as a process of its own; results are kept in ``speed.json``, so that
one comparison can be measured again. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks.quality import link_data
from benchmarks.speed import comparisons

FOLDER = Path(__file__).parent.parent
RECORDS, PAGE = "speed.json", "speed.md"
_HEAD = """# Speed

Measured by `make bench`: both sides of each comparison in turn, each run a process of its own,
medians with the least and the most of the runs. The notebook way is written down in
`notebook_way/`, what is compared in `speed/comparisons.py`. "Memory" is the peak of the process, or
of the step where a step is named.

"""
_PROFILE_HEAD = """
## Where the time was

Profiles of one run each, on a busy machine; CPU seconds, or milliseconds a step, before and after
what was done about it.

| work | before | after | what it was |
| --- | --- | --- | --- |
"""
_PROFILE = (
    ("reading 1.6 million rows of CSV", "8.3 s", "2.3 s",
     "a reader and a record for each line; Python looking for cycles among millions of lists"),
    ("cleaning them", "16.6 s", "8.0 s",
     "every single space replaced by itself, three times; a second round over texts that nothing "
     "could change any more"),
    ("cutting them into words", "2.8 s", "0.7 s", "the same, at every space between words"),
    ("texts with two labels", "1.0 s", "0.1 s", "grouping by strings"),
    ("first layer of `bag_dense`, 512 texts, 512 units", "19.6 ms", "3.3 ms",
     "a sparse product whose gradient visits padding; now sums of rows, sorted by word"),
    ("Adam on an embedding of 10,000 by 128", "5.6 ms", "3.4 ms",
     "a dozen passes over three arrays; now one"),
    ("looking for test texts in training, `imdb`", "43.6 s", "7.3 s",
     "hashing of 11 million numbers where sorting is faster; texts too different in size compared "
     "in full"),
)  # fmt: skip
_LEFT = """
What is left: of the text steps, cleaning (RE2, a pass for each pattern) and NLTK's TweetTokenizer;
of a short training, four seconds of importing Keras and two of tracing; of recurrent networks, the
products inside the LSTM; of prediction, cleaning for the quick models and character runs for the
linear ones.
"""


def page(records: dict[str, dict]) -> str:
    """Write the table from the records."""
    lines = [_HEAD]
    machines = sorted({each["machine"] for each in records.values()})
    lines.append("Machine: " + "; ".join(machines) + ".\n\n")
    lines.append("| work | reach | measured | met |\n| --- | --- | --- | --- |\n")
    for name in comparisons.COMPARISONS:
        for line in records.get(name, {}).get("lines", []):
            lines.append(f"| {line['work']} | {line['reach']} | {line['measured']} | "
                         f"{line['met']} |\n")  # fmt: skip
    for name in comparisons.COMPARISONS:
        sides = records.get(name, {}).get("sides")
        if not sides:
            continue
        lines.append(f"\n## {name}\n\n| side | runs | seconds | MiB | facts |\n|")
        lines.append(" --- |" * 5 + "\n")
        lines += [
            f"| {side['name']} | {side['runs']} | {side['seconds']} | {side['memory']} | "
            f"{side['facts']} |\n"
            for side in sides
        ]
        if records[name].get("note"):
            lines.append("\n" + records[name]["note"] + "\n")
    missing = [name for name in comparisons.COMPARISONS if name not in records]
    if missing:
        lines.append(f"\nNot measured: {', '.join(missing)}.\n")
    lines.append(_PROFILE_HEAD)
    lines += [f"| {' | '.join(each)} |\n" for each in _PROFILE]
    lines.append(_LEFT)
    return "".join(lines)


def machine() -> str:
    """Describe what it ran on."""
    cores = len(os.sched_getaffinity(0))
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.machine()}, {cores} cores, {gib:.0f} GiB, Python {platform.python_version()}"


def main() -> None:
    """Run the comparisons asked for and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER.parent.parent / "shared" / "data")
    parser.add_argument("--outputs", type=Path, default=FOLDER.parent / "outputs" / ".speed")
    parser.add_argument("--only", nargs="*", choices=list(comparisons.COMPARISONS))
    words = parser.parse_args()
    outputs = words.outputs.resolve()
    data = link_data(words.data.resolve(), outputs / "data")
    place = FOLDER / RECORDS
    records = json.loads(place.read_text()) if place.is_file() else {}

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    for name in words.only or comparisons.COMPARISONS:
        say(f"--- {name}")
        found = comparisons.COMPARISONS[name](comparisons.Bench(data, outputs, say))
        records[name] = {"machine": machine(), **found}
        place.write_text(json.dumps(records, indent=1) + "\n")
        place.with_name(PAGE).write_text(page(records))
        for line in found["lines"]:
            print(f"{line['work']}: {line['measured']} (reach: {line['reach']}; {line['met']})")
    print(f"Table: {place.with_name(PAGE)}")


if __name__ == "__main__":
    main()
