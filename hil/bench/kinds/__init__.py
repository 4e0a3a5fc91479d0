"""One module a kind of bench, each with its :class:`hil.bench.opening.Kind` as ``KIND``.

A requirement file of the catalogue names the kind of its cases by the module's name.
"""
