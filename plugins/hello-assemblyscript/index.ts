// `hello` in AssemblyScript: greets, reads its config, writes a log line, and says who it is.
//
// | export     | in                     | out                           |
// |------------|------------------------|-------------------------------|
// | `hello`    | {"message": "World"}   | {"greeting": "Hello, World!"} |
// | `metadata` | nothing                | who the plugin is             |
//
// The word before the comma is the config value `greeting_word`.

import { Json, Kind, config, fail, input, log, output } from "agentmem-plugin-sdk";

const DEFAULT_WORD = "Hello";

export function hello(): i32 {
  const request = input();
  if (request == null || request.keys.length != 1 || request.at("message").kind != Kind.Text) {
    return fail('The input of hello is not right. Expected {"message": string} and nothing else.');
  }
  const message = request.at("message").text;
  const word = wordOf(config("greeting_word"));
  const bytes = Json.number(f64(String.UTF8.byteLength(message)));
  log("info", "greeted", Json.object().set("word", Json.of(word)).set("message_bytes", bytes));
  return output(Json.object().set("greeting", Json.of(word + ", " + message + "!")));
}

// The greeting word for a config value: a text that is not blank, or the default.
function wordOf(value: Json): string {
  const word = value.kind == Kind.Text ? value.text.trim() : "";
  return word.length > 0 ? word : DEFAULT_WORD;
}

export function metadata(): i32 {
  const word = Json.object().set("type", Json.of("string")).set("default", Json.of(DEFAULT_WORD));
  word.set("description", Json.of("The word before the comma"));
  const schema = Json.object().set("type", Json.of("object")).set("additionalProperties", Json.bool(false));
  schema.set("properties", Json.object().set("greeting_word", word));
  const answer = Json.object().set("name", Json.of("Hello in AssemblyScript")).set("version", Json.of("0.1.0"));
  answer.set("description", Json.of("Greets with a message and logs each call")).set("author", Json.of("AgentMem"));
  answer.set("plugin_type", Json.of("Custom"));
  const needed = Json.list().push(Json.of("LoggingAccess")).push(Json.of("ConfigAccess"));
  return output(answer.set("required_capabilities", needed).set("config_schema", schema));
}
