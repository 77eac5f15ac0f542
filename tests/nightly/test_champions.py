"""Artifacts of nights that may be removed, and those that a rollback needs."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner
from conftest import Chain

from pipeline.cli import cli, gc, rm
from pipeline.errors import PipelineError
from pipeline.nightly import champions, ledger, registry
from pipeline.nightly.ledger import KEPT, PROMOTED, Champion, Entry
from pipeline.store.outputs import Store

RUN = {"dataset": "toy", "model": "naive_bayes"}


@pytest.fixture(scope="module")
def three(built, tmp_path_factory):
    """Return a chain with three runs, and their reports, oldest first."""
    folder = tmp_path_factory.mktemp("three") / "chain"
    shutil.copytree(built.folder, folder, symlinks=True)
    chain, found = Chain(folder), []
    shutil.rmtree(chain.outputs / "four")
    for alpha in (0.25, 0.5, 1.0):
        chain.run(**RUN, alpha=alpha)
        found.append((chain.outputs / "latest/toy/naive_bayes").resolve().name)
    return chain, found


@pytest.fixture
def mine(three, tmp_path):
    """Return a copy of that chain, to be changed."""
    shutil.copytree(three[0].folder, tmp_path / "chain", symlinks=True)
    return Chain(tmp_path / "chain")


@pytest.fixture
def runs(three, mine):
    """Return the reports of its runs, oldest first."""
    return [mine.outputs / "toy" / "8_report" / name for name in three[1]]


def call(chain, *words):
    chain.set_paths()
    return CliRunner().invoke(cli, list(words))


def evaluate_of(chain, report):
    store = Store(chain.outputs)
    artifact = store.find(str(report))
    return store.of(artifact, "Evaluate")


def nights(chain, reports, outcomes):
    """Write a ledger in which each run was a night's."""
    folder = ledger.registry_folder(chain.outputs, "toy")
    for number, (report, outcome) in enumerate(zip(reports, outcomes, strict=True), start=1):
        artifact = evaluate_of(chain, report)
        date = f"2026-11-{number:02d}"
        path = os.path.relpath(artifact.path, chain.outputs)
        one = Champion(date, artifact.digest, path) if outcome == PROMOTED else None
        digests = {"evaluate": artifact.digest, "report": report.name[-16:]}
        with registry.locked(folder) as writer:
            present = writer.champion.digest if writer.champion else None
            writer.record(Entry(date, outcome, "because", "now", digests, {}, present, one))
        place = chain.outputs / "toy" / "nights" / date
        place.mkdir(parents=True)
        manifest = {"task": "Nightly", "digest": "0" * 15 + str(number)}
        manifest |= {"upstream": None, "files": {}}
        (place / "manifest.json").write_text(json.dumps(manifest))
    history = chain.outputs / "history" / "toy.html"
    history.parent.mkdir()
    history.write_text(" ".join(report.name for report in reports))


def unreferenced(chain, older=None):
    found = gc.unreferenced(Store(chain.outputs), 0, 0.0, older)
    return sorted(os.path.relpath(entry["place"], chain.outputs) for entry in found)


def folders(chain, report):
    """Return Train's, Evaluate's and Report's folders of a run, as they are listed."""
    store = Store(chain.outputs)
    chained = list(store.chain(store.find(str(report))))[:3]
    return sorted(os.path.relpath(item.path, chain.outputs) for item in chained)


def test_gc_keeps_champions_and_lists_other_runs(mine, runs):
    nights(mine, runs, [PROMOTED, KEPT, PROMOTED])
    assert unreferenced(mine) == folders(mine, runs[1])


def test_gc_lists_older_champions_on_request_and_never_the_present_one(mine, runs):
    nights(mine, runs, [PROMOTED, PROMOTED, KEPT])
    assert unreferenced(mine, older=1) == []
    assert unreferenced(mine, older=0) == folders(mine, runs[0])


def test_gc_keeps_the_champion_of_a_rollback(mine, runs):
    nights(mine, runs, [PROMOTED, PROMOTED, KEPT])
    with registry.locked(ledger.registry_folder(mine.outputs, "toy")) as writer:
        writer.rollback("2026-11-01", "now")
    assert unreferenced(mine, older=0) == folders(mine, runs[1])


def test_pointer_alone_keeps_its_champion(mine, runs):
    nights(mine, runs, [PROMOTED, KEPT, KEPT])
    (ledger.registry_folder(mine.outputs, "toy") / "ledger.jsonl").unlink()
    report = os.path.relpath(runs[0], mine.outputs)
    assert unreferenced(mine) == sorted([report, *folders(mine, runs[1])])


def test_gc_keeps_complete_records_of_nights(mine, runs):
    nights(mine, runs, [PROMOTED, PROMOTED, PROMOTED])
    (mine.outputs / "toy/nights/2026-11-02/manifest.json").unlink()
    assert unreferenced(mine) == ["toy/nights/2026-11-02"]


def test_removing_a_champions_run_removes_only_its_report(mine, runs):
    nights(mine, runs, [PROMOTED, KEPT, KEPT])
    store = Store(mine.outputs)
    alone = rm.needed_alone(store, store.find(str(runs[0])))
    assert [item.task for item in alone] == ["Report"]
    alone = rm.needed_alone(store, store.find(str(runs[1])))
    assert [item.task for item in alone] == ["Report", "Evaluate", "TrainModel"]


@pytest.mark.parametrize("step", ["1_download", "4_vectorize", "6_train", "7_evaluate"])
def test_inputs_of_a_champion_cannot_be_removed_by_name(mine, runs, step):
    nights(mine, runs, [PROMOTED, KEPT, KEPT])
    lineage = Store(mine.outputs).lineage(evaluate_of(mine, runs[0]))
    place = next(item.path for item in lineage if item.path.parent.name == step)
    with pytest.raises(PipelineError, match=r"toy of 2026-11-01 is made from it.*--champions N"):
        champions.refuse(Store(mine.outputs), [place])
    done = call(mine, "rm", "--yes", str(place))
    assert isinstance(done.exception, PipelineError)
    assert place.is_dir()


def test_rejected_challenger_can_be_removed_by_name(mine, runs):
    nights(mine, runs, [PROMOTED, KEPT, KEPT])
    place = evaluate_of(mine, runs[1]).path
    done = call(mine, "rm", "--yes", str(place))
    assert done.exit_code == 0, done.output
    assert not place.exists()


def test_commands_work_in_outputs_with_nights(mine, runs):
    nights(mine, runs, [PROMOTED, KEPT, KEPT])
    for words in ("ls", "ls --json", "show toy/naive_bayes", "gc --champions 0"):
        done = call(mine, *words.split())
        assert done.exit_code == 0, (words, done.output)
        assert "nights" not in done.output
