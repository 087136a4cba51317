"""How plugins travel: packed, signed, published, found, fetched and installed. What is installed, ``registry`` knows.

::

    package  →  sign  →  publish / index        what an author does
    source   →  fetch →  verify  →  install     what `agentmem-mcp add` does

Whatever the source, what arrives are the files of one bundle, and all of them pass the same checks in ``adding``.
Nothing here grants a right or approves a plugin.
"""
