"""Every row of the catalogue through the chain, on the real files where they are there."""

import json

import pytest
from conftest import Chain

pytestmark = [pytest.mark.real_data, pytest.mark.processes]

# Dataset: records, kept, set aside with reasons, classes, unlabelled (data/README of the files).
COUNTS = {
    "vader": (
        4200,
        4092,
        {"rating between the labels' bounds (-0.05, 0.05)": 108},
        {"negative": 1268, "positive": 2824},
        0,
    ),
    "hate_speech": (49159, 49159, {}, {"not hateful": 29720, "hateful": 2242}, 17197),
    "brand_emotion": (
        9093,
        9092,
        {"text is empty": 1},
        {"no emotion": 5388, "positive": 2978, "negative": 570, "cannot tell": 156},
        0,
    ),
    "disaster": (10876, 10876, {}, {"not disaster": 4342, "disaster": 3271}, 3263),
    "sentiment140": (100000, 100000, {}, {"negative": 50000, "positive": 50000}, 0),
    "imdb": (50000, 50000, {}, {"negative": 25000, "positive": 25000}, 0),
}
# Naive Bayes on the default split scores at least this on test rows: far below what was
# measured, far above the largest class alone where that is not most rows.
LEAST = {
    "vader": 0.70,
    "hate_speech": 0.92,
    "brand_emotion": 0.60,
    "disaster": 0.76,
    "sentiment140": 0.74,
    "imdb": 0.80,
}


@pytest.fixture(scope="module")
def linked(tmp_path_factory, real_data):
    """Return a chain whose data folder has links to the real files."""
    chain = Chain(tmp_path_factory.mktemp("real"))
    for folder in real_data.iterdir():
        if folder.is_dir():
            (chain.data / folder.name).mkdir()
            for file in folder.iterdir():
                (chain.data / folder.name / file.name).symlink_to(file)
    return chain


@pytest.mark.parametrize("name", COUNTS)
def test_catalogue_row_goes_through_the_chain(linked, name):
    records, kept, reasons, classes, unlabelled = COUNTS[name]
    done = linked.luigi("RunAll", "--dataset", name, "--model", "naive_bayes", timeout=600)
    assert done.returncode == 0, done.stderr
    (folder,) = linked.outputs.glob(f"{name}/2_clean/*")
    profile = json.loads((folder / "profile.json").read_text())
    assert profile["records"] == records
    assert profile["records"] == profile["kept"] + profile["set_aside"]
    assert (profile["kept"], profile["reasons"]) == (kept, reasons)
    assert profile["labels"] == classes
    (folder,) = linked.outputs.glob(f"{name}/5_split/*")
    balance = json.loads((folder / "balance.json").read_text())
    assert balance["rows"]["unlabelled"] == unlabelled
    assert sum(balance["rows"].values()) == kept
    assert balance["texts_on_two_sides"] == 0
    (folder,) = linked.outputs.glob(f"{name}/7_evaluate/*")
    assert json.loads((folder / "metrics.json").read_text())["test"]["accuracy"] > LEAST[name]


def test_hate_speech_has_its_repeated_tweets(linked):
    linked.run("CleanText", dataset="hate_speech")
    (folder,) = linked.outputs.glob("hate_speech/2_clean/*")
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "rows.parquet", columns=["raw", "label"])
    labelled = rows.filter(pc.is_valid(rows["label"]))
    assert labelled.num_rows - pc.count_distinct(labelled["raw"]).as_py() == 2432


def test_mojibake_and_mac_roman_are_repaired(linked):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for name, wrong in (("hate_speech", "â\x80¦"), ("brand_emotion", "â€“")):
        linked.run("CleanText", dataset=name)
        (folder,) = linked.outputs.glob(f"{name}/2_clean/*")
        rows = pq.read_table(folder / "rows.parquet", columns=["raw", "clean"])
        assert pc.any(pc.match_substring(rows["raw"], wrong)).as_py()
        assert not pc.any(pc.match_substring(rows["clean"], wrong)).as_py()
