"""What new plugins are made of: texts with ``$words``, read as resources, never imported. ``sdk/`` is copied beside them."""
