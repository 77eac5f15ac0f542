"""What is compared: each comparison a function from a `Bench` to lines of the table."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import bags, processes, recurrent, texts
from benchmarks.speed.bench import Bench

COMPARISONS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "text-words": texts.text_words,
    "text-stems": texts.text_stems,
    "text-tweet": texts.text_tweet,
    "tfidf": texts.tfidf,
    "bag": bags.bag,
    "bag-large": bags.bag_large,
    "hate": recurrent.hate,
    "disaster": recurrent.disaster,
    "imdb": bags.imdb,
    "bayes": processes.bayes,
    "start-up": processes.start_up,
    "prediction": processes.prediction,
}
