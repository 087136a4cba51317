"""Write the parts of the documentation that the code knows best, or with ``--check`` say which are out of date.

``docs/limits.md``, ``docs/capabilities.md``, ``docs/metrics.md``, ``docs/plugins.md`` and ``docs/cli.md`` (see
:mod:`cli_page`) are whole pages; in ``docs/errors.md`` it is the codes of host functions, in ``docs/api.md`` the
routes, in ``README.md`` what the demo prints.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cli_page import cli_page

from mcp_server.admin.api import management_api
from mcp_server.admin.desk import Desk
from mcp_server.capabilities.codes import HOST_CODES
from mcp_server.policy.limits import LIMITS, LimitSpec
from mcp_server.policy.rights import CAPABILITIES, DEFAULT_GRANTS, HOST_FUNCTIONS
from mcp_server.telemetry.levels import PYTHON_LEVELS
from mcp_server.telemetry.metrics.families import BUCKETS, FAMILIES, Family

ROOT = Path(__file__).resolve().parent.parent
DEMO_START = "<!-- demo: written by docs/generate.py -->\n"
DEMO_END = "<!-- /demo -->\n"
CODES_START = "<!-- codes: written by docs/generate.py from mcp_server/capabilities/codes.py -->\n"
CODES_END = "<!-- /codes -->\n"
ROUTES_START = "<!-- routes: written by docs/generate.py from mcp_server/admin/ -->\n"
ROUTES_END = "<!-- /routes -->\n"

LIMITS_PAGE = """\
# Limits

Every call of a plugin runs under these limits. A manifest may lower one in its `[limits]`; the operator may set one,
up to the highest value, under `[plugins.<id>.limits]` in the [configuration](settings.md). The lower of the two holds.
A call that reaches a limit fails with the error of that line, and the next call runs as if nothing had happened.

| key | default | highest | unit | what is counted | error |
|---|--:|--:|---|---|---|
{rows}

A waiting line that is full answers `busy`. A plugin that goes over `max_host_calls`, `max_llm_calls`, `max_log_lines`
or `max_log_bytes` gets the error as the answer of the host function, and may go on without it.

`max_load_time_ms` is judged by the processor time of the plugin's worker, so that a busy machine refuses no module that
an idle one serves. It is looked at once as much wall time has passed; a load that lasts four times as long is ended
whatever it used. Where the system does not tell one process the processor time of another (all but Linux), wall time
counts.

This page is written by `docs/generate.py` from `mcp_server/policy/limits.py`.
"""

CAPABILITIES_PAGE = """\
# Capabilities

A capability is a named right to use the host. A manifest asks for it under `[capabilities]`, the operator grants it
under `[grants.<id>]` in the [configuration](settings.md), and only what both say is in force. Some are granted to every
plugin that asks.

| capability | host functions | granted |
|---|---|---|
{rows}

A module that imports a function that is not in this table is held back.

## How a host function is called

A plugin imports it from the module `agentmem`, or from `extism:host/user`, as a function that takes and gives one
`i64`: an Extism memory block with a JSON text in it. The request is an object. The answer is always an envelope:

```json
{{"success": true, "data": "Hello", "error": null, "metadata": {{}}}}
```

