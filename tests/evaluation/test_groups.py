import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.evaluation.groups import group_column


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["id", "group", "near_group"], "near_group"),
        (["id", "group"], "group"),
    ],
    ids=["with near copies", "written before near copies were grouped"],
)
def test_groups_are_those_of_near_copies_where_the_table_has_them(tmp_path, columns, expected):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({name: [1, 2] for name in columns}), path)
    assert group_column(path) == expected
