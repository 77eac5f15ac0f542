"""Measure the pipeline beside the notebook way and its peers, and write ``benchmarks/speed.md``.

Usage: ``python -m benchmarks.speed --data DIR --outputs DIR [--only NAME ...]``. Each comparison
runs both sides in turn, each as a process of its own; results are kept in ``speed.json``, so that
one comparison can be measured again. ``profile`` runs chosen chains once and says where the time
goes. The README's short table is written anew. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from benchmarks.quality import link_data
from benchmarks.speed import hot_spots
from benchmarks.speed.bench import Bench
from benchmarks.speed.comparisons import COMPARISONS
from benchmarks.speed.page import PROFILE, page, with_short

FOLDER = Path(__file__).parent.parent
RECORDS, PAGE = "speed.json", "speed.md"
README = FOLDER.parent / "README.md"


def machine() -> str:
    """Describe what it ran on."""
    cores = len(os.sched_getaffinity(0))
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.machine()}, {cores} cores, {gib:.0f} GiB, Python {platform.python_version()}"


def write(records: dict[str, dict], folder: Path, readme: Path) -> None:
    """Write records, page, and the short table of the README."""
    (folder / RECORDS).write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page(records), encoding="utf-8")
    readme.write_text(with_short(readme.read_text(encoding="utf-8"), records), encoding="utf-8")


def main() -> None:
    """Run the comparisons asked for and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER.parent.parent / "shared" / "data")
    parser.add_argument("--outputs", type=Path, default=FOLDER.parent / "outputs" / ".speed")
    parser.add_argument("--only", nargs="*", choices=[*COMPARISONS, PROFILE])
    words = parser.parse_args()
    outputs = words.outputs.resolve()
    data = link_data(words.data.resolve(), outputs / "data")
    place = FOLDER / RECORDS
    records = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    for name in words.only or [*COMPARISONS, PROFILE]:
        say(f"--- {name}")
        started = time.monotonic()
        measure = hot_spots.profile if name == PROFILE else COMPARISONS[name]
        found = measure(Bench(data, outputs, say))
        records[name] = {"machine": machine(), **found}
        write(records, FOLDER, README)
        for line in found.get("lines", ()):
            print(f"{line['work']}: {line['measured']} (reach: {line['reach']}; {line['met']})")
        say(f"{name} took {(time.monotonic() - started) / 60:.1f} minutes")
    print(f"Table: {place.with_name(PAGE)}")


if __name__ == "__main__":
    main()
