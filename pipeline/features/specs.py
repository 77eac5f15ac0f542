"""The representations, one row each: name, settings, where its code is.

This module must stay cheap to import, since every command reads it.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipeline.features.pretrained import PACKAGED_ENCODERS, PACKAGED_VECTORS
from pipeline.settings.checks import LEARNED
from pipeline.settings.setting import Setting

# fmt: off
_DECLARATIONS = (
    Setting("max_words", "int", "all", "size of the vocabulary: the most frequent words of the "
            "training rows; for sequences it includes the codes of padding and of unknown words",
            unit="words", low=3, also=("all",)),
    Setting("min_count", "int", 1, "words that are rarer in the training rows are not in the "
            "vocabulary", unit="occurrences", low=1),
    Setting("sequence_length", "int", "auto", "length to which texts are padded or truncated; "
            "auto: the 99th percentile of the training texts", unit="tokens", low=1, high=100_000,
            also=("auto",), hint="leave it out to cover 99 % of the training texts"),
    Setting("padding", "choice", "after", "side on which short texts are padded",
            choices=("after", "before")),
    Setting("cutting", "choice", "after", "side on which long texts are truncated",
            choices=("after", "before")),
    Setting("embedding", "text", LEARNED, "source of the word vectors: learned, "
            f"{', '.join(PACKAGED_VECTORS)} (extra glove), or a text file of GloVe or word2vec "
            "vectors"),
    Setting("encoder", "text", "use", "pretrained sentence encoder: "
            f"{', '.join(PACKAGED_ENCODERS)} (extra encoders), or a folder with model.onnx and "
            "tokenizer.json, or with a TensorFlow SavedModel"),
    Setting("norm", "choice", "l2", "norm by which the tf-idf values of each text are divided",
            choices=("l2", "l1", "none")),
    Setting("sublinear_tf", "flag", False,
            "whether 1 + ln(count) replaces the count of a word in a text"),
    Setting("word_ngrams", "ints", (1, 2), "shortest and longest word n-gram", unit="words",
            low=1, length=2),
    Setting("char_ngrams", "ints", (2, 5), "shortest and longest character n-gram inside a word; "
            "spaces mark its boundaries", unit="characters", low=1, also=("none",), length=2),
)
# fmt: on
SETTINGS = {setting.name: setting for setting in _DECLARATIONS}


@dataclass(frozen=True)
class Representation:
    """One way to turn texts into arrays.

    A pretrained encoder fits nothing and is slow: it shows progress, resumes after an interruption,
    and its vectors are reused for another split.
    """

    encoder: str  # module:class that is fitted and transforms texts
    settings: tuple[str, ...]  # names of the settings that it uses
    reads_clean: bool = False  # whether it reads clean texts as well as tokens
    pretrained: bool = False

    def load_encoder(self) -> Any:
        """Import the class of the encoder."""
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
