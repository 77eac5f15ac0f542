"""What public notebooks do, written plainly: the other side of every comparison of speed.

Row by row with pandas and NLTK, Keras-style loops over words, dense matrices, and `fit` on padded
arrays. Nothing here imports the pipeline, and the pipeline imports nothing from here.
"""
