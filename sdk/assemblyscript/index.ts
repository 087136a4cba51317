// A plugin's view of the host, in AssemblyScript: input, output and every host function.
//
// Thin on purpose: a request and the data of an answer are `Json`. Memory blocks go through the official Extism PDK.
// Not here: anything about a plugin's own tools.

import { Host, Memory } from "@extism/as-pdk";
import { error_set, length } from "@extism/as-pdk/lib/env";

import * as imports from "./imports";
import { Json } from "./json";

export { Json, Kind } from "./json";

// What this call was given; null where it is no JSON.
export function input(): Json | null {
  return Json.parse(Host.inputString());
}

// Answer a value; gives 0, which an export returns when all went well.
export function output(value: Json): i32 {
  // Not the PDK's outputString, which counts UTF-16 units where bytes are meant.
  Host.output(Uint8Array.wrap(String.UTF8.encode(value.toString())));
  return 0;
}

// End with an error that the caller reads; gives what an export returns.
export function fail(text: string): i32 {
  error_set(Memory.allocateString(text).offset);
  return 1;
}

// What AssemblyScript calls when it gives up, as `--use abort=agentmem-plugin-sdk/index/aborted`.
export function aborted(message: string | null, file: string | null, line: u32, column: u32): void {
  fail((message == null ? "aborted" : message) + " (line " + line.toString() + ")");
  unreachable();
}

// What every host function answers. A refusal has a sentence and a stable code.
export class Answer {
  success: bool;
  data: Json;
  error: string;
  code: string;

  constructor(envelope: Json | null) {
    const whole = envelope == null ? new Json() : envelope;
    this.success = whole.at("success").flag;
    this.data = whole.at("data");
    this.error = whole.at("error").text;
    this.code = whole.at("metadata").at("code").text;
  }
}

function call(answered: u64): Answer {
  const memory = new Memory(answered, length(answered));
  const envelope = Json.parse(memory.toString());
  memory.free();
  return new Answer(envelope);
}

function asked(request: Json): u64 {
  return Memory.allocateString(request.toString()).offset;
}

// A module imports only the functions that it calls; each belongs to one capability, which the manifest must ask for.
// docs/capabilities.md has the requests and the data.
export function addMemory(request: Json): Answer { return call(imports.add_memory(asked(request))); }
export function getMemory(request: Json): Answer { return call(imports.get_memory(asked(request))); }
export function updateMemory(request: Json): Answer { return call(imports.update_memory(asked(request))); }
export function deleteMemory(request: Json): Answer { return call(imports.delete_memory(asked(request))); }
export function searchMemories(request: Json): Answer { return call(imports.search_memories(asked(request))); }
export function storeData(request: Json): Answer { return call(imports.store_data(asked(request))); }
export function loadData(request: Json): Answer { return call(imports.load_data(asked(request))); }
export function deleteData(request: Json): Answer { return call(imports.delete_data(asked(request))); }
export function listData(request: Json): Answer { return call(imports.list_data(asked(request))); }
export function search(request: Json): Answer { return call(imports.search(asked(request))); }
export function embed(request: Json): Answer { return call(imports.embed(asked(request))); }
export function callLlm(request: Json): Answer { return call(imports.call_llm(asked(request))); }
export function httpRequest(request: Json): Answer { return call(imports.http_request(asked(request))); }
export function readFile(request: Json): Answer { return call(imports.read_file(asked(request))); }
export function writeFile(request: Json): Answer { return call(imports.write_file(asked(request))); }
export function listFiles(request: Json): Answer { return call(imports.list_files(asked(request))); }
export function deleteFile(request: Json): Answer { return call(imports.delete_file(asked(request))); }
export function getConfig(request: Json): Answer { return call(imports.get_config(asked(request))); }

// Write one log line. A host that refuses it does not fail the call.
export function log(level: string, message: string, fields: Json): void {
  const line = Json.object();
  line.set("level", Json.of(level)).set("message", Json.of(message)).set("fields", fields);
  call(imports.log(asked(line)));
}

// The config value of a key; of the kind Null where it is unset or not to be had.
export function config(key: string): Json {
  return getConfig(Json.object().set("key", Json.of(key))).data;
}
