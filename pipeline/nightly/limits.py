"""Settings of the gates: sections ``[contract]`` and ``[drift]`` of luigi.cfg, and promotion."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import luigi

from pipeline.nightly import contract as contracts
from pipeline.nightly.night import METRICS
from pipeline.settings.parameter import parameter, with_parameters
from pipeline.settings.resolve import resolve
from pipeline.settings.setting import Setting

if TYPE_CHECKING:
    from pipeline.nightly import drift as drifts

# Descriptions of the limits of the contract; the dataclass has their types and defaults.
_CONTRACT = {
    "trailing_nights": "number of latest nights whose medians of rows and classes are compared",
    "rows_least": "fewest rows, as a share of their trailing median",
    "rows_most": "most rows, as a multiple of their trailing median",
    "rows_minimum": "fewest rows of any night",
    "class_share_change": "largest difference of a class share from its trailing median",
    "class_share_least": "smallest share of every class",
    "empty_share": "largest share of records without text",
    "repeated_share": "largest share of records that repeat an earlier text",
    "unusable_share": "largest share of records that are rejected for another reason",
    "unknown_share": "largest share of words that are not in the champion's training texts",
}
_PROMOTION = ("metric", "margin", "confidence", "recall_drop", "calibration_rise")


_HINT = "change luigi.cfg"
_AT_LEAST_ONE = ("trailing_nights", "rows_most", "rows_minimum")  # the other limits are shares


def _contract_setting(name: str, default: float) -> Setting:
    """Return the setting of a limit of the contract."""
    low, high = (1, None) if name in _AT_LEAST_ONE else (0, 1)
    kind = type(default).__name__
    return Setting(name, kind, default, _CONTRACT[name], low=low, high=high, hint=_HINT)


@with_parameters({k: _contract_setting(k, v) for k, v in asdict(contracts.Limits()).items()})
class contract(luigi.Config):
    """Limits of the data contract."""

    def limits(self) -> contracts.Limits:
        """Return the limits, checked."""
        return contracts.Limits(**_set(self))


class drift(luigi.Config):
    """Levels of drift."""

    warning_psi = parameter(
        "float", 0.1, "stability index of the level warning", above=0, hint=_HINT
    )
    stop_psi = parameter("float", 0.25, "stability index that stops the night", above=0, hint=_HINT)
    warning_distance = parameter(
        "float",
        0.13,
        "Jensen-Shannon distance, base 2, of the level warning",
        above=0,
        high=1,
        hint=_HINT,
    )
    stop_distance = parameter(
        "float",
        0.21,
        "Jensen-Shannon distance, base 2, that stops the night",
        above=0,
        high=1,
        hint=_HINT,
    )

    def limits(self) -> "drifts.Limits":
        """Return the levels, checked."""
        from pipeline.nightly.drift import Limits

        return Limits(**_set(self))


class PromotionRules:
    """Parameters of the rules by which a night's model replaces the champion."""

    metric = parameter("choice", "macro_f1", "metric that decides", choices=tuple(METRICS))
    margin = parameter("float", 0.0, "a new model must be better by more than this", low=0)
    confidence = parameter(
        "float",
        0.95,
        "1 minus the probability of any false promotion on one set of holdout rows, over all "
        "nights",
        low=0.5,
        high=1,
    )
    recall_drop = parameter(
        "float", 0.05, "largest decrease of the recall of a class", low=0, high=1
    )
    calibration_rise = parameter(
        "float", 0.02, "largest increase of the expected calibration error", low=0, high=1
    )

    def promotion_limits(self) -> dict[str, Any]:
        """Return the value of each rule, defaults filled in."""
        settings = {name: getattr(PromotionRules, name).setting for name in _PROMOTION}
        return dict(resolve({name: getattr(self, name) for name in _PROMOTION}, settings))


def _set(section: luigi.Config) -> dict[str, Any]:
    """Return the values that luigi.cfg or the command line sets."""
    return {name: value for name, value in section.param_kwargs.items() if value is not None}
