"""The models, one row each: name, what it reads, where its code is, settings with defaults.

Command-line parameters, their help and their checks are generated from these rows. This module
must stay cheap to import, since every command reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pipeline.errors import SettingConflictError, UnknownNameError
from pipeline.features import specs as features
from pipeline.features.pretrained import package_folder
from pipeline.models.presets import PRESETS
from pipeline.settings import resolve as defaults
from pipeline.settings.hyperparameters import HYPERPARAMETERS
from pipeline.settings.resolved import Settings
from pipeline.settings.setting import Setting

#: Settings that only some models use.
PER_MODEL = frozenset(HYPERPARAMETERS) | frozenset(features.SETTINGS)
# fmt: off
_TRAINING = (
    "class_weights", "loss", "output_bias", "optimizer", "learning_rate", "batch_size", "epochs",
    "monitor", "patience", "min_change", "refit_on_validation", "reduce_factor", "reduce_patience",
    "fused", "seed",
)
_EMBEDDED = (
    "embedding_size", "freeze_embedding", "spatial_dropout", "dense_units", "activations", "l2",
    "dropout", *_TRAINING,
)
_RECURRENT = (
    "units", "pooling", "input_dropout", "recurrent_dropout", "batch_normalization",
    "mask_padding", *_EMBEDDED,
)
# fmt: on
_VECTOR = ("units", "activations", "dropout", *_TRAINING)
# Every model uses these.
_SHARED = ("train_fraction",)
# Chosen on validation rows of vader and disaster.
_TWEETS = {"tokenizer": "tweet", "token_case": "lower"}
_RECURRENT_DEFAULTS = {
    **_TWEETS,
    "min_count": 2,
    "spatial_dropout": 0.4,
    "pooling": "max_mean",
    "dropout": 0.5,
    "batch_size": 64,
    # At the lowest loss, recurrent networks still predict the rarer class too rarely.
    "monitor": "f1",
}


@dataclass(frozen=True)
class Model:
    """One model."""

    name: str
    reads: str  # representation, a key of `pipeline.features.specs.REPRESENTATIONS`
    family: str  # module:class of the classifier
    uses: tuple[str, ...]  # names of its hyper-parameters
    # Defaults that differ from those of the settings, also of upstream settings (max_words).
    defaults: Mapping[str, Any] = field(default_factory=dict)
    builder: str = ""  # module:function that builds the network, for families that need one
    # Whether a network over sequences masks padding. Its batches then have texts of similar lengths
    # and are truncated to the longest. (For bags of long texts such batches were measured to hurt.)
    masks_padding: bool = False
    package: str = ""  # optional package that it needs
    extra: str = ""  # extra that installs the package
    summary: str = ""  # description in one line

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of all hyper-parameters that it uses."""
        return (*self.uses, *_SHARED)

    @property
    def used(self) -> frozenset[str]:
        """Names of the hyper-parameters and representation settings that it uses."""
        return frozenset(self.hyperparameters) | {*features.REPRESENTATIONS[self.reads].settings}

    @property
    def unused(self) -> frozenset[str]:
        """Names of the hyper-parameters and representation settings that it does not use."""
        return PER_MODEL - self.used

    @property
    def is_network(self) -> bool:
        """Whether it is a Keras network, so that training it starts TensorFlow."""
        return self.family.startswith("pipeline.models.network:")

    def load_family(self) -> Any:
        """Import the class of the classifier."""
        return _load(self.family)

    def load_builder(self) -> Any:
        """Import the function that builds the network."""
        return _load(self.builder)

    def check_package(self) -> None:
        """Raise if the optional package that the model needs is not installed."""
        if self.package:
            package_folder(self.package, self.extra, f"model {self.name!r}")


