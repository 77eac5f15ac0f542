"""Sphinx configuration: ``make docs`` builds ``build/docs``; every warning is an error."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

import generated_pages  # noqa: E402

import pipeline  # noqa: E402

project = "Text classification pipeline"
copyright = "the authors of the text classification pipeline"
version = release = pipeline.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["generated"]
templates_path: list[str] = []
nitpicky = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Shell prompts are not copied.
copybutton_prompt_text = "$ "

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False

generated_pages.write(FOLDER / "generated")
