"""Packages in OCI registries, in the layout that the CNCF gave to WebAssembly artifacts.

``reference`` reads a name, ``client`` speaks the distribution protocol, ``artifact`` says which layers a package has.
"""
