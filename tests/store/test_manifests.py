"""The schema of manifests."""

import json

import pytest

from pipeline.store import manifests

MANIFEST = {"task": "Report", "digest": "ab" * 8, "upstream": None, "files": {}}
ABOVE = {"task": "Evaluate", "digest": "cd" * 8}


def write(folder, manifest):
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_descriptive_keys_have_defaults_and_other_keys_are_kept(tmp_path):
    manifest = manifests.read(write(tmp_path, {**MANIFEST, "facts": {"threads": 2}}))
    assert (manifest["settings"], manifest["seconds"], manifest["finished"]) == ({}, None, "")
    assert manifest["facts"] == {"threads": 2}
    assert "beside" not in manifest
    assert manifests.why_unreadable(tmp_path) == ""


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"digest": 7}, "digest"),
        ({"files": {"a.txt": {"size": -1, "sha256": ""}}}, "size"),
        ({"files": {"a\x00": {"size": 1, "sha256": ""}}}, "files"),
        ({"upstream": {**ABOVE, "place": "../../.."}}, "place"),
        ({"upstream": {**ABOVE, "place": "/elsewhere"}}, "place"),
        ({"beside": {}}, "beside"),
        ({"code": None}, "code"),
        ({"seconds": float("inf")}, "seconds"),
        ({"rows_out": True}, "rows_out"),
    ],
)
def test_manifest_that_does_not_fit_the_schema_is_one_error(tmp_path, change, part):
    folder = write(tmp_path, {**MANIFEST, **change})
    assert manifests.read(folder) is None
    assert manifests.why_unreadable(folder).startswith("manifest.json ")
    assert part in manifests.why_unreadable(folder)


@pytest.mark.parametrize("key", MANIFEST)
def test_key_that_identifies_an_artifact_has_no_default(tmp_path, key):
    write(tmp_path, {name: MANIFEST[name] for name in MANIFEST if name != key})
    assert f"`{key}`" in manifests.why_unreadable(tmp_path)


@pytest.mark.parametrize("place", ["../rows-ab", "../../2_clean/rows-ab"])
def test_references_to_other_steps_fit_the_schema(tmp_path, place):
    write(tmp_path, {**MANIFEST, "upstream": {**ABOVE, "place": place}})
    assert manifests.why_unreadable(tmp_path) == ""


def test_missing_manifest_and_other_content_have_different_errors(tmp_path):
    assert "missing" in manifests.why_unreadable(tmp_path)
    assert "no JSON object" in manifests.why_unreadable(write(tmp_path, [1]))