When the host says no, `success` is `false`, `error` is a sentence, and `metadata.code` is one of
[these](errors.md#what-a-host-function-refuses). It is never a trap, so a plugin can go on.

| function | request | data |
|---|---|---|
| `log` | `{{"level": "info", "message": "text", "fields": {{"key": "value"}}}}`; the level is one of {levels} | null |
| `get_config` | `{{"key": "name"}}`, or `{{}}` for all of it | the value, null when it is not set |

`get_config` answers `secret_unavailable` when the key is a secret that has no value.

The others have pages of their own: [memories, values and search](memory.md), [network](network.md),
[files](files.md), [language models](llm.md).

## What proves it

Each function is asked by a real module through the real server, four times: granted it works; not granted it is denied,
and nothing behind it has changed; past a bound it is refused with the bound named; badly asked (malformed, wrong types,
missing fields, huge values, invalid UTF-8) it answers with a stable code. The tests are in [one file]({tests}), and
`pytest FILE::NAME` with a name of this table runs one.

| function | capability | granted | not granted | out of bounds | badly asked |
|---|---|---|---|---|---|
{proofs}

This page is written by `docs/generate.py` from `mcp_server/policy/rights.py`.
"""
PROOFS_FILE = "tests/flows/test_every_host_function.py"
PROOFS = (
    "test_granted_it_works",
    "test_not_granted_it_is_denied_and_nothing_happens",
    "test_past_a_bound_it_is_refused_with_the_bound_named",
    "test_badly_asked_it_answers_with_a_stable_code",
)
"""The tests that each host function has; they take it as their parameter."""

PLUGINS_PAGE = """\
# The example plugins

Each is a folder `plugins/<id>` with sources, a README and the built module, and a manifest in `manifests/<id>`. They
come with the package, to be used and to be copied; [first-plugin.md](first-plugin.md) starts one of your own.

| plugin | what it does | tools | language | bytes |
|---|---|---|---|--:|
{rows}

The first call of a module compiles it, at about a second of processor per megabyte; after that it comes from a cache.
`wasm-opt` (binaryen 132) is no part of the build: it made `code-analyzer` 22 % and `text-toolbox` 11 % smaller, but it
took more than a minute for each and left the time of compiling as it was (1.16 s and 1.03 s, 3.98 s and 3.97 s).

`make plugins` builds them all, `make plugins-check` says whether a module is older than its sources, and
`make plugins-verify` builds them again elsewhere and compares the bytes. `make plugins-toolchains` installs what that
needs: Rust from Debian, Zig (which compiles C too) and Node from PyPI. Crates, Go modules and npm packages are fetched
by the build, as their lock files name them. Go, too, comes from PyPI where none is installed.

This page is written by `docs/generate.py` from `manifests/` and `plugins/`.
"""


METRICS_PAGE = """\
# Metrics

A server over HTTP shows its figures at `/metrics`, in the formats of Prometheus and OpenMetrics, to a token with the
scope `admin:plugins` (or the local token). Give Prometheus one of its own:

```sh
agentmem-mcp token create prometheus --scope admin:plugins
```

```yaml
scrape_configs:
  - job_name: agentmem
    authorization: {{credentials_file: /etc/prometheus/agentmem-token}}
    static_configs: [{{targets: ["127.0.0.1:8765"]}}]
```

That token also manages plugins over HTTP, so keep its file as you would keep such a right. With `--no-auth` there are
no metrics: nobody manages a server that way. [alerts.yml](alerts.yml) has rules to begin with.

| metric | kind | labels | meaning |
|---|---|---|---|
{rows}

Beside them stand `process_…`, the processor, memory and descriptors of the server's own process, on Linux. A server of
[several processes](deploy.md#several-processes) leaves these out, and whichever of them is asked shows what all have
counted together, from the start of the server on: a process that takes the place of a dead one goes on from the figures
that were shown last. Of one that does not answer within 2 s its last counters stand, without its gauges.

Buckets of the histograms end at {buckets} seconds. Counters begin with the server;
what lies in the store is the same for all that share it. A tool that returns an error is a fine HTTP answer, so watch
the `outcome` of calls and not the status of requests. Connections that are refused before they are requests, because
there are too many or their headers never end, are not among these.

## What is in a label

Plugins and tools that exist, and words of this program: outcomes, codes, host functions, routes as they were written.
What belongs to a plugin that is gone, and calls of tools that never were, stand under `other`. Callers, sessions,
arguments, paths, memories and secrets are in no label and no value.

## What it costs

Counting takes 3 µs a call and 1 µs a host call, measured on a machine that was busy with other things; a call over HTTP
takes hundreds. All else is done when somebody looks, and a server without HTTP counts nothing of it.

This page is written by `docs/generate.py` from `mcp_server/telemetry/metrics/families.py`.
"""


def metrics_page() -> str:
    """The page of the metrics."""
    buckets = ", ".join(f"{bound:g}" for bound in BUCKETS)
    return METRICS_PAGE.format(rows="\n".join(map(_metric_row, FAMILIES)), buckets=buckets)


def _metric_row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.what} |"


def limits_page() -> str:
    """The page of the limits."""
    return LIMITS_PAGE.format(rows="\n".join(map(_limit_row, LIMITS)))


def _limit_row(spec: LimitSpec) -> str:
    error = "busy" if spec.name in ("concurrency", "queue") else f"limit_{spec.name}"
    return f"| `{spec.key}` | {spec.default} | {spec.hard} | {spec.unit} | {spec.what} | `{error}` |"


def capabilities_page() -> str:
    """The page of the capabilities."""
    rows: list[str] = []
    for capability in CAPABILITIES:
        functions = [f"`{name}`" for name, owner in HOST_FUNCTIONS.items() if owner == capability]
        granted = "to every plugin that asks" if capability in DEFAULT_GRANTS else "by the operator only"
        rows.append(f"| `{capability}` | {', '.join(functions)} | {granted} |")
    levels = ", ".join(f"`{level}`" for level in PYTHON_LEVELS)
    proofs = [
        f"| [{name}](../{PROOFS_FILE}) | {owner} | " + " | ".join(f"`{test}[{name}]`" for test in PROOFS) + " |"
        for name, owner in HOST_FUNCTIONS.items()
    ]
    return CAPABILITIES_PAGE.format(
        rows="\n".join(rows), levels=levels, tests=f"../{PROOFS_FILE}", proofs="\n".join(proofs)
    )


def errors_page() -> str:
    """The page of the errors with the codes of host functions."""
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(CODES_START)
    _, _, after = rest.partition(CODES_END)
    tables = "\n".join(_codes_table(who, codes) for who, codes in HOST_CODES.items())
    return f"{before}{CODES_START}\n{tables}\n{CODES_END}{after}"


def _codes_table(who: str, codes: Mapping[str, str]) -> str:
    rows = "".join(f"| `{code}` | {codes[code]} |\n" for code in sorted(codes))
    return f"{who}:\n\n| code | meaning |\n|---|---|\n{rows}"


LANGUAGES = {
    "Cargo.toml": "Rust",
    "*.c": "C",
    "*.zig": "Zig",
    "go.mod": "Go",
    "package-lock.json": "AssemblyScript",
}


def plugins_page() -> str:
    """The page of the example plugins."""
    manifests = sorted((ROOT / "manifests").glob("*/plugin.toml"))
    rows = [_plugin_row(tomllib.loads(path.read_text(encoding="utf-8"))) for path in manifests]
    return PLUGINS_PAGE.format(rows="\n".join(rows))


def _plugin_row(manifest: dict[str, Any]) -> str:
    about: dict[str, str] = manifest["plugin"]
    folder = ROOT / "plugins" / about["id"]
    language = next(name for pattern, name in LANGUAGES.items() if any(folder.glob(pattern)))
    tools = ", ".join(f"`{tool.get('name', tool['function'])}`" for tool in manifest["tools"])
    size = (folder / f"{about['id']}.wasm").stat().st_size
    link = f"[{about['id']}](../plugins/{about['id']})"
    return f"| {link} | {about['description']} | {tools} | {language} | {size:,} |"


def readme_page() -> str:
    """The README with what the demo prints now.

    Raises:
        subprocess.CalledProcessError: The demo failed.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(DEMO_START)
    _, _, after = rest.partition(DEMO_END)
    command = [sys.executable, "-m", "mcp_server", "demo"]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return f"{before}{DEMO_START}```text\n{shown}```\n{DEMO_END}{after}"


def api_page() -> str:
    """The page of the management API with its routes."""
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(ROUTES_START)
    _, _, after = rest.partition(ROUTES_END)
    paths = management_api(cast("Desk", SimpleNamespace())).openapi()["paths"]
    rows = [
        f"| `{method.upper()} {path}` | {scopes} | {what} |"
        for path, item in paths.items()
        for method, operation in item.items()
        for scopes, what in [(_scopes(operation["security"]), operation["description"].partition(" Needs")[0])]
    ]
    table = "\n".join(["| route | scope | what it does |", "|---|---|---|", *rows])
    return f"{before}{ROUTES_START}\n{table}\n\n{ROUTES_END}{after}"


def _scopes(security: list[dict[str, list[str]]]) -> str:
    if not security:
        return "no token"
    return " ".join(f"`{scope}`" for scope in security[0]["bearer"]) or "any token"


PAGES: dict[str, Callable[[], str]] = {
    "docs/limits.md": limits_page,
    "docs/capabilities.md": capabilities_page,
    "docs/metrics.md": metrics_page,
    "docs/api.md": api_page,
    "docs/cli.md": cli_page,
    "docs/plugins.md": plugins_page,
    "docs/errors.md": errors_page,
    "README.md": readme_page,
}


def main() -> int:
    """Write the pages, or compare them."""
    stale: list[str] = []
    for name, page in PAGES.items():
        path, text = ROOT / name, page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}. Run `python docs/generate.py`.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
