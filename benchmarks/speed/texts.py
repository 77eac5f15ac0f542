"""Comparisons of the text steps, and of the tf-idf matrix that is made of their tokens."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed import corpus
from benchmarks.speed.bench import Bench, found, line
from benchmarks.speed.harness import Side, compare

_NOTEBOOK, _SOME, _ALL = "notebook way, 100,000 rows", "100,000 rows", "1,600,000 rows"
_FROM_FILE = (
    "The pipeline's seconds are those of whole processes, start-up, luigi and the checksum of the "
    "file included, as is every step's artifact on disk; of the notebook way its fact `seconds` "
    "counts, without start-up and imports and with nothing written, which is in its favour."
)


def text_words(bench: Bench) -> dict[str, Any]:
    """Compare the text steps, plain words."""
    small, large = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 16)
    command = bench.notebook("text", bench.data / small / "rows.csv", "words")
    settings = {"sequence_length": 35, "max_words": 10_000}
    sides = [
        bench.side(name, bench.luigi("Vectorize", dataset, **settings), dataset, "DownloadData")
        for name, dataset in ((_SOME, small), (_ALL, large))
    ]
    taken = compare([Side(_NOTEBOOK, command), *sides], 3, bench.say)
    ours, theirs = taken[_ALL], taken[_NOTEBOOK]
    faster = (1_600_000 / ours.median()) / (100_000 / theirs.median("seconds"))
    memory = max(ours.memory)
    flat = (ours.median("steps") / 16) / taken[_SOME].median("steps")
    took = f"{ours.median():.1f} s, {memory:,.0f} MiB"
    return found(
        taken,
        line("text steps, plain words: rows a second beside the notebook way",
             "4 times", f"{faster:.1f} times", faster >= 4),
        line("text steps, plain words, 1.6 million rows", "60 s, 2,048 MiB", took,
             ours.median() <= 60 and memory <= 2048,
             ("1.6 million tweets from CSV to padded word indices", took,
              f"{faster:.1f} times the rows a second of the notebook way")),
        line("time per row at 1.6 million beside 100,000 rows", "at most 1.2 times",
             f"{flat:.2f} times", flat <= 1.2),
        note=[_FROM_FILE, "Time per row is compared over the steps alone: start-up would flatter "
              "the larger file."],
    )  # fmt: skip


def text_stems(bench: Bench) -> dict[str, Any]:
    """Compare regexp tokens, stop words and Porter stems."""
    small, large = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 16)
    tokens = {
        "tokenizer": "regexp", "token_case": "lower", "stop_words": "scikit-learn",
        "word_form": "porter",
    }  # fmt: skip
    settings = {**tokens, "sequence_length": 35, "max_words": 10_000}
    theirs = bench.outputs / "notebook-stems.jsonl"
    notebook = bench.notebook("text", bench.data / small / "rows.csv", "stems", theirs)
    command = bench.luigi("Vectorize", large, **settings)
    sides = [Side(_NOTEBOOK, notebook), bench.side(_ALL, command, large, "DownloadData")]
    taken = compare(sides, 3, bench.say)
    bench.build("Tokenize", small, **tokens)
    same, said = _same_tokens(bench.chain(small, "Tokenize", "regexp"), theirs)
    faster = (1_600_000 / taken[_ALL].median()) / (100_000 / taken[_NOTEBOOK].median("seconds"))
    return found(
        taken,
        line("text steps, regexp tokens, stop words, Porter stems", "10 times, same tokens",
             f"{faster:.1f} times, {said}", faster >= 10 and same,
             ("the same with stop words and Porter stems", f"{taken[_ALL].median():.1f} s",
              f"{faster:.1f} times")),
        note=[_FROM_FILE, "The pipeline cleans texts until nothing changes, such as `@a@b`; the "
              "notebook way cleans once, so that some texts come out otherwise."],
    )  # fmt: skip


def text_tweet(bench: Bench) -> dict[str, Any]:
    """Compare NLTK's TweetTokenizer in one process and in two, and its tokens with NLTK's own."""
    small, dataset = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 4)
    bench.build("CleanText", dataset)
    hashes: list[str] = []

    def facts() -> dict[str, Any]:
        hashes.append(bench.manifest(dataset, "Tokenize")["files"]["tokens.parquet"]["sha256"])
        return {}

    sides = [
        bench.side(
            f"{number} process{'es' if number > 1 else ''}",
            bench.luigi("Tokenize", dataset, tokenizer="tweet", processes=number),
            dataset, "Tokenize", facts,
        )
        for number in (1, 2)
    ]  # fmt: skip
    taken = compare(sides, 2, bench.say, warm_up=False)
    theirs = bench.outputs / "notebook-tweet.jsonl"
    notebook = bench.notebook("text", bench.data / small / "rows.csv", "tweet", theirs)
    subprocess.run(notebook, check=True, capture_output=True)
    same, said = _same_tokens(bench.chain(dataset, "Tokenize", "tweet"), theirs)
    faster = taken["1 process"].median("steps") / taken["2 processes"].median("steps")
    alike = len(set(hashes)) == 1
    return found(
        taken,
        line("tweet tokens of 400,000 rows, two processes beside one", "1.7 times, same tokens",
             f"{faster:.2f} times, {'same' if alike else 'other'} tokens; {said}, beside NLTK row "
             "by row", faster >= 1.7 and alike and same),
        note="The step alone, since texts are clean already. Memory is that of one process, not of "
        "all together. NLTK's own tokens are those of the first 100,000 rows.",
    )  # fmt: skip


def tfidf(bench: Bench) -> dict[str, Any]:
    """Compare tf-idf values of word 1-2-grams with scikit-learn's."""
    dataset = corpus.tweets(bench.data, 1)
    bench.build("Tokenize", dataset)
    place = bench.manifest(dataset, "Tokenize", "words")["place"]
    command = [sys.executable, "-m", "benchmarks.speed.tfidf"]
    said = subprocess.run(
        [*command, "same", str(place)], check=True, capture_output=True, text=True
    )
    difference = json.loads(said.stdout)["difference"]
    sides = [Side(name, [*command, name, str(place)]) for name in ("scikit-learn", "pipeline")]
    taken = compare(sides, 3, bench.say)
    ours, theirs = taken["pipeline"], taken["scikit-learn"]
    slower = ours.median("seconds") / theirs.median("seconds")
    more = max(ours.memory) / max(theirs.memory)
    return found(
        taken,
        line("tf-idf of word 1-2-grams, 100,000 rows, beside TfidfVectorizer",
             "same values to 1e-6, no slower, no more memory",
             f"{difference:.1g}, {slower:.2f} times the seconds, {more:.2f} times the memory",
             difference <= 1e-6 and slower <= 1 and more <= 1,
             ("tf-idf of word 1-2-grams, 100,000 tweets", f"{slower:.2f} of scikit-learn's time",
              f"same values, {more:.2f} of the memory")),
        note="From tokens that are there. The fact `seconds` counts, from tokens in memory (lists "
        "for scikit-learn, columns for the pipeline) to the matrix; memory is that of the whole "
        "process.",
    )  # fmt: skip


