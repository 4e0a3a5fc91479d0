"""Virtual lines with real bit times, and the faults that can be put on them."""
