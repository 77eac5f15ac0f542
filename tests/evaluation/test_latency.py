import numpy as np

from pipeline.evaluation.latency import measure


def test_size_excludes_logs_and_batches_have_at_most_the_rows(tmp_path):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events").write_bytes(b"log")
    (tmp_path / "weights").write_bytes(b"12345")
    sizes = []
    result = measure(lambda vectors: sizes.append(len(vectors)), np.zeros((3, 2)), tmp_path)
    assert result["bundle_bytes"] == 5
    assert result["batch_texts"] == 3
    assert sizes == [1, 1, 1, 1, 3, 3]
    assert result["seconds_single"] >= 0
