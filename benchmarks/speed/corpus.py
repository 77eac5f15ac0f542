"""The files that the comparisons run on, made of real ones."""

import csv
import random
from collections.abc import Mapping
from pathlib import Path


def tweets(data: Path, copies: int) -> str:
    """Write sentiment140 several times over, words of each copy but the first shuffled.

    Parameters
    ----------
    data : Path
        Data folder with ``sentiment140``; the copies become a dataset of their own in it.
    copies : int
        The order of words in a copy is seeded by its number.

    Returns
    -------
    str
        The dataset's name; its file ``rows.csv`` has the columns ``text`` and ``label``.
    """
    name = f"tweets_{copies}"
    file = data / name / "rows.csv"
    if file.is_file():
        return name
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "dataset.toml").write_text(
        'labels = ["0", "1"]\nfiles = ["rows.csv"]\nmultiline = false\n'
    )
    source = next(iter(sorted((data / "sentiment140").glob("*.csv"))))
    with open(source, newline="", encoding="utf-8") as stream:
        rows = [(row[3], row[1]) for row in csv.reader(stream)][1:]
    part = file.with_suffix(".part")
    with open(part, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["text", "label"])
        for copy in range(copies):
            rng = random.Random(copy)
            for text, label in rows:
                words = text.split(" ")
                if copy:
                    rng.shuffle(words)
                writer.writerow([" ".join(words), label])
    part.rename(file)
    return name


def split_rows(places: Mapping[str, Path], folder: Path) -> Path:
    """Write clean texts and labels of the pipeline's own split, for the notebook way to train on.

    Rows that the pipeline holds back for validation are training rows there: a plain `fit` has no
    other use for them.

    Parameters
    ----------
    places : mapping of str to Path
        Folders of CleanText and SplitStratified.
    folder : Path
        Where ``train.csv`` and ``test.csv`` go.
    """
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    texts = pq.read_table(places["CleanText"] / "rows.parquet", columns=["id", "clean"])
    split = pq.read_table(places["SplitStratified"] / "split.parquet")
    frame = texts.join(split, "id").to_pandas().sort_values("id")
    for part, parts in (("train", ("train", "validation")), ("test", ("test",))):
        some = frame[frame["part"].isin(parts)]
        rows = some.rename(columns={"clean": "text"})[["text", "label"]]
        rows.to_csv(folder / f"{part}.csv", index=False)
    return folder
