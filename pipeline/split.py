"""Which row is training data: a pure function of labels, groups, fractions and seed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import checks
from pipeline.errors import PipelineError

PARTITIONS = ("train", "validation", "test", "unlabelled", "excluded")
TRAIN, VALIDATION, TEST, UNLABELLED, EXCLUDED = range(len(PARTITIONS))


def assign_rows(
    rows: Any, class_names: Sequence[str], settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Assign the rows of a table.

    Parameters
    ----------
    rows : pa.Table
        Columns ``label`` (name or null), ``partition`` and ``group``.
    class_names : sequence of str
    settings : mapping
        ``test_fraction``, ``validation_fraction``, ``split_seed``, ``folds``, ``fold`` and
        ``group_duplicates``.

    Returns
    -------
    labels : ndarray of int64, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int8, shape (n_rows,)
        Index into `PARTITIONS`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.fill_null(pc.index_in(rows["label"], pa.array(class_names, pa.string())), -1)
    labels = found.to_numpy().astype(np.int64)
    groups = rows["group"].to_numpy()
    if settings["group_duplicates"] == "none":
        groups = np.arange(len(labels))
    parts = assign(
        labels,
        groups,
        _names(rows["partition"]),
        class_names,
        test_fraction=settings["test_fraction"],
        validation_fraction=settings["validation_fraction"],
        seed=settings["split_seed"],
        folds=settings["folds"],
        fold=settings["fold"],
    )
    return labels, parts


def assign(
    labels: np.ndarray,
    groups: np.ndarray,
    given: Sequence[str] | np.ndarray,
    class_names: Sequence[str],
    *,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    folds: int = 0,
    fold: int = 0,
) -> np.ndarray:
    """Assign every row to train, validation, test, unlabelled or excluded.

    Whole groups are assigned, stratified by class: in each class, groups in a seeded random order
    are taken into test, then validation, as long as they fit the class' share. Rows that the
    dataset itself calls train, validation or test stay there; of a group that would then be on
    two sides, the rows on the side nearer to training are excluded. A dataset with test rows of
    its own gives up none for another test part, and likewise for validation.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Class of each row, -1 without a label.
    groups : ndarray of int, shape (n_rows,)
        Rows of one group never fall on two sides.
    given : sequence of str, length n_rows
        What the dataset says of each row: labelled, train, validation, test or unlabelled.
    class_names : sequence of str
        For messages.
    test_fraction, validation_fraction : float
        Shares of all labelled rows.
    seed : int
        Seed of the random order.
    folds, fold : int
        With ``folds`` of 2 or more, test rows are those of part ``fold`` of ``folds`` equal parts
        and ``test_fraction`` counts for nothing.

    Returns
    -------
    ndarray of int8, shape (n_rows,)
        Index into `PARTITIONS`.

    Raises
    ------
    PipelineError
        If fractions do not fit, or a class has too few rows for every part to have one.
    """
    checks.fractions(test_fraction, validation_fraction, folds, fold)
    said = np.asarray(given)
    part = np.full(len(labels), TRAIN, dtype=np.int8)
    for name, index in (("validation", VALIDATION), ("test", TEST), ("unlabelled", UNLABELLED)):
        part[said == name] = index
    part[labels < 0] = UNLABELLED
    _exclude_shared(part, groups)
    wants_test = not (part == TEST).any()
    wants_validation = not (part == VALIDATION).any() and validation_fraction > 0
    if folds and not wants_test:
        raise PipelineError(
            f"folds are test parts in turn, and the dataset has {np.count_nonzero(part == TEST)} "
            "test rows of its own; leave folds out."
        )
    counted = part <= TEST
    _check_classes(labels[counted], class_names, wants_test, wants_validation, folds)
    rng = np.random.default_rng(seed)
    if wants_test:
        # Rows that the dataset says are for training are not drawn into test, if there are others.
        others = (part == TRAIN) & (said != "train")
        free = others if others.any() else part == TRAIN
        for drawn in _by_class(labels, groups, free, rng):
            chosen = _deal(drawn, folds) == fold if folds else _take(drawn, test_fraction)
            part[drawn.rows(chosen)] = TEST
    if wants_validation:
        for drawn in _by_class(labels, groups, part == TRAIN, rng):
            everything = np.count_nonzero(counted & (labels == drawn.label))
            share = validation_fraction * everything / drawn.sizes.sum()
            if share >= 1:
                raise PipelineError(
                    f"validation_fraction {validation_fraction:g} of all rows of class "
                    f"{class_names[drawn.label]!r} leaves none for training beside the dataset's "
                    "own test rows; choose a smaller one."
                )
            part[drawn.rows(_take(drawn, share))] = VALIDATION
    _check_parts(part, labels, class_names, wants_test, wants_validation)
    return part


def _names(column: Any) -> np.ndarray:
    """Return a column of few names as an array; one by one they would take seconds a million."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.dictionary.to_pylist(), dtype=str)[encoded.indices.to_numpy()]


