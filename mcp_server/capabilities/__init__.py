"""What wasm may ask of the host: one module per capability, each answering its host functions.

A capability decides nothing about rights; the bridge asks ``policy`` before it is called.
"""