def _same_tokens(places: dict[str, Path], notebook: Path) -> tuple[bool, str]:
    """Compare tokens with those that the notebook way wrote, of the first rows or all."""
    import pyarrow.parquet as pq

    theirs = [json.loads(row) for row in notebook.read_text(encoding="utf-8").splitlines()]
    clean = pq.read_table(places["CleanText"] / "rows.parquet", columns=["clean"])["clean"]
    tokens = pq.read_table(places["Tokenize"] / "tokens.parquet", columns=["tokens"])["tokens"]
    some = slice(None, len(theirs))
    return same_tokens(clean[some].to_pylist(), tokens[some].to_pylist(), theirs)


def same_tokens(
    clean: Sequence[str], tokens: Sequence[list[str]], theirs: Iterable[Sequence[Any]]
) -> tuple[bool, str]:
    """Say whether texts that both sides cleaned to the same have the same tokens.

    Parameters
    ----------
    clean : sequence of str
    tokens : sequence of list of str
    theirs : iterable of (str, list of str)
        Clean text and tokens of the other side, row by row.

    Returns
    -------
    bool
        Whether they have, where 99.9 % of the texts have the same tokens, however cleaned.
    str
        How many, in words.
    """
    same, other, cleaned_otherwise = [], 0, 0
    for mine, cut, (text, words) in zip(clean, tokens, theirs, strict=True):
        same.append(cut == words)
        cleaned_otherwise += mine != text
        other += mine == text and cut != words
    share = statistics.mean(same)
    said = f"{share:.2%} of texts with the same tokens ({other} of those that were cleaned alike "
    return not other and share > 0.999, f"{said}have others, {cleaned_otherwise} were not)"
