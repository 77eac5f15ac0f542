"""Fit the representation on training rows and vectorize every row."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luigi.util import requires

from pipeline.errors import SettingConflictError
from pipeline.features import pretrained
from pipeline.features.specs import REPRESENTATIONS, SETTINGS, Representation
from pipeline.settings.checks import LEARNED
from pipeline.settings.parameter import parameter, with_parameters
from pipeline.settings.resolved import Settings
from pipeline.store import files, manifests, publishing
from pipeline.store.files import canonical
from pipeline.tasks.base import Step
from pipeline.tasks.graph import once
from pipeline.tasks.tokenize import Tokenize

if TYPE_CHECKING:
    from pipeline.data.assignment import Assignment


@requires(Tokenize)
@with_parameters(SETTINGS)
class Vectorize(Step):
    """Turn tokens into the input of a model, fitted on training rows only."""

    folder = "4_vectorize"
    version = 3

    representation = parameter(
        "choice",
        "sequences",
        "input of the model; RunAll takes it from the model",
        choices=tuple(REPRESENTATIONS),
    )
    test_fraction = parameter(
        "float",
        0.1,
        "expected share of the labelled rows for testing; no effect if the dataset has test rows",
        above=0,
        below=1,
    )
    validation_fraction = parameter(
        "float", 0.1, "expected share of the labelled rows for validation; 0: none", low=0, below=1
    )
    split_seed = parameter("int", 0, "seed of the split", low=0, high=2**32 - 1)
    validation_seed = parameter(
        "int",
        0,
        "seed of the validation rows, in addition to split_seed; test rows do not depend on it",
        low=0,
        high=2**32 - 1,
    )
    folds = parameter("int", 0, "folds of a cross-validation; 0: none", low=0)
    fold = parameter("int", 0, "fold of a cross-validation that is tested", low=0)
    group_duplicates = parameter(
        "choice",
        "near",
        "rows that stay in one part of the split. near: rows with the same or nearly the same "
        "words; exact: rows with the same words; none: no rows, as in published protocols",
        choices=("near", "exact", "none"),
    )

    @property
    def label(self) -> str:
        """Representation and, for sequences, their length."""
        settings = self.settings()
        length = settings.get("sequence_length")
        return str(settings.representation) + (f"-{length}" if length else "")

    def settings(self) -> Settings:
        """Return the settings of the representation and those of the split."""
        values = super().settings()
        unused = SETTINGS.keys() - set(REPRESENTATIONS[values.representation].settings)
        for name in unused:
            if getattr(self, name) is not None:
                raise SettingConflictError(
                    f"representation {values.representation!r} does not use {name}; remove it."
                )
        return Settings({name: value for name, value in values.items() if name not in unused})

    def code_specs(self) -> tuple[Representation]:
        """Return the representation."""
        return (REPRESENTATIONS[self.settings().representation],)

    def check_inputs(self) -> None:
        """Raise if word vectors or an encoder are missing."""
        self._pretrained_files()

    def _pretrained_files(self) -> dict[str, Path]:
        """Return the files of word vectors or of an encoder, by name."""
        settings = self.settings()
        files = pretrained.word_vector_files(settings.get("embedding", LEARNED))
        by_name = {path.name: path for path in files}
        if "encoder" in settings:
            files = pretrained.encoder_files(settings.encoder)
            # Folders of an encoder can contain files of the same name.
            top = os.path.commonpath([path.parent for path in files]) if files else ""
            by_name |= {path.relative_to(top).as_posix(): path for path in files}
        return by_name

    @once
    def external_inputs(self) -> dict[str, str]:
        """Return the sha256 of each file of word vectors or of an encoder."""
        return {name: self.checksum(path) for name, path in self._pretrained_files().items()}

    def assignment(self) -> "Assignment":
        """Return the rows with their classes and parts."""
        from pipeline.data.assignment import assign_artifact

        return assign_artifact(self.path_of("CleanText"), self.settings())

    def summary(self) -> str:
        """Return the size of a text's vector."""
        vectors = files.read_json(self.path() / "vectors.json")
        if "sequence_length" in vectors:
            words = f"vocabulary of {vectors['vocabulary_size']:,}"
            return f"{words}, {vectors['sequence_length']} tokens per text"
        shape = vectors["shape"]
        return f"{shape[1]:,} features" if shape[1:] else f"{shape[0]:,} texts"

    def build(self, out: publishing.Workspace) -> None:
        """Write the vectors, the files of the encoder and ``vectors.json``."""
        from pipeline.data import split
        from pipeline.features.texts import read_texts

        (representation,) = self.code_specs()
        clean_text = self.path_of("CleanText") if representation.reads_clean else None
        texts = read_texts(self.path_of("Tokenize"), clean_text, self.value("language"))
        assignment = self.assignment()
        parts = assignment.parts
        encoder_class = representation.load_encoder()
        encoder = encoder_class.fit(texts, parts == split.TRAIN, self.settings())
        earlier = self._same_vectors() if representation.pretrained else None
        if earlier:
            encoder, vectors = encoder_class.load(earlier), encoder_class.load_vectors(earlier)
        elif representation.pretrained:
            with self.partial_folder() as partial:
                vectors = encoder.transform(texts, self.show_progress, partial)
        else:
            vectors = encoder.transform(texts)
        encoder_class.save_vectors(vectors, out.folder)
        encoder.save(out.folder)
        summary = {**encoder.summary(vectors), "fitted_on": assignment.fingerprint()}
        out.write_json("vectors.json", summary)
        out.counts(len(texts), len(parts))

    def saved_work(self) -> tuple[str, float]:
        """Return the number of texts whose vectors an interrupted run saved."""
        folder = self._saved_folder()
        n_texts = pretrained.TEXTS_PER_FILE * len(
            [*folder.glob("[0-9]*[0-9].npy")] if folder else ()
        )
        return (f"{n_texts:,} encoded texts" if n_texts else ""), 0.0

    def _same_vectors(self) -> Path | None:
        """Return an artifact of another split: pretrained vectors do not depend on the split."""
        (representation,) = self.code_specs()
        names = ("representation", *representation.settings)

        def identity(manifest: dict[str, Any]) -> str:
            settings = [manifest["settings"].get(name) for name in names]
            upstream = manifest["upstream"]["digest"]
            identity = [manifest["version"], settings, manifest["outside"], upstream]
            return canonical(identity)

        wanted = identity(self.description())
        for path in sorted(self.path().parent.glob(f"{self.label}-*")):
            manifest = manifests.read_manifest(path) if manifests.is_complete(path) else None
            if manifest and identity(manifest) == wanted:
                return path
        return None
