/* JSON for plugins in C: a strict reader that copies nothing but decoded strings, and a writer.
 *
 * Values are runs of the text they stand in. It reads what RFC 8259 says, up to 64 levels deep, and no numbers: a
 * number is its own text.
 */
#ifndef AGENTMEM_JSON_H
#define AGENTMEM_JSON_H

#include "agentmem.h"

/* Whether `text` is one JSON value in UTF-8. All functions below expect values of a text that passed this. */
bool am_json_valid(am_text text);

/* What this call was given, as am_input; {NULL, 0} where it is no JSON. */
am_text am_json_input(void);

/* The members of an object, one by one: starts with a cursor on the object's text, and gives false at the end or where
 * the value is no object. `key` is decoded. */
typedef struct {
    am_text rest;
    bool inside;
} am_json_cursor;
bool am_json_next(am_json_cursor *cursor, am_text *key, am_text *value);

/* The value of the last member called `key`; {NULL, 0} where there is none. */
am_text am_json_get(am_text object, am_text key);

/* Decode a JSON string; {NULL, 0} where the value is none, or names half of a surrogate pair. */
am_text am_json_string(am_text value);

/* A text that grows. `full` is set where memory ran out; what is added after that is dropped. */
typedef struct {
    char *at;
    size_t length, room;
    bool full;
} am_writer;
void am_write(am_writer *writer, am_text text);        /* as it is */
void am_write_string(am_writer *writer, am_text text); /* as a JSON string */
void am_write_number(am_writer *writer, uint64_t number);
am_text am_written(const am_writer *writer);

/* The data of an envelope; {NULL, 0} where the host refused or answered none. */
am_text am_data(am_text envelope);

/* Write one log line with a JSON object of fields. A host that refuses it does not fail the call. */
void am_log(am_text level, am_text message, am_text fields);

/* The config value of `key` as JSON; {NULL, 0} where it is unset or not to be had. */
am_text am_config(am_text key);

#endif
