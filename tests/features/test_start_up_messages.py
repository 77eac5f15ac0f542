"""Which lines of standard error are hidden while TensorFlow starts."""

import os

import pytest

from pipeline.features.start_up_messages import without_start_up_messages


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        ("WARNING: All log messages before absl::InitializeLog() is called are on STDERR", False),
        ("I0000 00:00:1795787889.359082   13454 port.cc:153] oneDNN operations are on.", False),
        ("E0000 00:00:1795787894.131287   13454 cuda_platform.cc:52] failed call to cuInit", False),
        ("Killed", True),
        ("Traceback (most recent call last):", True),
    ],
)
def test_only_start_up_messages_are_hidden(capfd, line, is_shown):
    with without_start_up_messages():
        os.write(2, f"{line}\n".encode())
    assert (line in capfd.readouterr().err) is is_shown
