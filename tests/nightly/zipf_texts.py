"""Made-up texts whose words follow Zipf's law, for tests of drift."""

import numpy as np

from pipeline.text.tokens import Tokens

WORDS = np.array([f"w{number}" for number in range(3000)])


def topical(texts, rng, words=WORDS, repeats=1):
    """Return texts of 5 to 15 words; repeated words make a text of few topics.

    ``words`` may be the number of the first of `WORDS` to use.
    """
    words = WORDS[:words] if isinstance(words, int) else words
    weights = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(5, 16, texts)
    drawn = [rng.choice(words, size, p=weights / weights.sum()) for size in lengths]
    return Tokens.from_lists([np.repeat(one, repeats).tolist() for one in drawn])
