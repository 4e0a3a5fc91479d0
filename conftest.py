"""Loads the plugin, which loads the fixture modules."""

pytest_plugins = ["hil.pytest_plugin"]
