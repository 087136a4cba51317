"""What ``serve`` was told, kept for the next start in the same words: nothing of it is lost on the way."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.cli.serve import ServeOptions

PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1).map(Path)
OPTIONS = st.builds(
    ServeOptions,
    manifests=st.lists(PATHS, max_size=3),
    plugins=st.lists(PATHS, max_size=3),
    config=st.none() | PATHS,
    sets=st.lists(st.text(), max_size=3),
    watch=st.booleans(),
    locked=st.booleans(),
    no_auth=st.booleans(),
)


@given(OPTIONS)
def test_options_that_were_kept_are_read_as_they_were(options: ServeOptions) -> None:
    kept = json.loads(json.dumps(options.document()))
    assert ServeOptions.from_document(kept) == options
    assert kept.keys() == {field.name for field in fields(options)} | {"quiet"}
