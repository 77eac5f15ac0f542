"""The representations, as rows: what each is called, which settings it takes, where its code is.

Nothing heavy is imported here, since every command reads this table.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipeline.features.pretrained import LEARNED, PACKAGED_ENCODERS, PACKAGED_VECTORS
from pipeline.settings.setting import Setting

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "max_words",
            "int",
            "all",
            "size of the vocabulary, most frequent words of the training rows first; padding and "
            "unknown count for sequences",
            unit="words",
            low=3,
            also=("all",),
        ),
        Setting(
            "min_count",
            "int",
            1,
            "least occurrences in the training rows for a word to be in the vocabulary",
            unit="occurrences",
            low=1,
        ),
        Setting(
            "sequence_length",
            "int",
            "auto",
            "length to which texts are padded or cut; auto covers the 99th percentile of the "
            "training texts",
            unit="tokens",
            low=1,
            high=100_000,
            also=("auto",),
            hint="leave it out to cover 99 % of the training texts",
        ),
        Setting(
            "padding",
            "choice",
            "after",
            "where short texts are padded",
            choices=("after", "before"),
        ),
        Setting(
            "cutting",
            "choice",
            "after",
            "where long texts are cut",
            choices=("after", "before"),
        ),
        Setting(
            "embedding",
            "text",
            LEARNED,
            "where word vectors come from: learned, "
            + ", ".join(PACKAGED_VECTORS)
            + " (a package, extra glove), or a text file of GloVe or word2vec vectors",
        ),
        Setting(
            "encoder",
            "text",
            "use",
            "pretrained sentence encoder: "
            + ", ".join(PACKAGED_ENCODERS)
            + " (a package, extra encoders), or a folder with model.onnx and tokenizer.json, or "
            "with a TensorFlow SavedModel",
        ),
        Setting(
            "norm",
            "choice",
            "l2",
            "length to which each text's tf-idf values are scaled",
            choices=("l2", "l1", "none"),
        ),
        Setting(
            "sublinear_tf",
            "flag",
            False,
            "whether 1 + ln(count) takes the place of the count of a word in a text",
        ),
        Setting(
            "word_ngrams",
            "ints",
            (1, 2),
            "least and most words of a run of words",
            unit="words",
            low=1,
            length=2,
        ),
        Setting(
            "char_ngrams",
            "ints",
            (2, 5),
            "least and most characters of a run inside a word, its boundaries counted as spaces",
            unit="characters",
            low=1,
            also=("none",),
            length=2,
        ),
    )
}


@dataclass(frozen=True)
class Representation:
    """One way to turn texts into arrays.

    Attributes
    ----------
    encoder : str
        ``module:class`` of what is fitted and transforms.
    settings : tuple of str
        Names of the settings that it uses.
    reads_clean : bool
        Whether it reads clean texts besides tokens.
    pretrained : bool
        Whether nothing of it is fitted and its transformation takes long: that one shows progress,
        is taken up again after an interruption, and is not done again for another split.
    """

    encoder: str
    settings: tuple[str, ...]
    reads_clean: bool = False
    pretrained: bool = False

    def load_encoder(self) -> Any:
        """Import the encoder's class."""
        module, name = self.encoder.split(":")
        return getattr(import_module(module), name)


REPRESENTATIONS = {
    "sequences": Representation(
        "pipeline.features.sequences:SequenceEncoder",
        ("max_words", "min_count", "sequence_length", "padding", "cutting", "embedding"),
    ),
    "tfidf": Representation(
        "pipeline.features.bags:TfidfEncoder",
        ("max_words", "min_count", "norm", "sublinear_tf"),
    ),
    "multi_hot": Representation(
        "pipeline.features.bags:MultiHotEncoder", ("max_words", "min_count")
    ),
    "lines": Representation("pipeline.features.raw_text:RawTextEncoder", ()),
    "sentences": Representation(
        "pipeline.features.sentences:SentenceEncoder",
        ("encoder",),
        reads_clean=True,
        pretrained=True,
    ),
    "ngrams": Representation(
        "pipeline.features.ngrams:NgramEncoder",
        ("max_words", "min_count", "norm", "sublinear_tf", "word_ngrams", "char_ngrams"),
        reads_clean=True,
    ),
}
