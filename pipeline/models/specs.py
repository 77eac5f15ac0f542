"""The models, as rows: name, what it reads, where its code is, hyper-parameters with defaults.

Command-line parameters, their help and their checks are made from these tables. Nothing heavy is
imported here, since every command reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pipeline.errors import PipelineError
from pipeline.features import specs as features
from pipeline.models.presets import PRESETS
from pipeline.settings.setting import Setting

ACTIVATIONS = (
    "elu",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "softplus",
    "swish",
    "tanh",
)
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
            "cost",
            "float",
            1.0,
            "weight of the errors against the L2 penalty (C of scikit-learn); larger fits closer",
            above=0,
        ),
        Setting(
            "calibration_folds",
            "int",
            5,
            "parts of the training rows on whose held-out scores probabilities are calibrated",
            unit="folds",
            low=2,
        ),
        Setting(
            "beta",
            "float",
            1.0,
            "share of the linear model against its mean magnitude, nearer to naive Bayes",
            low=0,
            high=1,
        ),
        Setting(
            "units",
            "ints",
            (64,),
            "width of each recurrent layer (each direction has as many), or of each dense layer "
            "of a model without such; first layer first",
            unit="cells",
            low=1,
        ),
        Setting(
            "top_units",
            "int",
            0,
            "width of a recurrent layer on top that reads forward alone; 0: none",
            unit="cells",
            low=0,
        ),
        Setting(
            "dense_units",
            "ints",
            "none",
            "width of each dense layer between the text's vector and the output",
            unit="cells",
            low=1,
            also=("none",),
        ),
        Setting(
            "activations",
            "words",
            ("relu",),
            "activation of each dense layer before the output; one stands for all",
            choices=ACTIVATIONS,
        ),
        Setting(
            "l2",
            "floats",
            (0.0,),
            "L2 penalty on the weights of each dense layer before the output; one stands for all",
            low=0,
        ),
        Setting("longest_run", "int", 2, "most words of a run", unit="words", low=1),
        Setting(
            "subwords",
            "ints",
            (2, 5),
            "least and most characters of a run inside a word",
            unit="characters",
            low=1,
            also=("none",),
            length=2,
        ),
        Setting(
            "buckets",
            "int",
            200_000,
            "vectors that runs of words and characters share by hashing",
            unit="vectors",
            low=1,
        ),
        Setting("filters", "int", 32, "patterns that the convolution looks for", low=1),
        Setting("filter_width", "int", 5, "tokens that a pattern spans", unit="tokens", low=1),
        Setting(
            "fused",
            "flag",
            True,
            "LSTM layers, sums of words and Adam as single operations; false: as Keras has them, "
            "slower",
        ),
        Setting(
            "embedding_size",
            "int",
            128,
            "numbers that stand for a word, where embedding is learned",
            low=1,
        ),
        Setting(
            "freeze_embedding",
            "flag",
            False,
            "whether pretrained word vectors stay as they are while training",
        ),
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
            "share of values dropped while training: after the first dense layer, or where there "
            "is none before the output; bag_dense and sentence_encoder: after every dense layer",
            low=0,
            below=1,
        ),
        Setting(
            "input_dropout",
            "float",
            0.0,
            "share of each recurrent layer's inputs dropped while training",
            low=0,
            below=1,
        ),
        Setting(
            "recurrent_dropout",
            "float",
            0.0,
            "share of each recurrent layer's state dropped from token to token while training",
            low=0,
            below=1,
        ),
        Setting(
            "batch_normalization",
            "flag",
            False,
            "whether the states of each recurrent layer are normalized over the batch",
        ),
        Setting(
            "mask_padding",
            "flag",
            True,
            "whether padding is left out of account; without, every text has the full length",
        ),
        Setting(
            "pooling",
            "choice",
            "last",
            "how the states of a text's tokens become one vector",
            choices=("last", "max", "mean", "max_mean"),
        ),
        Setting(
            "loss",
            "choice",
            "cross_entropy",
            "what training makes small; focal: cross-entropy that minds hard texts more, mse and "
            "mae: squared and absolute error of the probabilities",
            choices=("cross_entropy", "focal", "mse", "mae"),
        ),
        Setting(
            "output_bias",
            "choice",
            "none",
            "frequencies: training starts from the classes' shares of the training rows",
            choices=("none", "frequencies"),
        ),
        Setting(
            "train_fraction",
            "float",
            1.0,
            "stratified share of the training rows that the model is trained on, for studies of "
            "how much data it needs; vocabulary and other parts stay as they are",
            above=0,
            high=1,
        ),
        Setting(
            "max_train_rows",
            "int",
            0,
            "most training rows that the model is trained on, a stratified sample of more; 0: all",
            unit="rows",
            low=0,
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
    "loss",
    "output_bias",
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
    "fused",
    "seed",
)
_EMBEDDED = (
    "embedding_size",
    "freeze_embedding",
    "spatial_dropout",
    "dense_units",
    "activations",
    "l2",
    "dropout",
    *_TRAINING,
)
_RECURRENT = (
    "units",
    "pooling",
    "input_dropout",
    "recurrent_dropout",
    "batch_normalization",
    "mask_padding",
    *_EMBEDDED,
)
_VECTOR = ("units", "activations", "dropout", *_TRAINING)
# What every model uses, whatever its family.
_SHARED = ("train_fraction",)
# Chosen on validation rows of vader and disaster.
_TWEETS = {"tokenizer": "tweet", "token_case": "lower"}
_CHOSEN_RECURRENT = {
    **_TWEETS,
    "min_count": 2,
    "spatial_dropout": 0.4,
    "pooling": "max_mean",
    "dropout": 0.5,
    "batch_size": 64,
    # Loss is lowest while a recurrent network still names the rarer class too seldom.
    "monitor": "f1",
}
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
        Representation, a row of `pipeline.features.specs.REPRESENTATIONS`.
    family : str
        ``module:class`` of the classifier.
    uses : tuple of str
        Names of its own hyper-parameters.
    defaults : mapping
        Values that differ from the hyper-parameters' own defaults, and from those of any upstream
        setting such as ``max_words``.
    builder : str
        ``module:function`` that builds a network, for families that want one.
    masks_padding : bool
        Whether a network over sequences leaves padding out of account, so that batches may be cut
        short, and are made of texts of like lengths. (For bags of long texts such batches were
        measured to hurt: the last ones pull the weights their way.)
    package, extra : str
        Module that it needs besides, and the extra that installs it.
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
    package: str = ""
    extra: str = ""
    summary: str = ""

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the hyper-parameters that it uses, those of every model included."""
        return (*self.uses, *_SHARED)

    def load_family(self) -> Any:
        """Import the class of the classifier."""
        return _load(self.family)

    def load_builder(self) -> Any:
        """Import the function that builds the network."""
        return _load(self.builder)


