"""Assign rows to train, validation and test, as a pure function of words, labels and a seed.

Each group of rows has a number in [0, 1) that depends only on a seed and on its words; the group
is in the test part if the number is below the test fraction. So the test rows are the same for
every cleaning, tokenizer and model, and a test row stays a test row when rows are added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.columns import is_group_start
from pipeline.data.groups import draw, groups_of, kept_apart
from pipeline.errors import SplitError
from pipeline.settings import checks

#: Parts of a split; a part is stored as an index into this tuple.
PARTS = ("train", "validation", "test", "unlabelled", "excluded")
TRAIN, VALIDATION, TEST, UNLABELLED, EXCLUDED = range(len(PARTS))
#: Columns of CleanText's rows that the split depends on.
SPLIT_COLUMNS = ("split_key", "copy", "near_group", "founder")
_FOR_TEST, _FOR_VALIDATION = 1, 2  # seeds, so that the two parts are drawn independently


def assign_rows(
    rows: pa.Table, class_names: Sequence[str], settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Assign the rows of a table to parts, by the split settings of Vectorize.

    Parameters
    ----------
    rows : pa.Table
        Columns ``label`` (name or null), ``partition``, ``group`` and `SPLIT_COLUMNS`.

    Returns
    -------
    labels : ndarray of int64, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int8, shape (n_rows,)
        Index into `PARTS`.
    """
    index = pc.index_in(rows["label"], pa.array(class_names, pa.string()))
    labels = pc.fill_null(index, -1).to_numpy().astype(np.int64)
    # Decoding each name of a partition once is faster than converting the column.
    encoded = rows["partition"].combine_chunks().dictionary_encode()
    partitions = np.asarray(encoded.dictionary.to_pylist(), str)[encoded.indices.to_numpy()]
    grouping = settings["group_duplicates"]
    parts = assign(
        labels,
        groups_of(rows, grouping),
        partitions,
        class_names,
        apart=kept_apart(rows, grouping),
        test_fraction=settings["test_fraction"],
        validation_fraction=settings["validation_fraction"],
        seed=settings["split_seed"],
        validation_seed=settings["validation_seed"],
        folds=settings["folds"],
        fold=settings["fold"],
    )
    return labels, parts


