"""Fit the representation on training rows and vectorize every row."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luigi.util import requires

from pipeline.errors import PipelineError
from pipeline.features import pretrained
from pipeline.features import specs as features
from pipeline.settings.parameter import SettingParameter, parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step
from pipeline.tasks.progress import TaskProgress
from pipeline.tasks.tokenize import Tokenize

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@requires(Tokenize)
class Vectorize(Step):
    """Turn tokens into what a model reads, fitted on training rows alone."""

    folder = "4_vectorize"
    version = 2

    representation = parameter(
        "representation",
        "choice",
        "sequences",
        "what the model reads; RunAll takes it from the model",
        choices=tuple(features.REPRESENTATIONS),
    )
    max_words = SettingParameter(features.SETTINGS["max_words"])
    min_count = SettingParameter(features.SETTINGS["min_count"])
    sequence_length = SettingParameter(features.SETTINGS["sequence_length"])
    padding = SettingParameter(features.SETTINGS["padding"])
    cutting = SettingParameter(features.SETTINGS["cutting"])
    embedding = SettingParameter(features.SETTINGS["embedding"])
    encoder = SettingParameter(features.SETTINGS["encoder"])
    norm = SettingParameter(features.SETTINGS["norm"])
    sublinear_tf = SettingParameter(features.SETTINGS["sublinear_tf"])
    word_ngrams = SettingParameter(features.SETTINGS["word_ngrams"])
    char_ngrams = SettingParameter(features.SETTINGS["char_ngrams"])
    test_fraction = parameter(
        "test_fraction",
        "float",
        0.1,
        "share of the labelled rows for testing, on average; without effect where the dataset has "
        "test rows of its own",
        above=0,
        below=1,
    )
    validation_fraction = parameter(
        "validation_fraction",
        "float",
        0.1,
        "share of the labelled rows for choosing, on average; 0 for none",
        low=0,
        below=1,
    )
    split_seed = parameter("split_seed", "int", 0, "seed of the split", low=0, high=2**32 - 1)
    validation_seed = parameter(
        "validation_seed",
        "int",
        0,
        "seed of the validation rows, beside split_seed; test rows do not depend on it",
        low=0,
        high=2**32 - 1,
    )
    folds = parameter(
        "folds",
        "int",
        0,
        "cross-validation: number of test parts of about equal size, 0 for none",
        low=0,
    )
    fold = parameter("fold", "int", 0, "cross-validation: which part is the test part", low=0)
    group_duplicates = parameter(
        "group_duplicates",
        "choice",
        "near",
        "rows that stay on one side of the split. near: those with the same words, or with nearly "
        "the same ones; exact: those with the same words; none: no rows, as in published protocols",
        choices=("near", "exact", "none"),
    )

    @property
    def label(self) -> str:
        """Representation and, for sequences, their length."""
        settings = self.settings()
        length = settings.get("sequence_length")
        return settings["representation"] + (f"-{length}" if length else "")

    def settings(self) -> dict[str, Any]:
        """Return the settings that this representation uses, and those of the split."""
        values = super().settings()
        used = features.REPRESENTATIONS[values["representation"]].settings
        for name in features.SETTINGS:
            if name not in used and getattr(self, name) is not None:
                raise PipelineError(
                    f"representation {values['representation']!r} does not use {name}; leave it "
                    "out."
                )
        return {
            name: value
            for name, value in values.items()
            if name not in features.SETTINGS or name in used
        }

    def external_inputs(self) -> dict[str, Any]:
        """Return the sha256 of each file of word vectors or of an encoder."""
        settings = self.settings()
        files = pretrained.word_vector_files(settings.get("embedding", pretrained.LEARNED))
        named = {path.name: path for path in files}
        if "encoder" in settings:
            files = pretrained.encoder_files(settings["encoder"])
            # Files of one name may lie in several folders of an encoder.
            top = os.path.commonpath([path.parent for path in files]) if files else ""
            named |= {path.relative_to(top).as_posix(): path for path in files}
        return {name: self.checksum(path) for name, path in named.items()}

    def registry_rows(self) -> tuple[Any, ...]:
        """Return the representation."""
        return (features.REPRESENTATIONS[self.settings()["representation"]],)

    def _twin(self) -> Path | None:
        """Return an artifact with the same vectors: another split changes none of a pretrained."""
        above = self.upstream()
        used = features.REPRESENTATIONS[self.settings()["representation"]].settings
        names = ("representation", *used)

        def identity(version: Any, settings: dict, external_inputs: Any, upstream: Any) -> str:
            chosen = [settings.get(name) for name in names]
            return artifacts.canonical([version, chosen, external_inputs, upstream])

        mine = identity(
            self.version, self.settings(), self.external_inputs(), above.digest() if above else None
        )
        for place in sorted(self.path().parent.glob(f"{self.label}-*")):
            found = artifacts.read_manifest(place) if artifacts.is_complete(place) else None
            if found and mine == identity(
                found["version"], found["settings"], found["outside"], found["upstream"]["digest"]
            ):
                return place
        return None

    def assignment(self) -> "tuple[pa.Table, np.ndarray, np.ndarray]":
        """Return the rows, their classes, and the part that each is assigned to."""
        import pyarrow.parquet as pq

        from pipeline.data.split import SPLIT_COLUMNS, assign_rows

        place = self.path_of("CleanText")
        columns = ["id", "group", *SPLIT_COLUMNS, "label", "partition"]
        rows = pq.read_table(place / "rows.parquet", columns=columns)
        class_names = json.loads((place / "profile.json").read_text(encoding="utf-8"))[
            "class_names"
        ]
        return rows, *assign_rows(rows, class_names, self.settings())

    def build(self, out: artifacts.Workspace) -> None:
        """Write the vectors, the encoder's files and ``vectors.json``."""
        import pyarrow.parquet as pq

        from pipeline.data import split
        from pipeline.features.texts import Texts
        from pipeline.text.tokens import Tokens

        settings = self.settings()
        representation = features.REPRESENTATIONS[settings["representation"]]
        table = pq.read_table(
            self.path_of("Tokenize") / "tokens.parquet",
            columns=["tokens"],
            read_dictionary=["tokens.list.element"],
        )
        clean = None
        if representation.reads_clean:
            path = self.path_of("CleanText") / "rows.parquet"
            clean = pq.read_table(path, columns=["clean"])["clean"]
        texts = Texts(Tokens.from_arrow(table["tokens"]), clean)
        rows, _, parts = self.assignment()
        encoder_class = representation.load_encoder()
        encoder = encoder_class.fit(texts, parts == split.TRAIN, settings)
        twin = self._twin() if representation.pretrained else None
        if twin:
            encoder, vectors = encoder_class.load(twin), encoder_class.load_vectors(twin)
        elif representation.pretrained:
            with TaskProgress(self) as progress, self.partial_folder() as partial:
                vectors = encoder.transform(texts, progress, partial)
        else:
            vectors = encoder.transform(texts)
        encoder_class.save_vectors(vectors, out.folder)
        encoder.save(out.folder)
        out.write_json(
            "vectors.json", {**encoder.summary(vectors), "fitted_on": split.fingerprint(parts)}
        )
        out.counts(len(texts), rows.num_rows)
