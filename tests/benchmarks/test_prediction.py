"""The table of prediction speeds says what was measured."""

import pytest
from conftest import ROOT


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.speed import prediction

    return prediction


def test_the_table_has_medians_spreads_and_ratios(module):
    timings = [
        module.Timing("some_model", 1000, (2.0, 1.0, 4.0)),
        module.Timing(module.FASTTEXT, 1000, (1.0, 1.0, 1.0)),
    ]
    *_, model, fasttext = module.table(timings).splitlines()
    assert model == "| some_model | 1,000 | 500 | 250 to 1,000 | 0.50 |"
    assert fasttext == f"| {module.FASTTEXT} | 1,000 | 1,000 | 1,000 to 1,000 | 1.00 |"


def test_the_slice_is_a_dataset_of_its_own_whatever_its_texts_hold(module, chain):
    texts = ['a "quoted", text', "love\nlines", "plain"]
    module._write_slice(chain.data, texts, ["good", "bad", "good"])
    chain.run("CleanText", dataset=module.SLICE)
    import pyarrow.parquet as pq

    (file,) = chain.outputs.glob("*/2_clean/*/rows.parquet")
    rows = pq.read_table(file)
    assert rows["raw"].to_pylist() == texts
    assert rows["label"].to_pylist() == ["good", "bad", "good"]
