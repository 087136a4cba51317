"""The management API under ``/api/v1``: what an operator's commands do, over HTTP. One module for each noun.

``annex`` hangs it into the site, behind the site's guards; ``api`` puts the routers together; ``desk`` is what they
work on; ``access`` says who may. It decides nothing of its own: plugins, rights and memories are judged where the
commands have them judged. FastAPI is known here alone.
"""
