"""What is loaded: where plugins are found, the state each is in, and the one place that swaps versions."""
