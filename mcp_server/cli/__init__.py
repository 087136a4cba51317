"""The command line: a face like any other. Commands import what they need when they run, so ``--help`` is quick."""
