"""The operator's page at ``/``: what the management API tells and does, for a person with a browser.

``annex`` hangs it into the site; ``door`` lets people in, ``rendering`` makes HTML, and a module for each noun answers.
It decides nothing: rights, calls and memories are asked of the same functions as :mod:`mcp_server.admin`'s routes, and
its failures are theirs, dressed. Every page is whole without a script. Jinja is known here alone.
"""
