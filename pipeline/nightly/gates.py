"""The gates of a night as functions of artifacts: data contract, drift, and the decision."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import HOLDOUT_ROWS_EXCLUDED
from pipeline.nightly import contract, limits, spending
from pipeline.nightly.ledger import Entry
from pipeline.tasks.config import outputs_folder
from pipeline.tasks.evaluate import Evaluate

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.nightly.promotion import Limits, Promotion
    from pipeline.nightly.trained_model import Evaluated

logger = logging.getLogger("luigi-interface")
_SEED = 0
_MOST_ROWS = 20_000  # of each side that drift and unknown words are measured on


def champion_model(path: str) -> "Evaluated | None":
    """Return the model of an Evaluate artifact, by its path below the outputs folder."""
    from pipeline.nightly.trained_model import Evaluated

    return Evaluated(outputs_folder() / path) if path else None


def measure(
    rows: "pa.Table", rejected: "pa.Table", class_names: Sequence[str]
) -> contract.Measures:
    """Measure the tables of a night's day, unknown words excluded.

    The other days of its window do not count: earlier nights checked them, and a poor day would
    not show among many good ones.
    """
    import pyarrow.compute as pc

    from pipeline.text.rows import HOLDOUT_TEXT

    counted = rejected.filter(pc.not_equal(rejected["reason"], HOLDOUT_TEXT))
    return contract.measure(rows, counted, class_names)


def sample(rows: "pa.Table", champion: "Evaluated") -> "pa.Table":
    """Draw the rows of the day, at most `_MOST_ROWS`, that are compared with the champion's.

    Columns: ``raw``, ``label``, and ``tokens`` by the champion's tokenizer.
    """
    import numpy as np
    import pyarrow as pa

    from pipeline.nightly.trained_model import sampled

    drawn = rows.take(pa.array(sampled(np.arange(rows.num_rows), _MOST_ROWS, _SEED)))
    tokens = champion.tokens_of(drawn["raw"].to_pylist()).to_arrow()
    labels = drawn["label"].cast(pa.string())
    return pa.table({"raw": drawn["raw"], "label": labels, "tokens": tokens})


def unknown_share(compared: "pa.Table", champion: "Evaluated") -> float:
    """Return the share of words of a `sample` that are not in the champion's training rows."""
    import numpy as np

    from pipeline.text.tokens import Tokens

    tokens = Tokens.from_arrow(compared["tokens"])
    counts = np.bincount(tokens.codes, minlength=len(tokens.words)).tolist()
    by_word = dict(zip(tokens.words, counts, strict=True))
    return contract.unknown_words(by_word, champion.vocabulary())


def check_contract(
    measures: contract.Measures,
    earlier: Sequence[Mapping[str, Any]],
    champion: "Evaluated | None",
) -> dict[str, Any]:
    """Return the key ``contract`` of ``night.json``; earlier measures are oldest first."""
    before = [contract.Measures(**one) for one in earlier]
    breaches = contract.breaches(measures, before, limits.contract().limits())
    names = list(measures.class_shares)
    if champion is not None and champion.class_names != names:
        breaches.insert(0, contract.other_classes(names, champion.class_names))
    return contract_json(measures, breaches)


def contract_json(
    measures: contract.Measures | None, breaches: Sequence[contract.Breach]
) -> dict[str, Any]:
    """Return measures (None if the raw files cannot be read), breaches and limits as JSON."""
    return {
        "measures": asdict(measures) if measures else None,
        "breaches": [asdict(breach) for breach in breaches],
        "limits": asdict(limits.contract().limits()),
    }


def drift(path: Path, champion: "Evaluated") -> dict[str, Any]:
    """Return the key ``drift`` of ``night.json``, from the Parquet file of a `sample`."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from pipeline.nightly import drift as drifts
    from pipeline.text.tokens import read_tokens

    compared = pq.read_table(path, columns=["raw", "label"])
    names = pa.array(champion.class_names, pa.string())
    labels = pc.fill_null(pc.index_in(compared["label"], names), -1).to_numpy()
    raw = compared["raw"].to_pylist()
    # A model is surer of texts that it was trained on; the reference scores have none of them.
    unseen = [text for text, seen in zip(raw, champion.learned(raw), strict=True) if not seen]
    scores = champion.predict(unseen) if unseen else None
    result = drifts.compare(
        champion.training(_MOST_ROWS, _SEED),
        drifts.Sample(labels, read_tokens(path), scores),
        champion.class_names,
        limits.drift().limits(),
    )
    return asdict(result)


def decide(
    evaluate: Evaluate,
    champion: "Evaluated | None",
    rules: "Limits",
    entries: Sequence[Entry] = (),
) -> "Promotion":
    """Compare a night's model with the champion on the holdout rows, by their predicted classes.

    Holdout rows that the champion was trained on, before they became holdout rows, are excluded.
    """
    from pipeline.nightly import promotion
    from pipeline.nightly.trained_model import Evaluated

    challenger, baseline = Evaluated(evaluate.path()), evaluate.baseline()
    holdout = challenger.holdout_rows()
    sketch = spending.sketch(holdout.raw)
    is_fair = _not_trained_on(champion, holdout.raw)
    models = {
        "challenger": challenger,
        "champion": champion,
        "baseline": Evaluated(baseline.path()) if baseline else None,
    }
    predictions: dict[str, Any] = dict.fromkeys(models)
    for name, model in models.items():
        if model is not None:
            of_all = model.predictions_of(holdout)
            predictions[name] = promotion.Predictions(
                of_all.probabilities[is_fair], of_all.decided[is_fair]
            )
    decided = promotion.decide(
        holdout.labels[is_fair],
        **predictions,
        class_names=challenger.class_names,
        limits=rules,
        seed=_SEED,
        groups=holdout.groups[is_fair],
        comparison=spending.comparisons(entries, sketch) + 1,
    )
    return replace(decided, figures={**decided.figures, "holdout": sketch})


def _not_trained_on(champion: "Evaluated | None", raw: Sequence[str]) -> Any:
    """Mark the holdout rows that the champion was not trained on; warn about the others."""
    import numpy as np

    is_fair = np.ones(len(raw), bool) if champion is None else ~champion.learned(raw)
    if not is_fair.all():
        logger.warning(
            "%s: %d of %d holdout rows are excluded from the comparison: the champion was trained "
            "on their texts before they became holdout rows.",
            HOLDOUT_ROWS_EXCLUDED,
            np.count_nonzero(~is_fair),
            len(is_fair),
        )
    return is_fair
