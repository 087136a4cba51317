/* `hello` in C: greets, reads its config, writes a log line, and says who it is.
 *
 * | export     | in                     | out                           |
 * |------------|------------------------|-------------------------------|
 * | `hello`    | {"message": "World"}   | {"greeting": "Hello, World!"} |
 * | `metadata` | nothing                | who the plugin is             |
 *
 * The word before the comma is the config value `greeting_word`.
 */
#include "agentmem_json.h"

static const am_text EXPECTED =
    AM_TEXT("The input of hello is not right. Expected {\"message\": string} and nothing else.");

/* The one member `message` of an object, decoded; {NULL, 0} for anything else. */
static am_text message_of(am_text input) {
    am_text message = {NULL, 0}, key, value;
    for (am_json_cursor members = {input, false}; am_json_next(&members, &key, &value);) {
        if (key.at == NULL || !am_same(key, AM_TEXT("message")) || message.at != NULL) {
            return (am_text){NULL, 0};
        }
        message = am_json_string(value);
    }
    return message;
}

static bool is_blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static am_text greeting_word(void) {
    am_text word = am_json_string(am_config(AM_TEXT("greeting_word")));
    while (word.length && is_blank(word.at[0])) {
        word = (am_text){word.at + 1, word.length - 1};
    }
    while (word.length && is_blank(word.at[word.length - 1])) {
        word.length--;
    }
    return word.length ? word : AM_TEXT("Hello");
}

static void log_greeting(am_text word, am_text message) {
    am_writer fields = {0};
    am_write(&fields, AM_TEXT("{\"word\":"));
    am_write_string(&fields, word);
    am_write(&fields, AM_TEXT(",\"message_bytes\":"));
    am_write_number(&fields, message.length);
    am_write(&fields, AM_TEXT("}"));
    am_log(AM_TEXT("info"), AM_TEXT("greeted"), am_written(&fields));
}

AM_EXPORT(hello) {
    am_text message = message_of(am_json_input());
    if (message.at == NULL) {
        return am_fail(EXPECTED);
    }
    am_text word = greeting_word();
    log_greeting(word, message);
    am_writer greeting = {0}, answer = {0};
    am_write(&greeting, word);
    am_write(&greeting, AM_TEXT(", "));
    am_write(&greeting, message);
    am_write(&greeting, AM_TEXT("!"));
    am_write(&answer, AM_TEXT("{\"greeting\":"));
    am_write_string(&answer, am_written(&greeting));
    am_write(&answer, AM_TEXT("}"));
    return answer.full ? am_fail(AM_TEXT("There is no memory left for the greeting.")) : am_output(am_written(&answer));
}

AM_EXPORT(metadata) {
    return am_output(AM_TEXT(
        "{\"name\":\"Hello in C\",\"version\":\"0.1.0\","
        "\"description\":\"Greets with a message and logs each call\",\"author\":\"AgentMem\","
        "\"plugin_type\":\"Custom\",\"required_capabilities\":[\"LoggingAccess\",\"ConfigAccess\"],"
        "\"config_schema\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"greeting_word\":"
        "{\"type\":\"string\",\"default\":\"Hello\",\"description\":\"The word before the comma\"}}}}"));
}
