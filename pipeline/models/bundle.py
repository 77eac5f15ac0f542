"""A trained model with everything that a prediction from raw text needs, in one folder."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.features import specs as features
from pipeline.models import specs
from pipeline.models.base import Classifier

#: Words that were left out of texts, one a line; not there where there were none.
STOP_WORDS = "stop_words.txt"
_FILE = "bundle.json"
_FORMAT = 2


@dataclass(frozen=True)
class Bundle:
    """What `load` returns.

    Attributes
    ----------
    model : str
        Row of the registry.
    representation : str
        What the model reads.
    class_names : list of str
    steps : dict
        Settings of every step, by task: how raw text was cleaned and cut.
    classifier : Classifier
    encoder : object
        Turns tokens into vectors.
    stop_words : Path or None
        File of the words that were left out of texts, one a line: what counts is which they were,
        not what their list holds by now.
    """

    model: str
    representation: str
    class_names: list[str]
    steps: dict[str, Any]
    classifier: Classifier
    encoder: Any
    stop_words: Path | None


def save(
    folder: Path,
    classifier: Classifier,
    encoder: Any,
    class_names: Sequence[str],
    steps: Mapping[str, Any],
    stop_words: Iterable[str] = (),
) -> None:
    """Write a bundle.

    Parameters
    ----------
    folder : Path
    classifier : Classifier
    encoder : object
        Of the model's representation.
    class_names : sequence of str
    steps : mapping
        Settings by task; that of TrainModel names the model.
    stop_words : iterable of str
        The words that Tokenize left out.
    """
    model = steps["TrainModel"]["model"]
    classifier.save(folder)
    encoder.save(folder)
    words = sorted(stop_words)
    if words:
        (folder / STOP_WORDS).write_text("\n".join(words) + "\n", encoding="utf-8")
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
    PipelineError
        If the folder holds none, or one of another format.
    """
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"{folder} holds no model: {_FILE} cannot be read ({error}); name the folder of a "
            "TrainModel artifact."
        ) from error
    if content.get("format") != _FORMAT or content["model"] not in specs.MODELS:
        raise PipelineError(
            f"{folder / _FILE} has format {content.get('format')} and model "
            f"{content.get('model')!r}; this version reads format {_FORMAT} and "
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
