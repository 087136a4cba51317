"""``memory reindex``: vectors for memories that were written without the model that is configured now."""

from __future__ import annotations

from pathlib import Path

from mcp_server.cli.output import print_json, say
from mcp_server.cli.serve import settings_of
from mcp_server.memory.errors import EmbeddingsNotConfigured
from mcp_server.services import Services
from mcp_server.settings import user_folders

__all__ = ["reindex"]

_BATCH = 2_048


def reindex(config: Path | None, *, json: bool) -> None:
    """Embed what is missing in every scope; servers may run meanwhile, and a second run goes on where one ended.

    Raises:
        EmbeddingsNotConfigured: There is no model.
        EmbeddingsUnavailable: It cannot be loaded, or does not answer.
    """
    settings = settings_of(config)
    services = Services(user_folders().data, memory=settings.memory)
    if settings.memory.embeddings.provider is None:
        raise EmbeddingsNotConfigured
    engine = services.engine
    embedded = 0
    try:
        owners = engine.store.owners()
        for principal, plugin in owners:
            while count := engine.embed_missing(principal, plugin, _BATCH):
                embedded += count
        missing = sum(engine.missing(*owner) for owner in owners)
    finally:
        services.close()
    if json:
        print_json({"embedded": embedded, "missing": missing})
    else:
        say(f"{embedded} memories got a vector, {missing} have none")
