"""MCP over HTTP: ``site`` says which routes and guards there are, ``serving`` runs them on a socket.

A request passes, from the outside in: ``connections`` (the wire) → ``heads`` → ``hosts`` → ``auth`` → ``admission`` →
``bodies`` → a route. What is added here as a route stands behind all of them; only paths that ``site`` names need
no token.
"""
