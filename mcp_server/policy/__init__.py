"""What is allowed: pure values and rules, no I/O. Whoever enforces a rule imports it from here."""
