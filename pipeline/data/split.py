"""Which row is training data: a pure function of the words of rows, their labels and a seed.

Every group of rows has a number from 0 to 1 that follows from a seed and from its words, and
belongs to the test part where that is below the test fraction. So the test rows are the same for
every cleaning, tokenizer and model, and a row that is tested stays a test row when others arrive.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.groups import begins, draw, groups_of, kept_apart, on_two_sides
from pipeline.errors import PipelineError
from pipeline.settings import checks

PARTITIONS = ("train", "validation", "test", "unlabelled", "excluded")
TRAIN, VALIDATION, TEST, UNLABELLED, EXCLUDED = range(len(PARTITIONS))
#: Columns of CleanText's rows that the split follows from.
SPLIT_COLUMNS = ("split_key", "copy", "near_group", "founder")
_FOR_TEST, _FOR_VALIDATION = 1, 2  # so that both parts are drawn independently of each other


def assign_rows(
    rows: Any, class_names: Sequence[str], settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Assign the rows of a table.

    Parameters
    ----------
    rows : pa.Table
        Columns ``label`` (name or null), ``partition``, ``group`` and `SPLIT_COLUMNS`.
    class_names : sequence of str
    settings : mapping
        ``test_fraction``, ``validation_fraction``, ``split_seed``, ``validation_seed``, ``folds``,
        ``fold`` and ``group_duplicates``.

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
    grouping = settings["group_duplicates"]
    parts = assign(
        labels,
        groups_of(rows, grouping),
        _names(rows["partition"]),
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
    given: Sequence[str] | np.ndarray,
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
    """Assign every row to train, validation, test, unlabelled or excluded.

    Whole groups are assigned: to test where the number drawn for the group (`draw`) is below
    ``test_fraction``; of the others, to validation where a second, independent number is below the
    share that makes ``validation_fraction`` of all rows. Every row is tested with the same
    probability, and the shares of parts and classes vary as those of any random sample do. Rows
    added at the end of the data move no row from test to another part. Two limits: rows inserted
    before others can become the founders of these, and so move near copies; and in a class with so
    few groups that none would be in a part, the group with the lowest number is taken into it, and
    one is left for each other part.

    Of groups in ``apart`` that are then on two sides, the rows on the side nearer to training are
    excluded: such as those that are near copies of two texts of which one alone is tested.

    Rows that the dataset itself calls train, validation or test stay there. A dataset with test
    rows of its own gives up none for another test part, and likewise for validation.

    With folds, the number of a group says which fold tests it.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Class of each row, -1 without a label.
    groups : ndarray of int64, shape (n_rows,)
        Key of each row's group; rows of one group never fall on two sides.
    given : sequence of str, length n_rows
        What the dataset says of each row: labelled, train, validation, test or unlabelled.
    class_names : sequence of str
        For messages.
    test_fraction, validation_fraction : float
        Expected shares of all labelled rows.
    seed : int
        Seed of the test part.
    validation_seed : int
        Seed of the validation part, beside ``seed``; the test part does not depend on it.
    apart : sequence of ndarray of int, shape (n_rows,)
        Further groupings of which no group may be on two sides (`pipeline.data.groups`).
    folds, fold : int
        With ``folds`` of 2 or more, test rows are those of part ``fold`` of ``folds`` parts of
        about equal size, and ``test_fraction`` counts for nothing.

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
    for grouping in (groups, *apart):
        _exclude_shared(part, grouping)
    wants_test = not (part == TEST).any()
    wants_validation = not (part == VALIDATION).any() and validation_fraction > 0
    if folds and not wants_test:
        raise PipelineError(
            f"folds are test parts in turn, and the dataset has {np.count_nonzero(part == TEST)} "
            "test rows of its own; leave folds out."
        )
    counted = part <= TEST
    _check_classes(labels[counted], class_names, wants_test, wants_validation, folds)
    # Rows that are left for training once the test part is drawn, on average.
    left = float(np.count_nonzero(part == TRAIN))
    if wants_test:
        # Rows that the dataset says are for training are not drawn into test, if there are others.
        others = (part == TRAIN) & (said != "train")
        free = others if others.any() else part == TRAIN
        left -= (1 / folds if folds else test_fraction) * np.count_nonzero(free)
        for drawn in _by_class(labels, groups, free, draw(groups, seed, _FOR_TEST)):
            if folds:
                chosen = drawn.fold_of(folds) == fold
            else:
                chosen = drawn.below(test_fraction, 1 + wants_validation)
            part[drawn.rows(chosen)] = TEST
    if wants_validation:
        share = validation_fraction * np.count_nonzero(counted) / left
        if share >= 1:
            raise PipelineError(
                f"validation_fraction {validation_fraction:g} of all rows leaves none for training "
                "beside the dataset's own test rows; choose a smaller one."
            )
        numbers = draw(groups, seed, _FOR_VALIDATION, validation_seed)
        for drawn in _by_class(labels, groups, part == TRAIN, numbers):
            part[drawn.rows(drawn.below(share, 1))] = VALIDATION
    for grouping in apart:
        _exclude_shared(part, grouping)
    _check_parts(part, labels, class_names, wants_test, wants_validation)
    return part


