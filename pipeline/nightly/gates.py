"""From a night's artifacts to what the rules of `pipeline.nightly` say of them."""

import functools
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pipeline.data.daily import InputFile
from pipeline.nightly import contract, day_rows, spending
from pipeline.nightly.ledger import Entry
from pipeline.nightly.limits import contract as contract_section
from pipeline.nightly.limits import drift as drift_section
from pipeline.nightly.night import Night
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.evaluate import Evaluate

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.nightly.promotion import Limits, Promotion
    from pipeline.nightly.trained_model import Evaluated
    from pipeline.text.tokens import Tokens

logger = logging.getLogger("luigi-interface")
SEED = 0
#: Rows of each side that drift and unknown words are measured on; more tell nothing new.
MOST_ROWS = 20_000


def problem_with_files(clean: CleanText, parts: Sequence[InputFile]) -> str | None:
    """Read a night's raw files; say why they cannot be, None where they can.

    What is wrong with frozen rows is no fault of the night: it is left to CleanText to fail.

    Parameters
    ----------
    clean : CleanText
    parts : sequence of InputFile
        The files that it reads.
    """
    problem = day_rows.problem_with_files(clean)
    if problem is None or any(part.is_holdout and part.key in problem for part in parts):
        return None
    return problem


class Tonight:
    """What the night's own day brought, beside the champion.

    Rows of the days before it, which a window trains on as well, were judged by their own nights;
    a poor day among many good ones would not be seen.

    Parameters
    ----------
    clean : CleanText
        Of the night; it is whole.
    class_names : sequence of str
    champion : Evaluated or None
    """

    def __init__(
        self,
        clean: CleanText,
        class_names: Sequence[str],
        champion: "Evaluated | None",
    ) -> None:
        self._clean = clean
        self._class_names = class_names
        self._champion = champion

    def measures(self) -> contract.Measures:
        """Return what the rows are like, words unknown to the champion left out."""
        import pyarrow.compute as pc

        from pipeline.text.rows import HOLDOUT_TEXT

        _, rejected = self._tables
        rejected = rejected.filter(pc.not_equal(rejected["reason"], HOLDOUT_TEXT))
        return contract.measure(self._rows, rejected, self._class_names)

    def unknown_share(self) -> float | None:
        """Return the share of words that the champion was not trained on."""
        if self._champion is None or not self._rows.num_rows:
            return None
        import numpy as np

        tokens = self._tokens
        counts = np.bincount(tokens.codes, minlength=len(tokens.words)).tolist()
        by_word = dict(zip(tokens.words, counts, strict=True))
        return contract.unknown_words(by_word, self._champion.vocabulary())

    def drift(self) -> dict[str, Any] | None:
        """Compare with the champion's training data; lay out as ``night.json`` does."""
        if self._champion is None or not self._rows.num_rows:
            return None
        import pyarrow as pa
        import pyarrow.compute as pc

        from pipeline.nightly import drift

        names = pa.array(self._champion.class_names, pa.string())
        labels = pc.fill_null(pc.index_in(self._sample["label"], names), -1).to_numpy()
        # Of texts that it was trained on a model is surer than of those that the reference has.
        known = self._champion.learned(self._raw)
        unseen = [text for text, is_known in zip(self._raw, known, strict=True) if not is_known]
        scores = self._champion.predict(unseen) if unseen else None
        return drift.compare(
            self._champion.training(MOST_ROWS, SEED),
            drift.Sample(labels, self._tokens, scores),
            self._champion.class_names,
            drift_section().limits(),
        ).as_json()

    @functools.cached_property
    def _tables(self) -> "tuple[pa.Table, pa.Table]":
        return day_rows.own_tables(self._clean)

    @property
    def _rows(self) -> "pa.Table":
        return self._tables[0]

    @functools.cached_property
    def _sample(self) -> "pa.Table":
        import numpy as np
        import pyarrow as pa

        from pipeline.nightly.trained_model import sampled

        chosen = sampled(np.arange(self._rows.num_rows), MOST_ROWS, SEED)
        return self._rows.take(pa.array(chosen))

    @property
    def _raw(self) -> list[str]:
        return self._sample["raw"].to_pylist()

    @functools.cached_property
    def _tokens(self) -> "Tokens":
        assert self._champion is not None
        return self._champion.tokens_of(self._raw)


def breaches(
    measures: contract.Measures, earlier: Sequence[Night], champion: "Evaluated | None"
) -> tuple[list[contract.Breach], dict[str, Any]]:
    """Compare a night with the contract; return breaches, and what ``night.json`` says of it.

    Parameters
    ----------
    measures : Measures
    earlier : sequence of Night
        Earlier nights, oldest first; those that broke the contract do not count.
    champion : Evaluated or None
    """
    kept = [
        contract.Measures.from_json(night.contract["measures"])
        for night in earlier
        if night.contract and night.contract["measures"] and not night.contract["breaches"]
    ]
    limits = contract_section().limits()
    found = contract.breaches(measures, kept, limits)
    names = list(measures.class_shares)
    if champion is not None and champion.class_names != names:
        found.insert(0, contract.other_classes(names, champion.class_names))
    return found, contract_json(measures, found)


def contract_json(
    measures: contract.Measures | None, found: Sequence[contract.Breach]
) -> dict[str, Any]:
    """Lay out what ``night.json`` holds under ``contract``."""
    return {
        "measures": measures.as_json() if measures else None,
        "breaches": [breach.as_json() for breach in found],
        "limits": asdict(contract_section().limits()),
    }


def decision(
    evaluate: Evaluate,
    champion: "Evaluated | None",
    limits: "Limits",
    entries: Sequence[Entry] = (),
) -> "Promotion":
    """Compare a night's model with the champion on the frozen rows, by the decided classes.

    Rows that the champion was trained on, since they were frozen later, are left out: they would
    flatter it.

    Parameters
    ----------
    evaluate : Evaluate
        Of the night's model; it is whole.
    champion : Evaluated or None
    limits : Limits
    entries : sequence of Entry
        Lines of the ledger, which say how often these frozen rows were compared on.

    Returns
    -------
    Promotion
        Its figures have, as ``holdout``, the sketch of the frozen rows too.
    """
    import numpy as np

    from pipeline.nightly import promotion
    from pipeline.nightly.trained_model import Evaluated

    mine = Evaluated(evaluate.path())
    frozen, baseline = mine.frozen(), evaluate.baseline()
    fair = np.ones(len(frozen.raw), bool) if champion is None else ~champion.learned(frozen.raw)
    if not fair.all():
        logger.warning(
            "%d of %d frozen rows are left out of the comparison: the champion was trained on "
            "their texts before they were frozen.",
            np.count_nonzero(~fair),
            len(fair),
        )
    models = {
        "challenger": mine,
        "champion": champion,
        "baseline": Evaluated(baseline.path()) if baseline else None,
    }
    predictions: dict[str, Any] = dict.fromkeys(models)
    for name, model in models.items():
        if model is not None:
            everything = model.predictions_of(frozen)
            predictions[name] = promotion.Predictions(
                everything.probabilities[fair], everything.decided[fair]
            )
    holdout = spending.sketch(frozen.raw)
    found = promotion.decide(
        frozen.labels[fair],
        **predictions,
        class_names=mine.class_names,
        limits=limits,
        seed=SEED,
        groups=frozen.groups[fair],
        comparison=spending.comparisons(entries, holdout) + 1,
    )
    return replace(found, figures={**found.figures, "holdout": holdout})
