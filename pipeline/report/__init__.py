"""The report of a run: one HTML page, a model card, and figures."""

import logging

# It warns of each weight that a font lacks, and of a list of fonts that it makes on first use.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
