"""The gates of a night as Luigi tasks; each writes one JSON file.

`pipeline.nightly.decide` yields them. They are imported when a night runs, so that command lines
do not get options for their many inherited parameters.
"""

from dataclasses import asdict, replace
from typing import Any

import luigi
from luigi.util import requires

from pipeline.nightly import day_rows, gates, ledger, limits, records
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.evaluate import Evaluate

_SAMPLE = "sample.parquet"


class Gate(Step):
    """A comparison with the champion; its JSON file has the name of the step's label."""

    folder = "gates"
    place = "[gate]"
    champion = luigi.Parameter(
        default="",
        positional=False,
        description="folder of the champion's Evaluate artifact, relative to the outputs folder; "
        "empty: there is no champion",
    )
    earlier = luigi.Parameter(
        default="",
        positional=False,
        description="digest of the records of earlier nights that the result depends on",
    )

    def result(self) -> Any:
        """Return the content of the JSON file; the artifact must be complete."""
        return files.read_json(self.path() / f"{self.label}.json")

    def external_inputs(self) -> dict[str, Any]:
        """Return what is not a step of the night's chain: the champion and earlier nights."""
        return {"champion": self.champion, "earlier": self.earlier}


@requires(CleanText)
class Contract(Gate):
    """Compare the rows of a night's day with the data contract.

    A real entry of ``breaches`` in ``contract.json``: ``{"name": "rows_least", "measured": 100,
    "allowed": 240.0, "sentence": "100 rows are too few: ..."}``.
    """

    label = "contract"

    def summary(self) -> str:
        """Return the number of limits that the rows break."""
        breaches = len(self.result()["breaches"])
        return f"{breaches} limits are broken" if breaches else "all limits are kept"

    def settings(self) -> Settings:
        """Return the limits of the contract."""
        return Settings(asdict(limits.contract().limits()), "the contract")

    def external_inputs(self) -> dict[str, Any]:
        """Return the champion, the measures of earlier nights, and the files of the day."""
        return {**super().external_inputs(), "files": day_rows.names_of_day(self._clean)}

    def build(self, out: publishing.Workspace) -> None:
        """Write ``contract.json``, and ``sample.parquet`` if there is a champion."""
        download = self._clean.download
        rows, rejected = day_rows.tables_of_day(self._clean)
        profile = files.read_json(self._clean.path() / "profile.json")
        measures = gates.measure(rows, rejected, profile["class_names"])
        champion = gates.champion_model(self.champion)
        if champion is not None and rows.num_rows:
            sample = gates.sample(rows, champion)
            out.write_table(_SAMPLE, sample, dictionary_columns=("label",))
            measures = replace(measures, unknown_share=gates.unknown_share(sample, champion))
        earlier = records.earlier_measures(self.dataset, str(download.day))
        out.write_json("contract.json", gates.check_contract(measures, earlier, champion))

    @property
    def _clean(self) -> CleanText:
        clean = self.upstream()
        assert isinstance(clean, CleanText)
        return clean


@requires(Contract)
class Drift(Gate):
    """Compare the rows of a night's day with the champion's training rows.

    ``drift.json`` is null if no row of the day can be used.
    """

    label = "drift"

    def summary(self) -> str:
        """Return the level of the drift."""
        result = self.result()
        return f"level {result['level']}" if result else "no rows to compare"

    def settings(self) -> Settings:
        """Return the levels of drift."""
        return Settings(asdict(limits.drift().limits()), "drift")

    def build(self, out: publishing.Workspace) -> None:
        """Write ``drift.json``."""
        sample, champion = self.path_of("Contract") / _SAMPLE, gates.champion_model(self.champion)
        result = gates.drift(sample, champion) if champion and sample.is_file() else None
        out.write_json("drift.json", result)


@requires(Evaluate)
class Decision(limits.PromotionRules, Gate):
    """Compare the night's model with the champion on the holdout rows."""

    label = "decision"

    def summary(self) -> str:
        """Return whether the model is promoted."""
        return "the model is promoted" if self.result()["promoted"] else "the champion is kept"

    def build(self, out: publishing.Workspace) -> None:
        """Write ``decision.json``."""
        from pipeline.nightly.rules import Limits

        evaluate, rules = self.upstream(), Limits(**self.promotion_limits())
        assert isinstance(evaluate, Evaluate)
        entries = ledger.read(records.registry_of(self.dataset)).entries
        decided = gates.decide(evaluate, gates.champion_model(self.champion), rules, entries)
        out.write_json("decision.json", asdict(decided))