def assign(
    labels: np.ndarray,
    groups: np.ndarray,
    partitions: Sequence[str] | np.ndarray,
    class_names: Sequence[str],
    *,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    validation_seed: int = 0,
    apart: Sequence[np.ndarray] = (),
    folds: int = 0,
    fold: int = 0,
) -> np.ndarray:
    """Assign each row to a part.

    Groups are assigned as a unit: to test if the number of the group (`draw`) is below
    ``test_fraction``; otherwise to validation if a second, independent number is below the share
    that makes ``validation_fraction`` of all rows. So sizes of parts and classes vary as in any
    random sample, and rows that are added at the end move no row out of the test part. Rows that
    are inserted before others can become their founders, and so move near copies. If a class would
    have no group in a part, that part takes the group with the lowest number.

    If a group of ``apart`` is then on two sides, its rows on the side nearer to training are
    excluded, such as a near copy of two texts of which only one is in the test part.

    Rows that the dataset assigns to train, validation or test stay there. A dataset with test rows
    gets no further ones, and likewise for validation.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Class of each row, -1 without a label.
    groups : ndarray of int64, shape (n_rows,)
        Key of each row's group.
    partitions : sequence of str, length n_rows
        One of `pipeline.data.schema.Partition` for each row.
    class_names : sequence of str
    test_fraction, validation_fraction : float
        Expected shares of all labelled rows.
    seed, validation_seed : int
        The validation part depends on both, the test part on the first.
    apart : sequence of ndarray of int, shape (n_rows,)
        Further groupings; none of their groups may be on two sides (`pipeline.data.groups`).
    folds, fold : int
        If ``folds`` is 2 or more, the test part is number ``fold`` of ``folds`` parts of about
        equal size, and ``test_fraction`` is ignored.

    Returns
    -------
    ndarray of int8, shape (n_rows,)
        Index into `PARTS`.

    Raises
    ------
    SplitError
        If fractions do not fit, or a class has too few rows for a part.
    """
    checks.fractions(test_fraction, validation_fraction, folds, fold)
    partitions = np.asarray(partitions)
    parts = _fixed_parts(labels, partitions)
    for grouping in (groups, *apart):
        _exclude_shared(parts, grouping)
    draws_test = not (parts == TEST).any()
    draws_validation = not (parts == VALIDATION).any() and validation_fraction > 0
    if folds and not draws_test:
        raise SplitError(
            f"folds need a dataset without test rows, and this one has "
            f"{np.count_nonzero(parts == TEST)}; remove folds."
        )
    is_counted = parts <= TEST
    min_rows_per_class = (folds or 1) * draws_test + draws_validation + 1
    _check_classes(labels[is_counted], class_names, min_rows_per_class)
    expected_training_rows = float(np.count_nonzero(parts == TRAIN))
    if draws_test:
        # Rows that the dataset assigns to training are drawn only if there are no others.
        others = (parts == TRAIN) & (partitions != "train")
        can_be_test = others if others.any() else parts == TRAIN
        expected_share = 1 / folds if folds else test_fraction
        expected_training_rows -= expected_share * np.count_nonzero(can_be_test)
        for drawn in _by_class(labels, groups, can_be_test, draw(groups, seed, _FOR_TEST)):
            if folds:
                is_test = drawn.fold_of(folds) == fold
            else:
                is_test = drawn.below(test_fraction, 1 + draws_validation)
            parts[drawn.rows(is_test)] = TEST
    if draws_validation:
        share = validation_fraction * np.count_nonzero(is_counted) / expected_training_rows
        numbers = draw(groups, seed, _FOR_VALIDATION, validation_seed)
        _draw_validation(parts, labels, groups, numbers, share, validation_fraction)
    for grouping in apart:
        _exclude_shared(parts, grouping)
    for part in [TRAIN] + [VALIDATION] * draws_validation + [TEST] * draws_test:
        _check_part(part, labels[parts == part], class_names)
    return parts


def _fixed_parts(labels: np.ndarray, partitions: np.ndarray) -> np.ndarray:
    """Return the parts that the dataset assigns; all other labelled rows are training rows."""
    parts = np.full(len(labels), TRAIN, dtype=np.int8)
    for index in (VALIDATION, TEST, UNLABELLED):
        parts[partitions == PARTS[index]] = index
    parts[labels < 0] = UNLABELLED
    return parts


def _draw_validation(
    parts: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    numbers: np.ndarray,
    share: float,
    validation_fraction: float,
) -> None:
    """Move a share of the training rows to the validation part.

    Raises
    ------
    SplitError
        If the share leaves no training rows.
    """
    if share >= 1:
        raise SplitError(
            f"validation_fraction {validation_fraction:g} of all rows leaves no training rows, "
            "because the dataset has test rows of its own; choose a smaller one."
        )
    for drawn in _by_class(labels, groups, parts == TRAIN, numbers):
        parts[drawn.rows(drawn.below(share, 1))] = VALIDATION


def _exclude_shared(parts: np.ndarray, groups: np.ndarray) -> None:
    """Exclude the rows nearer to training of groups that are on two sides."""
    for protected, others in ((TEST, (TRAIN, VALIDATION)), (VALIDATION, (TRAIN,))):
        shared = np.isin(groups, groups[parts == protected])
        parts[shared & np.isin(parts, others)] = EXCLUDED


