"""What is compared: each comparison a function from a `Bench` to lines of the table."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import networks, processes, texts
from benchmarks.speed.bench import Bench

COMPARISONS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "text-words": texts.text_words,
    "text-stems": texts.text_stems,
    "text-tweet": texts.text_tweet,
    "tfidf": texts.tfidf,
    "bag": networks.bag,
    "bag-large": networks.bag_large,
    "hate": networks.hate,
    "disaster": networks.disaster,
    "imdb": networks.imdb,
    "bayes": processes.bayes,
    "start-up": processes.start_up,
    "prediction": processes.prediction,
}
