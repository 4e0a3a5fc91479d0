"""Wire layers, sans-IO, with no opinion of either side."""
