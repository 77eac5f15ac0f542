import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.evaluation.groups import group_column, group_indices


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["id", "group", "near_group"], "near_group"),
        (["id", "group"], "group"),
    ],
    ids=["current", "before near copies were grouped"],
)
def test_column_of_near_copies_is_preferred(tmp_path, columns, expected):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({name: [1, 2] for name in columns}), path)
    assert group_column(path) == expected


def test_each_row_is_a_group_by_default():
    assert group_indices(None, 3).tolist() == [0, 1, 2]
    assert group_indices(np.array([7, 7, 3]), 3).tolist() == [1, 1, 0]
