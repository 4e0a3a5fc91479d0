"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "hil"
author = "the hil authors"
version = release = version_of("hil")
extensions = ["myst_parser", "sphinx.ext.autodoc", "declared"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"hil {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    # Types of the standard library and of other packages, whose documentation is not at hand when this is built.
    ("py:.*", r"(collections|enum|fractions|functools|msgspec|pathlib|random|typing)\..*"),
    ("py:.*", r".*\._[A-Z]\w*"),  # type variables
    ("py:.*", r"hypothesis\..*"),
    ("py:.*", r"can\..*"),
    # Our own types that signatures name and no page is about: the pages are for those who use the doors, not for those
    # who build them. A page's text may still refer to nothing that is not there.
    ("py:class", r"hil\.(bench|bus\.serial|codec\.registers?|dut|profile|tester\.scpi|world)\..*"),
    ("py:class", r"hil\.protocol\.(dlt645|modbus|scpi)\..*"),
    ("py:class", r"(AssertionError|Exception|Path|Struct|Enum|Any|Callable|Iterable|Iterator|Mapping|Sequence)"),
]
