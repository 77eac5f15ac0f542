"""``python -m pipeline``: the command ``pipeline``."""

from pipeline.cli import main

main()
