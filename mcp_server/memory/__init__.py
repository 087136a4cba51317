"""The memory engine: what a memory is, how it is found and in what order. Where it lies is a back end's affair."""
