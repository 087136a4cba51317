// One session of a TypeScript client over the network, told as one JSON object on stdout.
//
//   node remote.mjs CLIENT MODE TRANSPORT URL TOKEN
//
// CLIENT is `v1` or `v2`, MODE the v2 client's version negotiation, TRANSPORT `http` or `sse`.

const [client, mode, transport, url, token] = process.argv.slice(2);
const info = { name: "interop", version: "1" };
const requestInit = { headers: { Authorization: `Bearer ${token}` } };

async function connect() {
  if (client === "v1") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    const { SSEClientTransport } = await import("@modelcontextprotocol/sdk/client/sse.js");
    const Transport = transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
    const session = new Client(info);
    await session.connect(new Transport(new URL(url), { requestInit }));
    return session;
  }
  const { Client, SSEClientTransport, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const Transport = transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  const session = new Client(info, { versionNegotiation: { mode: mode === "modern" ? { pin: "2026-07-28" } : mode } });
  await session.connect(new Transport(new URL(url), { requestInit }));
  return session;
}

async function failure(promise) {
  try {
    return { result: await promise };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

const session = await connect();
const call = (name, input) => session.callTool({ name, arguments: input });
const told = {
  server: session.getServerVersion(),
  tools: (await session.listTools()).tools,
  greeting: await call("hello__hello", { message: "World" }),
  changes: await call("text-toolbox__diff", { before: "one", after: "zwölf" }),
  refused: await call("hello__hello", { mesage: "World" }),
  unknown: await failure(call("no__such", {})),
};
await session.close();
console.log(JSON.stringify(told));
