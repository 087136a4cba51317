"""The parent's half of running wasm: starts workers, hands them calls, keeps their clock, answers their questions.

No guest byte is interpreted here beyond the frames of :mod:`mcp_server.worker.frames`.
"""