def is_leaky(part: np.ndarray, groups: np.ndarray) -> bool:
    """Say whether a group has rows in more than one of train, validation and test."""
    used = part <= TEST
    pairs = np.unique(np.stack([groups[used], part[used]]), axis=1)
    return len(np.unique(pairs[0])) < pairs.shape[1]


def _exclude_shared(part: np.ndarray, groups: np.ndarray) -> None:
    """Of groups that the dataset puts on two sides, exclude the rows nearer to training."""
    for protected, others in ((TEST, (TRAIN, VALIDATION)), (VALIDATION, (TRAIN,))):
        shared = np.isin(groups, groups[part == protected])
        part[shared & np.isin(part, others)] = EXCLUDED


@dataclass(frozen=True)
class _Groups:
    """The groups of one class, in random order; rows of a group stand together."""

    label: int
    sizes: np.ndarray
    starts: np.ndarray
    sorted_rows: np.ndarray

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the rows of the marked groups."""
        sizes = self.sizes[chosen]
        ends = np.cumsum(sizes)
        within = np.arange(sizes.sum()) - np.repeat(ends - sizes, sizes)
        return self.sorted_rows[np.repeat(self.starts[chosen], sizes) + within]


def _by_class(
    labels: np.ndarray, groups: np.ndarray, free: np.ndarray, rng: np.random.Generator
) -> list[_Groups]:
    """Gather the free rows by group and the groups by class, groups in random order.

    A group belongs to the class that most of its rows have, on a tie to the first.
    """
    rows = np.flatnonzero(free)
    if not len(rows):
        return []
    rows = rows[np.argsort(groups[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(groups[rows], prepend=groups[rows[0]] - 1))
    sizes = np.diff(starts, append=len(rows))
    kinds = labels[rows[starts]].copy()
    for index in np.flatnonzero(sizes > 1):
        members = rows[starts[index] : starts[index] + sizes[index]]
        kinds[index] = np.bincount(labels[members]).argmax()
    by_class = []
    for label in np.unique(kinds):
        order = rng.permutation(np.flatnonzero(kinds == label))
        by_class.append(_Groups(int(label), sizes[order], starts[order], rows))
    return by_class


def _take(groups: _Groups, share: float) -> np.ndarray:
    """Mark groups, in order, that fit into a share of the rows; at least one group."""
    target = max(round(share * groups.sizes.sum()), 1)
    chosen = np.zeros(len(groups.sizes), dtype=bool)
    taken = 0
    for index, size in enumerate(groups.sizes):
        if taken + size <= target:
            chosen[index] = True
            taken += size
        if taken == target:
            break
    if not taken:
        chosen[groups.sizes.argmin()] = True
    return chosen


def _deal(groups: _Groups, folds: int) -> np.ndarray:
    """Deal groups to folds, the largest first, each to the fold with the fewest rows."""
    fold_of = np.empty(len(groups.sizes), dtype=np.int64)
    order = np.argsort(-groups.sizes, kind="stable")
    n_large = np.count_nonzero(groups.sizes > 1)
    filled = np.zeros(folds, dtype=np.int64)
    for index in order[:n_large]:
        fold_of[index] = filled.argmin()
        filled[fold_of[index]] += groups.sizes[index]
    # Single rows level the folds.
    singles = order[n_large:]
    share, rest = divmod(int(filled.sum()) + len(singles), folds)
    room = np.maximum(share + (np.arange(folds) < rest) - filled, 0)
    slots = np.repeat(np.arange(folds), room)
    fold_of[singles] = slots[: len(singles)]
    return fold_of


def _check_classes(
    labels: np.ndarray,
    class_names: Sequence[str],
    wants_test: bool,
    wants_validation: bool,
    folds: int,
) -> None:
    """Raise where one class only, or too small a class, is there to be split."""
    counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
    if np.count_nonzero(counts) < 2:
        only = class_names[int(counts.argmax())]
        raise PipelineError(
            f"a classifier needs rows of at least two classes, and all {counts.sum()} labelled "
            f"rows are {only!r}; check the label column and the labels in the dataset's TOML file."
        )
    least = (folds or 1) * wants_test + wants_validation + 1
    for name, count in zip(class_names, counts, strict=True):
        if count < least:
            raise PipelineError(
                f"class {name!r} has {count} rows and the split needs at least {least}; "
                "collect more, join it with another class in the dataset's TOML file, or take "
                "its label out."
            )


def _check_parts(
    part: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    wants_test: bool,
    wants_validation: bool,
) -> None:
    """Raise where a class has no row in a part that is wanted."""
    wanted = [TRAIN] + [VALIDATION] * wants_validation + [TEST] * wants_test
    for index in wanted:
        counts = np.bincount(labels[part == index], minlength=len(class_names))
        for name, count in zip(class_names, counts, strict=True):
            if count == 0:
                raise PipelineError(
                    f"class {name!r} has too few rows for a share of {PARTITIONS[index]}: none "
                    "of its groups of equal texts fits; make test_fraction and "
                    "validation_fraction larger, or collect more rows."
                )


def stratified_share(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw a share of the rows of each class, at least one row of each.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    share : float
        Above 0, at most 1.
    seed : int

    Returns
    -------
    ndarray of int
        Positions of the drawn rows, ascending; a larger share holds those of a smaller one.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    drawn = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        drawn.append(rows[: max(round(share * len(rows)), 1)])
    return np.sort(np.concatenate(drawn)) if drawn else order


@dataclass(frozen=True)
class Parts:
    """The split as it was written down.

    Attributes
    ----------
    ids : ndarray of int64, shape (n_rows,)
    labels : ndarray of int32, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int8, shape (n_rows,)
        Index into `PARTITIONS`.
    """

    ids: np.ndarray
    labels: np.ndarray
    parts: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, name: str) -> np.ndarray:
        """Return the positions of a part's rows."""
        return np.flatnonzero(self.parts == PARTITIONS.index(name))

    def labels_of(self, name: str) -> np.ndarray:
        """Return the classes of a part's rows, int64."""
        return self.labels[self.rows(name)].astype(np.int64)


