"""Languages of stop words, stems, lemmas and letter case."""

#: Code of each language in simplemma; NLTK's Snowball has stems for all but Turkish.
CODES = {
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "hungarian": "hu",
    "italian": "it",
    "norwegian": "nb",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "turkish": "tr",
}
#: Values of the parameter ``language``.
LANGUAGES = tuple(sorted([*CODES, "azerbaijani"]))
