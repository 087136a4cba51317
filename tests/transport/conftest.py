"""The shared server of :mod:`tests.flows.conftest`, here too."""

from tests.flows.conftest import anyio_backend, stage, zoo

__all__ = ["anyio_backend", "stage", "zoo"]
