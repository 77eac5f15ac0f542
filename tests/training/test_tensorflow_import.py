"""What TensorFlow's C++ side writes to the terminal."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes
# Of an odd batch and an odd width, which TensorFlow warns of.
ODD = """
import pipeline.training.network
import tensorflow as tf
zeros = tf.zeros
tf.raw_ops.BlockLSTM(
    seq_len_max=tf.constant(2, tf.int64), x=zeros((2, 3, 7)), cs_prev=zeros((3, 25)),
    h_prev=zeros((3, 25)), w=zeros((32, 100)), wci=zeros(25), wcf=zeros(25), wco=zeros(25),
    b=zeros(100), forget_bias=0.0, cell_clip=-1.0, use_peephole=False,
)
"""


@pytest.mark.parametrize(
    ("chosen", "is_said"), [({}, False), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, True)]
)
def test_slow_widths_are_said_only_where_asked_for(chosen, is_said):
    environment = {key: value for key, value in os.environ.items() if key[:6] != "TF_CPP"}
    done = subprocess.run(
        [sys.executable, "-c", ODD],
        env={**environment, **chosen},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("cell_size=25" in done.stderr) == is_said
