"""Presets: published settings by the work that they come from and by model.

A value of the user overrides the preset; the preset overrides the defaults of the model. Presets
include upstream settings (cleaning, tokenizer, representation), but not the split of the rows.
"""

from collections.abc import Mapping
from typing import Any

# All works but one used raw texts.
_RAW = {
    "encoding_repair": "keep",
    "html": "keep",
    "unicode_form": "none",
    "urls": "keep",
    "mentions": "keep",
}
_FIXED_EPOCHS = {"patience": 0}

# A course notebook on disaster tweets, models 0 to 7.
_COURSE_NETWORK = {**_FIXED_EPOCHS, "epochs": 5, "batch_size": 32, "learning_rate": 1e-3}
_COURSE_SEQUENCES = {
    **_RAW,
    **_COURSE_NETWORK,
    # The notebook deletes punctuation, so that a URL is one of the 15 words that fit. Here it would
    # be split at its slashes into four words.
    "urls": "replace",
    "tokenizer": "words",
    "max_words": 10_000,
    "sequence_length": 15,
    "embedding": "learned",
    "embedding_size": 128,
    "spatial_dropout": 0.0,
    "dropout": 0.0,
    "dense_units": "none",
}
_COURSE_RECURRENT = {**_COURSE_SEQUENCES, "units": (64,), "pooling": "last", "mask_padding": False}

# A notebook on the emotions of tweets about brands. It uses stop words and lemmas of NLTK, whose
# corpora pip cannot install: add --stop-words nltk --word-form wordnet if you have them.
_BRAND_TEXT = {
    "urls": "remove",
    "mentions": "remove",
    "case": "lower",
    "tokenizer": "regexp",
    "pattern": "[a-zA-Z0-9]+",
    "stop_words": "scikit-learn",
    "word_form": "simplemma",
    "max_words": 10_000,
}

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "disaster-course": {
        "naive_bayes": {
            **_RAW,
            "case": "lower",
            "tokenizer": "regexp",
            "pattern": r"\w\w+",
            "max_words": "all",
            "norm": "l2",
            "variant": "multinomial",
            "alpha": 1.0,
        },
        "dense": {**_COURSE_SEQUENCES, "pooling": "mean", "mask_padding": False},
        "lstm": _COURSE_RECURRENT,
        "gru": _COURSE_RECURRENT,
        "bilstm": _COURSE_RECURRENT,
        "conv1d": {**_COURSE_SEQUENCES, "filters": 32, "filter_width": 5},
        "sentence_encoder": {
            **_RAW,
            **_COURSE_NETWORK,
            "encoder": "use",
            "units": (64,),
            "activations": ("relu",),
            "dropout": 0.0,
        },
    },
    # A report on hate speech: its last and largest network.
    "hate-speech-report": {
        "bilstm": {
            **_RAW,
            "tokenizer": "words",
            "max_words": 50_000,
            "sequence_length": 34,
            "embedding": "learned",
            "embedding_size": 88,
            "units": (1024, 512, 254),
            "input_dropout": 0.3,
            "spatial_dropout": 0.0,
            "batch_normalization": True,
            "mask_padding": True,
            "pooling": "last",
            "dense_units": (512, 128),
            "activations": ("sigmoid", "relu"),
            "l2": (0.02, 0.01),
            "dropout": 0.5,
            "class_weights": "max",
            "learning_rate": 1e-4,
            "batch_size": 256,
            "epochs": 80,
            "patience": 5,
            "monitor": "loss",
        }
    },
    "brand-emotion": {
        "tfidf_dense": {
            **_BRAND_TEXT,
            **_FIXED_EPOCHS,
            "norm": "l1",
            "units": (64, 16, 8),
            "activations": ("relu",),
            "dropout": 0.5,
            # The notebook has two runs and does not say which one reached its published AUC of
            # .872. This one is closer: output bias zero, all training rows (of 9,093 in the data)
            # in one batch. Here it reaches .80 to .88, depending on the seed; the other run, with
            # an output bias and batches of 2,048, is worse than a constant predictor.
            "output_bias": "none",
            "learning_rate": 1e-3,
            "batch_size": 9_093,
            "epochs": 128,
        },
        # The notebook used glove.twitter.27B.25d.txt, which must be downloaded by hand.
        "bilstm": {
            **_BRAND_TEXT,
            "sequence_length": 100,
            "padding": "before",
            "cutting": "before",
            "embedding": "glove-6b-50d",
            "freeze_embedding": True,
            "units": (25,),
            "top_units": 16,
            "pooling": "last",
            "mask_padding": False,
            "spatial_dropout": 0.0,
            "dense_units": (16,),
            "activations": ("swish",),
            "dropout": 0.5,
            "class_weights": "balanced",
            "learning_rate": 1e-3,
            "batch_size": 128,
            "epochs": 128,
            "monitor": "auc",
            "patience": 15,
            "min_change": 1e-4,
        },
    },
    # A blog on 1.58 million tweets.
    "tweet-blog": {
        "bag_dense": {
            **_RAW,
            **_FIXED_EPOCHS,
            "tokenizer": "words",
            "max_words": 3_000,
            "units": (512, 256),
            "activations": ("relu", "sigmoid"),
            "dropout": 0.5,
            "learning_rate": 1e-3,
            "batch_size": 32,
            "epochs": 5,
        }
    },
    # Deep Learning with Python, first edition, section 3.4: the network of the last training.
    "film-reviews-book": {
        "bag_dense": {
            **_FIXED_EPOCHS,
            "tokenizer": "words",
            "max_words": 10_000,
            "units": (16, 16),
            "activations": ("relu",),
            "dropout": 0.0,
            "optimizer": "rmsprop",
            "learning_rate": 1e-3,
            "batch_size": 512,
            "epochs": 4,
        }
    },
}
