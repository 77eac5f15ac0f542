"""The models, as rows: name, what it reads, where its code is, hyper-parameters with defaults.

Command-line parameters, their help and their checks are made from these tables. Nothing heavy is
imported here, since every command reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pipeline.errors import PipelineError
from pipeline.features import registry as features
from pipeline.settings import Setting

HYPERPARAMETERS = {
    setting.name: setting
    for setting in (
        Setting(
            "class_weights",
            "floats",
            "none",
            "weight of each class in the loss, in the order of the labels; balanced: inverse to "
            "frequency with mean 1, max: largest class over each class",
            above=0,
            also=("none", "balanced", "max"),
        ),
        Setting(
            "variant",
            "choice",
            "multinomial",
            "which naive Bayes",
            choices=("multinomial", "complement"),
        ),
        Setting("alpha", "float", 1.0, "Laplace smoothing added to each word's count", above=0),
        Setting(
            "units",
            "ints",
            (64,),
            "width of each recurrent layer, first layer first; each direction has as many",
            unit="cells",
            low=1,
        ),
        Setting("embedding_size", "int", 128, "numbers that stand for a word", low=1),
        Setting(
            "spatial_dropout",
            "float",
            0.0,
            "share of the embedding's dimensions dropped for a whole text while training",
            low=0,
            below=1,
        ),
        Setting(
            "dropout",
            "float",
            0.5,
            "share of values dropped before the output layer while training",
            low=0,
            below=1,
        ),
        Setting(
            "pooling",
            "choice",
            "last",
            "how the last recurrent layer's states become one vector",
            choices=("last", "max", "mean", "max_mean"),
        ),
        Setting(
            "optimizer",
            "choice",
            "adam",
            "optimizer, with Keras' defaults besides the learning rate",
            choices=("adam", "adamw", "nadam", "rmsprop", "sgd"),
        ),
        Setting("learning_rate", "float", 1e-3, "step size of the optimizer", above=0),
        Setting("batch_size", "int", 32, "texts in each step", unit="texts", low=1),
        Setting("epochs", "int", 20, "most passes over the training rows", unit="epochs", low=1),
        Setting(
            "monitor",
            "choice",
            "loss",
            "figure on validation rows that decides when to stop and which weights to keep",
            choices=("loss", "accuracy", "auc", "f1"),
        ),
        Setting(
            "patience",
            "int",
            3,
            "epochs without improvement before training stops; 0: never stop early, keep the last",
            unit="epochs",
            low=0,
        ),
        Setting("min_change", "float", 0.0, "least change that counts as an improvement", low=0),
        Setting(
            "refit_on_validation",
            "flag",
            False,
            "train again from scratch on training and validation rows for the epochs found",
        ),
        Setting(
            "reduce_factor",
            "float",
            1.0,
            "factor on the learning rate when the monitored figure stands still; 1: never",
            above=0,
            high=1,
        ),
        Setting(
            "reduce_patience",
            "int",
            2,
            "epochs without improvement before the learning rate is reduced",
            unit="epochs",
            low=1,
        ),
        Setting(
            "seed",
            "int",
            0,
            "seed of initial weights, dropout and order of batches",
            low=0,
            high=2**32 - 1,
        ),
    )
}

_TRAINING = (
    "class_weights",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
    "monitor",
    "patience",
    "min_change",
    "refit_on_validation",
    "reduce_factor",
    "reduce_patience",
    "seed",
)
# A seed is shared by all models in luigi.cfg; a model without chance leaves it unused.
_ALWAYS_ALLOWED = {"seed"}


@dataclass(frozen=True)
class Model:
    """One row of the registry.

    Attributes
    ----------
    name : str
        As given to ``--model``.
    reads : str
        Representation, a row of `pipeline.features.registry.REPRESENTATIONS`.
    family : str
        ``module:class`` of the classifier.
    uses : tuple of str
        Names of its hyper-parameters.
    defaults : mapping
        Values that differ from the hyper-parameters' own defaults, and from those of any upstream
        setting such as ``max_words``.
    builder : str
        ``module:function`` that builds a network, for families that want one.
    masks_padding : bool
        Whether a network leaves padding out of account, so that batches may be cut short.
    summary : str
        One line on what it is.
    """

    name: str
    reads: str
    family: str
    uses: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    builder: str = ""
    masks_padding: bool = False
    summary: str = ""

    def load_family(self) -> Any:
        """Import the class of the classifier."""
        return _load(self.family)

    def load_builder(self) -> Any:
        """Import the function that builds the network."""
        return _load(self.builder)


DEFAULT = "bilstm"
MODELS = {
    model.name: model
    for model in (
        Model(
            name="naive_bayes",
            reads="tfidf",
            family="pipeline.models.naive_bayes:NaiveBayes",
            uses=("variant", "alpha"),
            summary="naive Bayes on tf-idf values",
        ),
        Model(
            name="bilstm",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.recurrent:bilstm",
            masks_padding=True,
            uses=(
                "units",
                "embedding_size",
                "spatial_dropout",
                "dropout",
                "pooling",
                *_TRAINING,
            ),
            defaults={"max_words": 10_000},
            summary="bidirectional LSTM layers over a learned embedding",
        ),
    )
}


def resolve(
    model: str, given: Mapping[str, Any], settings: Mapping[str, Setting]
) -> dict[str, Any]:
    """Replace every value that was not given by the model's default or the setting's own.

    Parameters
    ----------
    model : str
        Row of the registry.
    given : mapping
        Value of every setting, None where the user gave none.
    settings : mapping
        The settings, by name.

    Returns
    -------
    dict
        A plain value for each setting; None for those that the model does not use.

    Raises
    ------
    PipelineError
        If a setting was given that the model does not use.
    """
    row = MODELS[model]
    optional = set(HYPERPARAMETERS) | set(features.SETTINGS)
    used = set(row.uses) | set(features.REPRESENTATIONS[row.reads].settings)
    resolved: dict[str, Any] = {}
    for name, setting in settings.items():
        value = given.get(name)
        if name == "representation":
            if value not in (None, row.reads):
                raise PipelineError(
                    f"model {model!r} reads {row.reads}, got representation {value}; leave "
                    "representation out."
                )
            resolved[name] = row.reads
        elif name in optional and name not in used:
            if value is not None and name not in _ALWAYS_ALLOWED:
                raise PipelineError(
                    f"model {model!r} does not use {name}; leave it out. "
                    f"It uses {', '.join(sorted(used))}."
                )
            resolved[name] = None
        else:
            default = row.defaults.get(name, setting.default)
            resolved[name] = setting.check(default) if value is None else value
    return resolved


def _load(path: str) -> Any:
    """Import what ``module:name`` names."""
    module, name = path.split(":")
    return getattr(import_module(module), name)
