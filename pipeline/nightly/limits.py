"""What a night's rows are held to: sections ``[contract]`` and ``[drift]`` of luigi.cfg."""

from typing import TYPE_CHECKING

import luigi

from pipeline.nightly.contract import Limits

if TYPE_CHECKING:
    from pipeline.nightly import drift as drifts


class contract(luigi.Config):
    """Thresholds of the data contract; defaults are those of `pipeline.nightly.contract.Limits`."""

    trailing_nights = luigi.IntParameter(
        default=Limits.trailing_nights,
        description="how many of the latest nights the medians of rows and classes are of",
    )
    rows_least = luigi.FloatParameter(
        default=Limits.rows_least, description="fewest rows, as a share of their trailing median"
    )
    rows_most = luigi.FloatParameter(
        default=Limits.rows_most, description="most rows, as a multiple of their trailing median"
    )
    rows_minimum = luigi.IntParameter(
        default=Limits.rows_minimum, description="rows that every night must have"
    )
    class_share_change = luigi.FloatParameter(
        default=Limits.class_share_change,
        description="how far a class' share may be from its trailing median, 0.2 is 20 points",
    )
    class_share_least = luigi.FloatParameter(
        default=Limits.class_share_least, description="share that every class must have"
    )
    empty_share = luigi.FloatParameter(
        default=Limits.empty_share, description="largest share of records without text"
    )
    repeated_share = luigi.FloatParameter(
        default=Limits.repeated_share,
        description="largest share of records whose text came before",
    )
    unusable_share = luigi.FloatParameter(
        default=Limits.unusable_share,
        description="largest share of records left out for another reason",
    )
    unknown_share = luigi.FloatParameter(
        default=Limits.unknown_share,
        description="largest share of words that the champion was not trained on",
    )

    def limits(self) -> Limits:
        """Return them checked."""
        return Limits(**self.param_kwargs)


class drift(luigi.Config):
    """Levels of drift; defaults are those of `pipeline.nightly.drift.Limits`."""

    warning_psi = luigi.FloatParameter(
        default=0.1, description="population stability index that is noted"
    )
    stop_psi = luigi.FloatParameter(
        default=0.25, description="population stability index that ends a night"
    )
    warning_distance = luigi.FloatParameter(
        default=0.13, description="Jensen-Shannon distance, base 2, that is noted"
    )
    stop_distance = luigi.FloatParameter(
        default=0.21, description="Jensen-Shannon distance, base 2, that ends a night"
    )

    def limits(self) -> "drifts.Limits":
        """Return them checked."""
        from pipeline.nightly.drift import Limits

        return Limits(**self.param_kwargs)
