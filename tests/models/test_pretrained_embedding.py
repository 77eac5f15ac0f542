"""Networks with pretrained word vectors, also for words that training texts do not contain."""

import json

import luigi
import numpy as np
import pyarrow.parquet as pq
import pytest
from networks import build

from pipeline.errors import PipelineError
from pipeline.evaluation.predictions import in_row_order
from pipeline.models.base import Problem

pytestmark = pytest.mark.network

GOOD = ["love", "great", "happy", "sunny", "win", "smile", "thanks", "sweet", "best", "glad"]
BAD = ["hate", "awful", "sad", "rain", "lose", "cry", "angry", "bitter", "worst", "sorry"]
SMALL = {"units": (8,), "epochs": 15, "batch_size": 32, "learning_rate": 0.02, "patience": 0}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a chain, its steps by ``freeze_embedding``, and the file of vectors."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("pretrained"))
    chain.add()
    rng = np.random.default_rng(0)
    lines = [
        f"{word} {side + 0.1 * rng.normal():.4f} {rng.normal():.4f} {rng.normal():.4f}"
        for side, words in ((1, [*GOOD, "splendid"]), (-1, [*BAD, "dreadful"]))
        for word in words
    ]
    file = chain.folder / "vectors.txt"
    file.write_text("\n".join(lines) + "\n")
    steps = {}
    for is_fixed in (True, False):
        report = chain.task(
            dataset="toy", model="bilstm", embedding=str(file), freeze_embedding=is_fixed, **SMALL
        ).requires()
        steps[is_fixed] = {step.task_family: step for step in report.chain()}
        assert luigi.build([steps[is_fixed]["Evaluate"]], local_scheduler=True, log_level="WARNING")
    return chain, steps, file


def predict(folder, lists):
    from pipeline.features.texts import Texts
    from pipeline.models.bundle import load
    from pipeline.text.tokens import Tokens

    bundle = load(folder)
    texts = Texts(Tokens.from_lists(lists))
    return bundle.classifier.predict(bundle.encoder.transform(texts))


@pytest.mark.parametrize("is_fixed", [True, False], ids=["fixed", "trainable"])
def test_word_of_no_training_text_is_predicted_by_its_vector(trained, is_fixed):
    _, steps, _ = trained
    probabilities = predict(
        steps[is_fixed]["TrainModel"].path(), [["splendid"], ["dreadful"], ["nothing"], ["love"]]
    )
    assert probabilities[0, 1] > 0.8
    assert probabilities[1, 1] < 0.2
    np.testing.assert_allclose(probabilities[0, 1], probabilities[3, 1], atol=0.15)


def test_fixed_vectors_stay_and_trainable_vectors_change(trained):
    from pipeline.models.bundle import load

    chain, steps, _ = trained
    chain.set_paths()
    for is_fixed in (True, False):
        bundle = load(steps[is_fixed]["TrainModel"].path())
        weights = bundle.classifier.model.get_layer("embedding").get_weights()[0]
        assert np.array_equal(weights, bundle.encoder.embedding()) is is_fixed
        facts = json.loads((steps[is_fixed]["TrainModel"].path() / "training.json").read_text())
        assert (facts["parameters"] > facts["trainable_parameters"]) is is_fixed


def test_coverage_and_words_without_vector_are_recorded(trained):
    chain, steps, _ = trained
    chain.set_paths()
    folder = steps[True]["Vectorize"].path()
    coverage = json.loads((folder / "vectors.json").read_text())["word_vectors"]
    without = (folder / "words_without_vector.txt").read_text().split()
    assert coverage["words_without_vector"] == len(without) > 0
    assert "the" in without
    assert "love" not in without
    assert 0 < coverage["tokens_covered"] < 1


def test_digest_depends_on_the_content_of_the_file(trained):
    chain, steps, file = trained
    chain.set_paths()
    before = steps[True]["Vectorize"].digest()
    upstream = steps[True]["Tokenize"].digest()
    text = file.read_text()
    file.write_text(text + "extra 1 2 3\n")
    assert steps[True]["Vectorize"].digest() != before
    assert steps[True]["Tokenize"].digest() == upstream
    file.write_text(text)
    assert steps[True]["Vectorize"].digest() == before


def test_predictions_equal_those_of_evaluate(trained):
    from pipeline.models.bundle import load

    chain, steps, _ = trained
    chain.set_paths()
    bundle = load(steps[True]["TrainModel"].path())
    vectors = bundle.encoder.load_vectors(steps[True]["Vectorize"].path())
    path = steps[True]["Evaluate"].path() / "predictions.parquet"
    table = in_row_order(pq.read_table(path))
    np.testing.assert_allclose(
        bundle.classifier.predict(vectors)[:, 1], table["p_good"].to_numpy(), atol=1e-7
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"freeze_embedding": True}, "freeze_embedding"),
        ({"embedding": "nowhere.txt"}, "'nowhere.txt'"),
    ],
)
def test_conflicting_settings_are_an_error_before_a_run(chain, settings, message):
    chain.add()
    with pytest.raises(PipelineError, match=message):
        chain.task(dataset="toy", model="bilstm", **settings).requires()


def test_size_with_pretrained_vectors_is_an_error(trained):
    chain, _, file = trained
    with pytest.raises(PipelineError, match="embedding_size"):
        chain.task(dataset="toy", model="bilstm", embedding=str(file), embedding_size=10)


def test_brand_emotion_network_has_the_published_number_of_parameters():
    network = build(
        "bilstm",
        Problem(7_573, 4, 100, np.zeros((7_573, 25), np.float32)),
        freeze_embedding=True,
        units=(25,),
        top_units=16,
        pooling="last",
        dense_units=(16,),
        activations=("swish",),
    )
    assert network.count_params() == 204_153
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 14_828