DEFAULT = "bilstm"
NO_PRESET = "none"
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
            name="logistic_regression",
            reads="ngrams",
            family="pipeline.models.linear:Linear",
            uses=("cost", "class_weights", "max_train_rows"),
            defaults={"cost": 4.0, "min_count": 2, "sublinear_tf": True},
            summary="logistic regression on tf-idf values of runs of words and characters",
        ),
        Model(
            name="linear_svm",
            reads="ngrams",
            family="pipeline.models.linear:Linear",
            uses=("cost", "class_weights", "calibration_folds", "max_train_rows", "seed"),
            defaults={"cost": 0.25, "min_count": 2, "sublinear_tf": True},
            summary="linear support vector machine with calibrated probabilities",
        ),
        Model(
            name="nb_svm",
            reads="ngrams",
            family="pipeline.models.linear:Linear",
            uses=("alpha", "beta", "cost", "class_weights", "max_train_rows"),
            defaults={"cost": 0.1},
            summary="linear model on naive Bayes log-count ratios of runs of words and characters",
        ),
        Model(
            name="bilstm",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.sequences:bilstm",
            masks_padding=True,
            uses=("top_units", *_RECURRENT),
            defaults=_CHOSEN_RECURRENT,
            summary="bidirectional LSTM layers over word vectors",
        ),
        Model(
            name="lstm",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.sequences:lstm",
            masks_padding=True,
            uses=_RECURRENT,
            defaults=_CHOSEN_RECURRENT,
            summary="LSTM layers over word vectors",
        ),
        Model(
            name="gru",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.sequences:gru",
            masks_padding=True,
            uses=_RECURRENT,
            defaults=_CHOSEN_RECURRENT,
            summary="GRU layers over word vectors",
        ),
        Model(
            name="conv1d",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.sequences:conv1d",
            uses=("filters", "filter_width", *_EMBEDDED),
            defaults={"max_words": 10_000},
            summary="a convolution over word vectors, and its maximum",
        ),
        Model(
            name="dense",
            reads="sequences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.sequences:dense",
            masks_padding=True,
            uses=("mask_padding", "pooling", *_EMBEDDED),
            defaults={"max_words": 10_000, "pooling": "mean", "spatial_dropout": 0.2},
            summary="the mean of the word vectors",
        ),
        Model(
            name="bag_dense",
            reads="multi_hot",
            family="pipeline.models.network:Network",
            builder="pipeline.models.vectors:bag_dense",
            uses=_VECTOR,
            defaults={
                "max_words": 3_000,
                "units": (512, 256),
                "activations": ("relu", "sigmoid"),
                "epochs": 5,
            },
            summary="dense layers over the words that are there",
        ),
        Model(
            name="tfidf_dense",
            reads="tfidf",
            family="pipeline.models.network:Network",
            builder="pipeline.models.vectors:tfidf_dense",
            uses=_VECTOR,
            defaults={
                "max_words": 10_000,
                "norm": "l1",
                "units": (64, 16, 8),
                "output_bias": "frequencies",
            },
            summary="dense layers over tf-idf values",
        ),
        Model(
            name="fasttext",
            reads="lines",
            family="pipeline.models.fasttext:FastText",
            package="fasttext",
            extra="fasttext",
            uses=(
                "embedding_size",
                "epochs",
                "learning_rate",
                "longest_run",
                "subwords",
                "buckets",
                "seed",
            ),
            defaults={"embedding_size": 50, "epochs": 10, "learning_rate": 0.5},
            summary="fastText's supervised classifier",
        ),
        Model(
            name="sentence_encoder",
            reads="sentences",
            family="pipeline.models.network:Network",
            builder="pipeline.models.vectors:sentence_dense",
            uses=_VECTOR,
            defaults={"units": (64,), "dropout": 0.0},
            summary="dense layers over vectors of a pretrained sentence encoder",
        ),
    )
}


