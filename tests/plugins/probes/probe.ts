// Calls the host function that its input names: {"function": "log", "request": {…}}; answers as the envelope does.

import * as agentmem from "agentmem-plugin-sdk";
import { Answer, Json, fail, input, output } from "agentmem-plugin-sdk";

export function ask(): i32 {
  const asked = input();
  if (asked == null) {
    return fail("no JSON");
  }
  const answer = answered(asked.at("function").text, asked.at("request"));
  if (answer == null) {
    return fail("no such function");
  }
  const metadata = Json.object().set("code", Json.of(answer.code));
  const whole = Json.object().set("success", Json.bool(answer.success)).set("data", answer.data);
  return output(whole.set("error", Json.of(answer.error)).set("metadata", metadata));
}

function answered(name: string, request: Json): Answer | null {
  if (name == "add_memory") return agentmem.addMemory(request);
  if (name == "get_memory") return agentmem.getMemory(request);
  if (name == "update_memory") return agentmem.updateMemory(request);
  if (name == "delete_memory") return agentmem.deleteMemory(request);
  if (name == "search_memories") return agentmem.searchMemories(request);
  if (name == "store_data") return agentmem.storeData(request);
  if (name == "load_data") return agentmem.loadData(request);
  if (name == "delete_data") return agentmem.deleteData(request);
  if (name == "list_data") return agentmem.listData(request);
  if (name == "search") return agentmem.search(request);
  if (name == "embed") return agentmem.embed(request);
  if (name == "call_llm") return agentmem.callLlm(request);
  if (name == "http_request") return agentmem.httpRequest(request);
  if (name == "read_file") return agentmem.readFile(request);
  if (name == "write_file") return agentmem.writeFile(request);
  if (name == "list_files") return agentmem.listFiles(request);
  if (name == "delete_file") return agentmem.deleteFile(request);
  if (name == "get_config") return agentmem.getConfig(request);
  if (name == "log") {
    // the one function without an answer: a host that refuses a line does not fail the call
    agentmem.log(request.at("level").text, request.at("message").text, request.at("fields"));
    return new Answer(Json.object().set("success", Json.bool(true)));
  }
  return null;
}
