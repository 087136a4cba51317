"""Access tokens that others signed: ``keys`` fetches the keys of an issuer, ``signed`` judges a token by them.

Who may do what with a good token is decided elsewhere; no token is sent anywhere from here.
"""
