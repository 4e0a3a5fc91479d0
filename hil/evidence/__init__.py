"""What a run leaves on disk: traces, results, and the reports made of them."""
