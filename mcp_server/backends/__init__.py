"""Where data lives and who answers: contracts in ``base``, a folder per database, ``llm`` for language models."""
