"""The code that is hashed for each step of the real chain."""

import pytest

from pipeline.tasks import provenance


def steps(chain, **settings):
    """Return the steps of the model's own chain by their names."""
    report = chain.task(**settings).requires()
    return {step.task_family: step for step in report.chain()}


@pytest.fixture
def of_two_models(built):
    return [
        {
            name: provenance.code_of(step).parts
            for name, step in steps(built, dataset="toy", model=model).items()
        }
        for model in ("naive_bayes", "bilstm")
    ]


def test_code_of_every_step_contains_its_build(of_two_models):
    for parts_of in of_two_models:
        assert len(parts_of) == 8
        for name, parts in parts_of.items():
            assert any(part.endswith(f":{name}.build") for part in parts)


def test_code_of_a_model_is_not_that_of_another(of_two_models):
    bayes, network = (parts_of["TrainModel"] for parts_of in of_two_models)
    assert "pipeline.models.naive_bayes:NaiveBayes" in bayes
    assert not any("models.sequences" in part for part in bayes)
    assert "pipeline.models.sequences:bilstm" in network
    assert "pipeline.training.loop:Trainer" in network
    assert not any("naive_bayes" in part for part in network)


@pytest.mark.parametrize(
    ("step", "part"),
    [
        ("CleanText", "pipeline.text.clean:_repaired"),
        ("CleanText", "pipeline.data.readers:read"),
        ("Vectorize", "pipeline.features.bags:TfidfEncoder"),
        ("Vectorize", "pipeline.data.split:assign"),
        ("SplitStratified", "pipeline.tasks.vectorize:Vectorize.assignment"),
        ("Evaluate", "pipeline.evaluation.metrics:evaluate"),
        ("Report", "file:pipeline/report/templates/report.html"),
    ],
)
def test_code_reaches_through_modules_to_helpers_and_templates(of_two_models, step, part):
    assert part in of_two_models[0][step]


def test_publishing_and_digests_are_not_part_of_a_step(of_two_models):
    for parts in of_two_models[0].values():
        assert not any(
            part.startswith(("pipeline.tasks.base:", "pipeline.store.publishing:"))
            for part in parts
        )
        assert not any(part.endswith((".settings", ".label", ".requires")) for part in parts)


def test_code_of_requirements_is_not_part_of_a_step(of_two_models):
    for parts_of in of_two_models:
        assert not any("models.presets" in part for part in parts_of["Report"])
        assert not any("tasks.baseline" in part for part in parts_of["Report"])
        assert "pipeline.tasks.evaluate:Evaluate.baseline" not in parts_of["Evaluate"]
        assert not any("presets" in part for part in parts_of["Evaluate"])


def test_manifest_records_the_hash_of_each_part(built):
    of_four = steps(built, dataset="four", model="naive_bayes")
    for path, manifest in built.manifests().items():
        if path.parent.parent.name == "four":
            code = provenance.code_of(of_four[manifest["task"]])
            assert manifest["code"] == {
                "fingerprint": code.fingerprint,
                "in_digest": False,
                "parts": code.parts,
            }
