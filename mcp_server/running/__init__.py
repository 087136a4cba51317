"""Servers that run on this machine for this user: how they are found, and how a command speaks to one.

Nothing here serves; whatever a server can be asked stands in ``docs/api.md``.
"""
