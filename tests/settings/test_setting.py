import pytest

from pipeline.errors import PipelineError, nearest
from pipeline.settings.setting import Setting

UNITS = Setting("units", "ints", (64,), "width", unit="cells", low=1)
LENGTH = Setting("sequence_length", "int", "auto", "length", unit="tokens", low=1, also=("auto",))
RATE = Setting("learning_rate", "float", 1e-3, "step", above=0)
SHARE = Setting("dropout", "float", 0.5, "share", low=0, below=1)
CHOICE = Setting("case", "choice", "keep", "case", choices=("keep", "lower"))
FLAG = Setting("sublinear_tf", "flag", False, "sublinear")
DAY = Setting("date", "date", "none", "day", also=("none",))
WEIGHTS = Setting("class_weights", "floats", "none", "weights", above=0, also=("none", "max"))


@pytest.mark.parametrize(
    ("setting", "typed", "value"),
    [
        (UNITS, "[128, 64]", (128, 64)),
        (UNITS, "128", (128,)),
        (LENGTH, "20", 20),
        (LENGTH, "auto", "auto"),
        (RATE, "1", 1.0),
        (RATE, "2e-3", 0.002),
        (SHARE, "0", 0.0),
        (CHOICE, "lower", "lower"),
        (FLAG, "True", True),
        (WEIGHTS, "[1, 2.5]", (1.0, 2.5)),
        (WEIGHTS, "max", "max"),
        (DAY, "2026-11-22", "2026-11-22"),
        (DAY, "none", "none"),
    ],
)
def test_parse_returns_the_value(setting, typed, value):
    parsed = setting.parse(typed)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("setting", "typed", "message"),
    [
        (UNITS, "[0]", r"units must be .* each at least 1 .*cells.*, got \[0\]"),
        (UNITS, "[]", r"units must be"),
        (UNITS, "[1.5]", r"got \[1.5\]"),
        (UNITS, "[true]", r"units must be"),
        (UNITS, "many", r"got many"),
        (UNITS, "[Infinity]", r"units must be"),
        (LENGTH, "0", r"sequence_length must be a whole number at least 1, or auto .*got 0"),
        (LENGTH, "2.5", r"got 2.5"),
        (RATE, "0", r"learning_rate must be a number above 0, got 0"),
        (RATE, "nan", r"learning_rate"),
        (SHARE, "1", r"at least 0 and below 1, got 1"),
        (CHOICE, "upper", r"case must be one of keep, lower, got upper"),
        (FLAG, "perhaps", r"true or false, got perhaps"),
        (WEIGHTS, "[0]", r"each above 0"),
        (DAY, "yesterday", r"date must be a date such as 2026-11-22, or none, got yesterday"),
    ],
)
def test_parse_rejects_wrong_values(setting, typed, message):
    with pytest.raises(PipelineError, match=message):
        setting.parse(typed)


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        (
            Setting("seed", "int", 0, "seed", low=0, high=2**32 - 1),
            "a whole number at least 0 and at most 4294967295",
        ),
        (RATE, "a number above 0"),
        (Setting("floor", "float", 0.5, "floor", low=0.25), "a number at least 0.25"),
        (
            Setting(
                "baselines", "words", "none", "models", choices=("a", "b", "c"), also=("none",)
            ),
            """a JSON list such as '["a", "b"]' of a, b, c, or none""",
        ),
    ],
    ids=["large-bound", "whole-bound", "fraction", "choices"],
)
def test_allowed_prints_bounds_in_full_and_own_choices(setting, allowed):
    assert setting.allowed == allowed


@pytest.mark.parametrize(
    ("setting", "value"),
    [(UNITS, (128, 64)), (LENGTH, "auto"), (RATE, 0.5), (FLAG, True), (WEIGHTS, (1.0, 2.5))],
)
def test_serialized_value_parses_to_itself(setting, value):
    assert setting.parse(setting.serialize(value)) == value


def test_equal_int_and_float_have_one_form():
    assert repr(RATE.check(1)) == repr(RATE.check(1.0)) == "1.0"
    assert repr(LENGTH.check(20.0)) == "20"


def test_nearest_offers_similar_names_first():
    assert nearest("vadr", ["vader", "imdb"]) == "did you mean 'vader'? Known: imdb, vader"
    assert nearest("xyzzy", ["vader"]) == "Known: vader"


@pytest.mark.parametrize(("value", "meant"), [(False, False), ("false", False), (True, True)])
def test_flag_can_be_a_word(value, meant):
    assert FLAG.check(value) is meant
