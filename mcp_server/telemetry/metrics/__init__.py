"""Figures for Prometheus: ``families`` says which there are, ``tally`` counts, ``exposition`` writes them as text.

What a count costs is paid at every call, so counting is plain integers; all else is done when somebody looks.
"""
