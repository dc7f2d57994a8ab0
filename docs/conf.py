"""The site: `sphinx-build -b html -c docs nbs _site/es` makes it from the notebooks and the package, offline."""

import sys
from configparser import ConfigParser
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
settings = ConfigParser()
settings.read(HERE.parent / "settings.ini", encoding="utf-8")

project = settings["DEFAULT"]["lib_name"]
author = settings["DEFAULT"]["author"]
project_copyright = settings["DEFAULT"]["copyright"]
language = "es"
root_doc = "index"
include_patterns = ["*.ipynb", "**/*.ipynb"]
exclude_patterns = ["**/.ipynb_checkpoints"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "reference"]

# lessons: outputs are the ones that the tests compare, so nothing runs here
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_error_lexer = "none"
myst_heading_anchors = 3

# modules: types and comments come from the source, as the lessons show it
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 68
add_module_names = False
default_role = "code"
smartquotes = False
toc_object_entries_show_parents = "hide"

# an edition in another language comes from catalogues: `sphinx-build -b gettext`, then `-D language=en`
locale_dirs = [str(HERE / "locale")]
gettext_compact = False
gettext_location = False
gettext_uuid = False

html_theme = "pydata_sphinx_theme"
html_title = project
html_baseurl = ""
html_logo = "static/logo.svg"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
templates_path = ["templates"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_domain_indices = False
html_sidebars = {"**": ["course.html"]}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": project, "alt_text": ""},
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "article_header_start": ["lesson.html"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["licence.html"],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "github-dark",
}
