"""Access tokens that others signed: ``keys`` fetches the keys of an issuer, ``signed`` judges a token by them.

``discovery`` finds out where the keys are, and ``documents`` reads what an issuer shows.

Who may do what with a good token is decided elsewhere; no token is sent anywhere from here.
"""
