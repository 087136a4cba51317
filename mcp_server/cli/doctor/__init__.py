"""``doctor``: looks at everything that must be in order for a call to work. Changes nothing but the compile cache."""