def read_parts(path: Path) -> Parts:
    """Read ``split.parquet``."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    parts = pc.index_in(table["part"], pa.array(PARTITIONS))
    return Parts(
        table["id"].to_numpy(), table["label"].to_numpy(), parts.to_numpy().astype(np.int8)
    )


def fingerprint(parts: np.ndarray) -> str:
    """Return the sha256 of an assignment."""
    return hashlib.sha256(np.ascontiguousarray(parts, dtype=np.int8).tobytes()).hexdigest()


def check(parts: np.ndarray, groups: np.ndarray | None, fitted_on: str) -> None:
    """Raise unless the split is the one that vectors were fitted on and leaks nothing.

    Parameters
    ----------
    parts : ndarray of int8, shape (n_rows,)
    groups : ndarray of int or None
        Rows that must be on one side; None where they need not be.
    fitted_on : str
        `fingerprint` of the assignment that Vectorize used.

    Raises
    ------
    PipelineError
    """
    if fingerprint(parts) != fitted_on:
        raise PipelineError(
            "the vectors were fitted on another split than is written down now; please report "
            "this as a bug, and delete the Vectorize folder to go on."
        )
    if groups is not None and is_leaky(parts, groups):
        raise PipelineError("a clean text is on two sides of the split; please report this bug.")


def balance(
    parts: np.ndarray, labels: np.ndarray, class_names: Sequence[str], groups: np.ndarray
) -> dict[str, Any]:
    """Count rows by part and class.

    Returns
    -------
    dict
        ``rows`` of each part, ``classes`` by part, and ``texts_on_two_sides``: distinct clean texts
        with rows in more than one of train, validation and test.
    """
    used = parts <= TEST
    pairs = np.unique(np.stack([groups[used], parts[used]]), axis=1)
    classes = {
        PARTITIONS[index]: {
            name: int(np.count_nonzero((parts == index) & (labels == number)))
            for number, name in enumerate(class_names)
        }
        for index in (TRAIN, VALIDATION, TEST, EXCLUDED)
    }
    return {
        "rows": {
            name: int(np.count_nonzero(parts == index)) for index, name in enumerate(PARTITIONS)
        },
        "classes": classes,
        "texts_on_two_sides": int(np.count_nonzero(np.unique(pairs[0], return_counts=True)[1] > 1)),
    }
