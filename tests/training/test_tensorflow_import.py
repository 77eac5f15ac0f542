"""Messages of TensorFlow's C++ code in the terminal."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes
# TensorFlow warns about the odd batch size and the odd width.
ODD = """
import pipeline.training.loop
import tensorflow as tf
zeros = tf.zeros
tf.raw_ops.BlockLSTM(
    seq_len_max=tf.constant(2, tf.int64), x=zeros((2, 3, 7)), cs_prev=zeros((3, 25)),
    h_prev=zeros((3, 25)), w=zeros((32, 100)), wci=zeros(25), wcf=zeros(25), wco=zeros(25),
    b=zeros(100), forget_bias=0.0, cell_clip=-1.0, use_peephole=False,
)
"""


@pytest.mark.parametrize(
    ("variables", "is_shown"), [({}, False), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, True)]
)
def test_warning_about_slow_widths_is_shown_only_on_request(variables, is_shown):
    environment = {key: value for key, value in os.environ.items() if key[:6] != "TF_CPP"}
    done = subprocess.run(
        [sys.executable, "-c", ODD],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("cell_size=25" in done.stderr) == is_shown
