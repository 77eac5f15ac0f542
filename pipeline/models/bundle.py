"""A bundle: a folder with a trained model and all that it needs to predict from raw text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import BundleError
from pipeline.features import specs as features
from pipeline.models import specs
from pipeline.models.base import Classifier

#: Stop words that were removed from texts, one per line; missing if there were none.
STOP_WORDS = "stop_words.txt"
_FILE = "bundle.json"
_FORMAT = 2


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle."""

    model: str
    representation: str
    class_names: list[str]
    steps: dict[str, Any]  # settings of each step, by task: how raw text was cleaned and tokenized
    classifier: Classifier
    encoder: Any  # turns tokens into vectors
    # The removed stop words; a stop word list with the same name may have changed since.
    stop_words: Path | None


def save(
    folder: Path,
    classifier: Classifier,
    encoder: Any,
    class_names: Sequence[str],
    steps: Mapping[str, Any],
    stop_words: Iterable[str] = (),
) -> None:
    """Write a bundle; the settings of TrainModel in ``steps`` contain the name of the model."""
    model = steps["TrainModel"]["model"]
    classifier.save(folder)
    encoder.save(folder)
    words = sorted(stop_words)
    if words:
        (folder / STOP_WORDS).write_bytes("".join(f"{word}\n" for word in words).encode())
    content = {
        "format": _FORMAT,
        "model": model,
        "representation": specs.MODELS[model].reads,
        "class_names": list(class_names),
        "stop_words": bool(words),
        "steps": steps,
    }
    (folder / _FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> Bundle:
    """Read a bundle.

    Raises
    ------
    BundleError
        If the folder contains no bundle, or a bundle of another format.
    """
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{folder} is not a trained model: {_FILE} cannot be read ({error}); give the folder "
            "of a TrainModel artifact."
        ) from error
    if content.get("format") != _FORMAT or content["model"] not in specs.MODELS:
        raise BundleError(
            f"{folder / _FILE} has format {content.get('format')} and model "
            f"{content.get('model')!r}; this version reads format {_FORMAT} and the models "
            f"{', '.join(specs.MODELS)}; train the model again."
        )
    family = specs.MODELS[content["model"]].load_family()
    encoder = features.REPRESENTATIONS[content["representation"]].load_encoder()
    return Bundle(
        content["model"],
        content["representation"],
        content["class_names"],
        content["steps"],
        family.load(folder),
        encoder.load(folder),
        folder / STOP_WORDS if content["stop_words"] else None,
    )
