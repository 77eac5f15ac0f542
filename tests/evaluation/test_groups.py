import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.evaluation.groups import group_column, read_rows


def test_near_groups_are_read_where_the_table_has_them(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [1, 2], "group": [0, 1], "near_group": [7, 7]}), path)
    assert group_column(path) == "near_group"
    table = read_rows(path, ["id", "group"])
    assert table.column_names == ["id", "group", "near_group"]
    assert table["near_group"].to_pylist() == [7, 7]


def test_groups_of_equal_texts_stand_in_for_near_groups(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [1, 2], "group": [3, 4]}), path)
    assert group_column(path) == "group"
    assert read_rows(path, ["id"])["near_group"].to_pylist() == [3, 4]
