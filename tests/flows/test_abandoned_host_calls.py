"""What a guest waits for at the host ends with its call, whichever capability it belongs to."""

from __future__ import annotations

from pathlib import Path

from tests.capabilities.llm_site import endless
from tests.capabilities.test_network_site import site
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import ask, configure, plugin
from tests.requirements import requirement
from tests.stdio_server import META


@requirement("cancel:host-functions")
async def test_a_request_to_a_site_is_hung_up_when_the_client_cancels_its_call(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    async with site(lambda seen: endless() if seen.path == "/slow" else b"HTTP/1.1 204 X\r\n\r\n") as upstream:
        address = f"http://127.0.0.1:{upstream.port}"
        plugin(plugins, "courier", "NetworkAccess", f'[network]\nallow = ["{address}/*"]')
        grant = f'[grants.courier.network]\nallow = ["{address}/*"]\nranges = ["127.0.0.0/8"]\n'
        patient = "[plugins.courier.limits]\nmax_execution_time_ms = 60000\n"
        config = configure(tmp_path, f'[grants.courier]\ncapabilities = ["NetworkAccess"]\n{grant}{patient}')
        async with serve(arguments=["--config", str(config)]) as server:
            params = {"name": "courier__http_request", "arguments": {"url": f"{address}/slow"}, "_meta": META}
            await server.send({"jsonrpc": "2.0", "id": "gone", "method": "tools/call", "params": params})
            await upstream.until(seen=1)
            cancelled = {"requestId": "gone", "_meta": META}
            await server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})
            await upstream.until(seen=1, lost=1)
            answer = await ask(server, "courier__http_request", {"url": f"{address}/quick"})
            assert answer["data"]["status"] == 204
