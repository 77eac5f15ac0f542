"""From a night's artifacts to what the rules of `pipeline.nightly` say of them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.datasets.dated import Part
from pipeline.errors import PipelineError
from pipeline.nightly import contract
from pipeline.tasks.chain import CleanText, Evaluate
from pipeline.tasks.limits import contract as contract_section
from pipeline.tasks.limits import drift as drift_section

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.nightly.evaluated import Evaluated
    from pipeline.nightly.night import Night
    from pipeline.nightly.promotion import Limits

SEED = 0
#: Rows of each side that drift and unknown words are measured on; more tell nothing new.
MOST_ROWS = 20_000


def unreadable(clean: CleanText, parts: Sequence[Part]) -> contract.Breach | None:
    """Read and clean a night's rows; return a breach where its files cannot be read.

    Parameters
    ----------
    clean : CleanText
    parts : sequence of Part
        The files that it reads.

    Raises
    ------
    PipelineError
        On anything else that a user can mend, such as frozen rows that cannot be read.
    """
    try:
        clean.run()
    except PipelineError as error:
        problem = clean.problem_with_rows()
        if problem is None or any(part.key in problem for part in parts if part.is_frozen):
            raise
        return contract.unreadable(problem)
    return None


def own_rows(place: Path, class_names: list[str]) -> "tuple[pa.Table, contract.Measures]":
    """Return a night's rows, frozen ones left out, and what they are like.

    Parameters
    ----------
    place : Path
        Folder of the CleanText artifact.
    class_names : list of str
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from pipeline.nightly.evaluated import is_frozen_file
    from pipeline.text.rows import OF_FROZEN

    columns = ["raw", "clean", "label", "file"]
    rows = pq.read_table(place / "rows.parquet", columns=columns)
    rows = rows.filter(pc.invert(is_frozen_file(rows["file"])))
    rejected = pq.read_table(place / "rejected.parquet", columns=["reason", "raw", "file"])
    aside = pc.or_(pc.equal(rejected["reason"], OF_FROZEN), is_frozen_file(rejected["file"]))
    return rows, contract.measure(rows, rejected.filter(pc.invert(aside)), class_names)


def against_champion(rows: "pa.Table", champion: "Evaluated") -> dict[str, Any]:
    """Measure what a night's rows are to the champion.

    Parameters
    ----------
    rows : pa.Table
        ``raw`` and ``label`` of the night's own rows.
    champion : Evaluated

    Returns
    -------
    dict
        ``unknown_share``, as the contract measures it, and ``drift``
        (`pipeline.nightly.drift.Drift.as_json`).
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.nightly import drift
    from pipeline.nightly.evaluated import sampled

    chosen = rows.take(pa.array(sampled(np.arange(rows.num_rows), MOST_ROWS, SEED)))
    names = pa.array(champion.class_names, pa.string())
    labels = pc.fill_null(pc.index_in(chosen["label"], names), -1).to_numpy()
    texts = champion.texts(chosen["raw"].to_pylist())
    counts = np.bincount(texts.tokens.codes, minlength=len(texts.tokens.words)).tolist()
    found = drift.compare(
        champion.training(MOST_ROWS, SEED),
        drift.Sample(labels, texts.tokens, champion.predict_texts(texts)),
        champion.class_names,
        drift_section().limits(),
    )
    by_word = dict(zip(texts.tokens.words, counts, strict=True))
    unknown = contract.unknown_words(by_word, champion.vocabulary())
    return {"unknown_share": unknown, "drift": found.as_json()}


def breaches(measures: contract.Measures, earlier: "list[Night]") -> list[contract.Breach]:
    """Compare a night with the contract and with earlier nights that kept it."""
    kept = [
        contract.Measures.from_json(night.contract["measures"])
        for night in earlier
        if night.contract and night.contract["measures"] and not night.contract["breaches"]
    ]
    return contract.breaches(measures, kept, contract_section().limits())


def decision(evaluate: Evaluate, champion: "Evaluated | None", limits: "Limits") -> Any:
    """Compare a night's model with the champion on the frozen rows.

    Returns
    -------
    Promotion
    """
    from pipeline.nightly import promotion
    from pipeline.nightly.evaluated import Evaluated

    mine = Evaluated(evaluate.place())
    frozen, baseline = mine.frozen(), evaluate.baseline()
    return promotion.decide(
        frozen.labels,
        frozen.probabilities,
        champion.probabilities_of(frozen) if champion else None,
        Evaluated(baseline.place()).frozen().probabilities if baseline else None,
        mine.class_names,
        limits,
        SEED,
    )


def contract_json(
    measures: contract.Measures | None, found: list[contract.Breach]
) -> dict[str, Any]:
    """Lay out what ``night.json`` holds under ``contract``."""
    return {
        "measures": measures.as_json() if measures else None,
        "breaches": [breach.as_json() for breach in found],
        "limits": asdict(contract_section().limits()),
    }

