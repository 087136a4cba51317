"""How a client reaches us. Reads and writes protocol frames; knows nothing about plugins."""
