import pytest

from pipeline.report.suggestion import with_option


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("luigi RunAll", "luigi RunAll --seed 1"),
        ("luigi RunAll --seed 0 --model m", "luigi RunAll --model m --seed 1"),
    ],
)
def test_option_is_replaced_or_added(command, changed):
    assert with_option(command, "seed", 1) == changed
