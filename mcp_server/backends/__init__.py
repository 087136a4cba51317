"""Where data lives: the contracts in ``base``, one folder per database, chosen by the composition root alone."""