def choose(model: str | None, preset: str | None) -> str:
    """Return the model that is meant: the one named, the preset's first, or the default.

    Raises
    ------
    PipelineError
        If the preset has no settings for the model.
    """
    if preset in (None, NO_PRESET):
        return model or DEFAULT
    rows = PRESETS[str(preset)]
    chosen = model or next(iter(rows))
    if chosen not in rows:
        raise PipelineError(
            f"preset {preset} has no settings for model {chosen!r}; it has them for "
            f"{', '.join(rows)}."
        )
    return chosen


def resolve(given: Mapping[str, Any], settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Replace every value that was not given by the preset's, the model's, or the setting's own.

    Parameters
    ----------
    given : mapping
        Value of every setting, ``model`` and ``preset`` among them; None where the user gave none.
    settings : mapping
        The settings, by name.

    Returns
    -------
    dict
        A plain value for each setting; None for those that the model does not use. The preset is
        none: its values are all there.

    Raises
    ------
    PipelineError
        If a setting was given that the model does not use, or the preset does not know the model.
    """
    preset = given.get("preset")
    model = choose(given.get("model"), preset)
    published = {} if preset in (None, NO_PRESET) else PRESETS[str(preset)][model]
    row = MODELS[model]
    optional = set(HYPERPARAMETERS) | set(features.SETTINGS)
    used = {*row.hyperparameters, *features.REPRESENTATIONS[row.reads].settings}
    fixed = {"model": model, "preset": NO_PRESET, "representation": row.reads}
    resolved: dict[str, Any] = {}
    for name, setting in settings.items():
        value = given.get(name)
        if name == "representation" and value not in (None, row.reads):
            raise PipelineError(
                f"model {model!r} reads {row.reads}, got representation {value}; leave "
                "representation out."
            )
        if name in fixed:
            resolved[name] = fixed[name]
        elif name in optional and name not in used:
            if value is not None and name not in _ALWAYS_ALLOWED:
                raise PipelineError(
                    f"model {model!r} does not use {name}; leave it out. "
                    f"It uses {', '.join(sorted(used))}."
                )
            resolved[name] = None
        elif value is None:
            default = row.defaults.get(name, setting.default)
            resolved[name] = setting.check(published.get(name, default))
        else:
            resolved[name] = value
    return resolved


def _load(path: str) -> Any:
    """Import what ``module:name`` names."""
    module, name = path.split(":")
    return getattr(import_module(module), name)
