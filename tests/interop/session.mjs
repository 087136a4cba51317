// One session of a TypeScript client, told as one JSON object on stdout.
//
//   node session.mjs CLIENT MODE COMMAND [ARGUMENT…]
//
// CLIENT is `v1` or `v2`, MODE the v2 client's version negotiation; COMMAND starts the server.

const [client, mode, command, ...args] = process.argv.slice(2);
const info = { name: "interop", version: "1" };

async function connect() {
  if (client === "v1") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
    const session = new Client(info);
    await session.connect(new StdioClientTransport({ command, args, env: process.env }));
    return session;
  }
  const { Client } = await import("@modelcontextprotocol/client");
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  const session = new Client(info, { versionNegotiation: { mode: mode === "modern" ? { pin: "2026-07-28" } : mode } });
  await session.connect(new StdioClientTransport({ command, args, env: process.env }));
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
  keywords: await call("memory-processor__extract_keywords", { text: "Plugins run in a sandbox. A sandbox has walls.", limit: 3 }),
  changes: await call("text-toolbox__diff", { before: "one", after: "zwölf" }),
  refused: await call("hello__hello", { mesage: "World" }),
  unknown: await failure(call("no__such", {})),
};
await session.close();
console.log(JSON.stringify(told));
