"""What new plugins are made of: texts with ``$words``, read as resources; the SDK is copied beside them."""
