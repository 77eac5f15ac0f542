import numpy as np

from pipeline.training import tensorboard


def test_projector_has_one_line_per_word_whatever_the_word(tmp_path):
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2) / 3
    tensorboard.write_projector(tmp_path / "projector", vectors, ["", "[UNK]", "a\tb", "\u2028"])
    names = (tmp_path / "projector" / "metadata.tsv").read_text(encoding="utf-8")
    assert names == "(padding)\n[UNK]\na b\n(space)\n"
    read = np.loadtxt(tmp_path / "projector" / "vectors.tsv", delimiter="\t")
    assert np.allclose(read, vectors, rtol=1e-4)


def test_projector_has_only_the_most_frequent_words(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "_MAX_WORDS", 2)
    tensorboard.write_projector(tmp_path, np.zeros((3, 2)), ["the", "cat", "sat"])
    assert (tmp_path / "metadata.tsv").read_text() == "the\ncat\n"
    assert len((tmp_path / "vectors.tsv").read_text().splitlines()) == 2