@dataclass(frozen=True)
class _Drawn:
    """The groups of a class by ascending number; rows of a group are contiguous."""

    numbers: np.ndarray
    sizes: np.ndarray
    starts: np.ndarray
    sorted_rows: np.ndarray

    def below(self, share: float, reserve: int) -> np.ndarray:
        """Mark the groups below a share: at least one, and leave ``reserve`` if possible."""
        count = int(np.searchsorted(self.numbers, share, "left"))
        count = max(min(count, len(self.numbers) - reserve), 1)
        return np.arange(len(self.numbers)) < count

    def fold_of(self, folds: int) -> np.ndarray:
        """Return the fold of each group; if a fold would be empty, folds take turns."""
        fold = np.minimum((self.numbers * folds).astype(np.int64), folds - 1)
        if len(np.unique(fold)) < min(folds, len(fold)):
            return np.arange(len(fold)) % folds
        return fold

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the rows of the marked groups."""
        sizes = self.sizes[chosen]
        ends = np.cumsum(sizes)
        within = np.arange(sizes.sum()) - np.repeat(ends - sizes, sizes)
        return self.sorted_rows[np.repeat(self.starts[chosen], sizes) + within]


def _by_class(
    labels: np.ndarray, groups: np.ndarray, is_drawn: np.ndarray, numbers: np.ndarray
) -> list[_Drawn]:
    """Gather the marked rows by group, and the groups by their most frequent class."""
    rows = np.flatnonzero(is_drawn)
    if not len(rows):
        return []
    rows = rows[np.argsort(groups[rows], kind="stable")]
    is_first = is_group_start(groups[rows])
    starts = np.flatnonzero(is_first)
    sizes = np.diff(starts, append=len(rows))
    group = np.cumsum(is_first) - 1
    n_classes = int(labels.max()) + 1
    pairs, counts = np.unique(group * n_classes + labels[rows], return_counts=True)
    # pairs codes (group, class). Sort by group, then by falling count, then by class: the first
    # pair of each group is its most frequent class.
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    class_of_group = (pairs[order] % n_classes)[is_group_start(pairs[order] // n_classes)]
    drawn = numbers[rows[starts]]
    drawn_by_class = []
    for label in np.unique(class_of_group):
        selected = np.flatnonzero(class_of_group == label)
        selected = selected[np.argsort(drawn[selected], kind="stable")]
        drawn_by_class.append(_Drawn(drawn[selected], sizes[selected], starts[selected], rows))
    return drawn_by_class


def _check_classes(labels: np.ndarray, class_names: Sequence[str], min_rows: int) -> None:
    """Raise if there is only one class, or a class has too few rows to be split."""
    counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
    if np.count_nonzero(counts) < 2:
        raise SplitError(
            f"a classifier needs rows of at least two classes, and all {counts.sum()} labelled "
            f"rows are {class_names[int(counts.argmax())]!r}; check the label column and the "
            "labels in the dataset's TOML file."
        )
    for name, count in zip(class_names, counts, strict=True):
        if count < min_rows:
            raise SplitError(
                f"class {name!r} has {count} rows and the split needs at least {min_rows}; "
                "collect more rows, join the class with another one in the dataset's TOML file, or "
                "remove its label there."
            )


def _check_part(part: int, labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Raise if a class is not among the labels of a part."""
    for number, name in enumerate(class_names):
        if number not in labels:
            raise SplitError(
                f"class {name!r} has too few rows for a share of {PARTS[part]}: too few of its "
                "texts are neither copies nor near copies of others; collect more rows, or allow "
                "copies on two sides with group_duplicates none."
            )


def stratified_share(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw a share in (0, 1] of the rows of each class, at least one row of each.

    A larger share contains the rows of a smaller one. Positions are ascending.

    Examples
    --------
    >>> len(stratified_share(np.array([0, 0, 0, 0, 1, 1]), 0.5, seed=0))
    3
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    drawn = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        drawn.append(rows[: max(round(share * len(rows)), 1)])
    return np.sort(np.concatenate(drawn)) if drawn else order


@dataclass(frozen=True)
class Parts:
    """A recorded split: int64 ids, int32 class indices (-1 without a label), int8 parts."""

    ids: np.ndarray
    labels: np.ndarray
    parts: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, name: str) -> np.ndarray:
        """Return the positions of the rows of a part."""
        return np.flatnonzero(self.parts == PARTS.index(name))

    def labels_of(self, name: str) -> np.ndarray:
        """Return the classes of the rows of a part, int64."""
        return self.labels[self.rows(name)].astype(np.int64)


def read_parts(path: Path) -> Parts:
    """Read ``split.parquet``."""
    table = pq.read_table(path)
    parts = pc.index_in(table["part"], pa.array(PARTS)).to_numpy().astype(np.int8)
    return Parts(table["id"].to_numpy(), table["label"].to_numpy(), parts)