DEFAULT = "bilstm"
NO_PRESET = "none"
# fmt: off
_ROWS = (
    Model(name="naive_bayes", reads="tfidf", family="pipeline.models.naive_bayes:NaiveBayes",
          uses=("variant", "alpha"), summary="naive Bayes on tf-idf values"),
    Model(name="logistic_regression", reads="ngrams", family="pipeline.models.linear:Linear",
          uses=("cost", "class_weights", "max_train_rows"),
          defaults={"cost": 4.0, "min_count": 2, "sublinear_tf": True},
          summary="logistic regression on tf-idf values of word and character n-grams"),
    Model(name="linear_svm", reads="ngrams", family="pipeline.models.linear:Linear",
          uses=("cost", "class_weights", "calibration_folds", "max_train_rows", "seed"),
          defaults={"cost": 0.25, "min_count": 2, "sublinear_tf": True},
          summary="linear support vector machine with calibrated probabilities"),
    Model(name="nb_svm", reads="ngrams", family="pipeline.models.linear:Linear",
          uses=("alpha", "beta", "cost", "class_weights", "max_train_rows"), defaults={"cost": 0.1},
          summary="linear model on naive Bayes log-count ratios of word and character n-grams"),
    Model(name="bilstm", reads="sequences", family="pipeline.models.network:Network",
          builder="pipeline.models.sequences:bilstm", masks_padding=True,
          uses=("top_units", *_RECURRENT), defaults=_RECURRENT_DEFAULTS,
          summary="bidirectional LSTM layers over word vectors"),
    Model(name="lstm", reads="sequences", family="pipeline.models.network:Network",
          builder="pipeline.models.sequences:lstm", masks_padding=True, uses=_RECURRENT,
          defaults=_RECURRENT_DEFAULTS, summary="LSTM layers over word vectors"),
    Model(name="gru", reads="sequences", family="pipeline.models.network:Network",
          builder="pipeline.models.sequences:gru", masks_padding=True, uses=_RECURRENT,
          defaults=_RECURRENT_DEFAULTS, summary="GRU layers over word vectors"),
    Model(name="conv1d", reads="sequences", family="pipeline.models.network:Network",
          builder="pipeline.models.sequences:conv1d", uses=("filters", "filter_width", *_EMBEDDED),
          defaults={"max_words": 10_000},
          summary="a convolution over word vectors with max pooling"),
    Model(name="dense", reads="sequences", family="pipeline.models.network:Network",
          builder="pipeline.models.sequences:dense", masks_padding=True,
          uses=("mask_padding", "pooling", *_EMBEDDED),
          defaults={"max_words": 10_000, "pooling": "mean", "spatial_dropout": 0.2},
          summary="the mean of the word vectors"),
    Model(name="bag_dense", reads="multi_hot", family="pipeline.models.network:Network",
          builder="pipeline.models.vectors:bag_dense", uses=_VECTOR,
          defaults={"max_words": 3_000, "units": (512, 256), "activations": ("relu", "sigmoid"),
                    "epochs": 5},
          summary="dense layers over the set of words"),
    Model(name="tfidf_dense", reads="tfidf", family="pipeline.models.network:Network",
          builder="pipeline.models.vectors:tfidf_dense", uses=_VECTOR,
          defaults={"max_words": 10_000, "norm": "l1", "units": (64, 16, 8),
                    "output_bias": "frequencies"},
          summary="dense layers over tf-idf values"),
    Model(name="fasttext", reads="lines", family="pipeline.models.fasttext:FastText",
          package="fasttext", extra="fasttext",
          uses=("embedding_size", "epochs", "learning_rate", "longest_run", "subwords",
                "buckets", "seed"),
          defaults={"embedding_size": 50, "epochs": 10, "learning_rate": 0.5},
          summary="fastText's supervised classifier"),
    Model(name="sentence_encoder", reads="sentences", family="pipeline.models.network:Network",
          builder="pipeline.models.vectors:sentence_dense", uses=_VECTOR,
          defaults={"units": (64,), "dropout": 0.0}, summary="dense layers over vectors of a "
          "pretrained sentence encoder"),
)
# fmt: on
MODELS = {row.name: row for row in _ROWS}


def choose(model: str | None, preset: str | None) -> tuple[Model, Mapping[str, Any]]:
    """Return the model of a run and the values of its preset.

    Parameters
    ----------
    model : str or None
        None: the first model of the preset, else the default model.
    preset : str or None
        None or ``none``: no preset.

    Raises
    ------
    UnknownNameError
        If the preset has no settings for the model.

    Examples
    --------
    >>> choose(None, None)[0].name
    'bilstm'
    """
    if preset in (None, NO_PRESET):
        return MODELS[model or DEFAULT], {}
    published = PRESETS[str(preset)]
    name = model or next(iter(published))
    if name not in published:
        raise UnknownNameError(
            f"preset {preset} has no settings for model {name!r}; it has them for "
            f"{', '.join(published)}."
        )
    return MODELS[name], published[name]


def resolve(values: Mapping[str, Any], declared: Mapping[str, Setting]) -> Settings:
    """Fill in the defaults of a run, as `pipeline.settings.resolve` does, by its model and preset.

    Parameters
    ----------
    values : mapping
        Values of the user, also ``model`` and ``preset``; None if the user set no value.
    declared : mapping of str to Setting
        All settings of the run.

    Returns
    -------
    Settings
        ``preset`` is none, since its values are filled in.

    Raises
    ------
    SettingConflictError
        If the user set a setting or a representation that the model does not use.
    """
    model, published = choose(values.get("model"), values.get("preset"))
    if values.get("representation") not in (None, model.reads):
        raise SettingConflictError(
            f"model {model.name!r} reads {model.reads}, got representation "
            f"{values['representation']}; remove representation."
        )
    fixed = {"model": model.name, "preset": NO_PRESET, "representation": model.reads}
    return defaults.resolve({**values, **fixed}, declared, model, published)


def _load(path: str) -> Any:
    """Import the object at ``module:name``."""
    module, name = path.split(":")
    return getattr(import_module(module), name)
