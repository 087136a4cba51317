"""The fast lane: answers the requests that carry the load without the weight of the SDK, and nothing else.

What it does not understand to the last byte it leaves alone, and the SDK gets it untouched; so every refusal, every
rare form and every stream is the SDK's. It decides nothing by itself: guards, catalogue, policy, limits and audit are
those of every other face. docs/lane.md says what it may and may not do.
"""