def _names(column: Any) -> np.ndarray:
    """Return a column of few names as an array; one by one they would take seconds a million."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.dictionary.to_pylist(), dtype=str)[encoded.indices.to_numpy()]


def _exclude_shared(part: np.ndarray, groups: np.ndarray) -> None:
    """Of groups that are on two sides, exclude the rows nearer to training."""
    for protected, others in ((TEST, (TRAIN, VALIDATION)), (VALIDATION, (TRAIN,))):
        shared = np.isin(groups, groups[part == protected])
        part[shared & np.isin(part, others)] = EXCLUDED


@dataclass(frozen=True)
class _Drawn:
    """The groups of one class, lowest number first; rows of a group stand together."""

    numbers: np.ndarray
    sizes: np.ndarray
    starts: np.ndarray
    sorted_rows: np.ndarray

    def below(self, share: float, reserve: int) -> np.ndarray:
        """Mark the groups below a share: at least one, and with ``reserve`` left if there are."""
        count = int(np.searchsorted(self.numbers, share, "left"))
        count = max(min(count, len(self.numbers) - reserve), 1)
        return np.arange(len(self.numbers)) < count

    def fold_of(self, folds: int) -> np.ndarray:
        """Return the fold that tests each group; groups that are too few are dealt in turn."""
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
    labels: np.ndarray, groups: np.ndarray, free: np.ndarray, numbers: np.ndarray
) -> list[_Drawn]:
    """Gather the free rows by group and the groups by class, in the order of their numbers.

    A group belongs to the class that most of its rows have, on a tie to the first.
    """
    rows = np.flatnonzero(free)
    if not len(rows):
        return []
    rows = rows[np.argsort(groups[rows], kind="stable")]
    is_first = begins(groups[rows])
    starts = np.flatnonzero(is_first)
    sizes = np.diff(starts, append=len(rows))
    group = np.cumsum(is_first) - 1
    n_classes = int(labels.max()) + 1
    pairs, counts = np.unique(group * n_classes + labels[rows], return_counts=True)
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    kinds = (pairs[order] % n_classes)[begins(pairs[order] // n_classes)]
    drawn = numbers[rows[starts]]
    by_class = []
    for label in np.unique(kinds):
        of_class = np.flatnonzero(kinds == label)
        of_class = of_class[np.argsort(drawn[of_class], kind="stable")]
        by_class.append(_Drawn(drawn[of_class], sizes[of_class], starts[of_class], rows))
    return by_class


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
                    f"class {name!r} has too few rows for a share of {PARTITIONS[index]}: too few "
                    "of its texts are neither copies nor near copies of others; collect more "
                    "rows, or let copies be on two sides with group_duplicates none."
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


def check(parts: np.ndarray, together: Sequence[np.ndarray], fitted_on: str) -> None:
    """Raise unless the split is the one that vectors were fitted on and leaks nothing.

    Parameters
    ----------
    parts : ndarray of int8, shape (n_rows,)
    together : sequence of ndarray of int, shape (n_rows,)
        Groupings of the rows; rows of one group must be on one side.
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
    if any(on_two_sides(parts, groups) for groups in together):
        raise PipelineError(
            "rows of one group are on two sides of the split; please report this bug."
        )


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
        "texts_on_two_sides": on_two_sides(parts, groups),
    }
