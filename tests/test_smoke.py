def test_chain_runs(built):
    assert len(built.manifests()) == 16
