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

/* The items of a list, one by one, with a cursor as above; false where the value is no list, too. */
bool am_json_item(am_json_cursor *cursor, am_text *value);

/* How many items a list, or members an object, has; 0 where the value is neither. */
size_t am_json_count(am_text value);

/* What a value is, by its first byte: '{', '[', '"', 't', 'f', 'n', '-' or a digit; 0 where there is none. */
char am_json_kind(am_text value);

/* The value of the last member called `key`; {NULL, 0} where there is none. */
am_text am_json_get(am_text object, am_text key);

/* Decode a JSON string; {NULL, 0} where the value is none, or names half of a surrogate pair. */
am_text am_json_string(am_text value);

/* The string of the last member called `key`, decoded; `missing` where there is none, or null; {NULL, 0} where it is
 * another value. */
am_text am_json_text(am_text object, am_text key, am_text missing);

/* A text that grows. `full` is set where memory ran out; what is added after that is dropped. What writes JSON puts a
 * comma before it where one is due. */
typedef struct {
    char *at;
    size_t length, room;
    bool full;
} am_writer;
void am_write(am_writer *writer, am_text text);        /* as it is, without a comma */
void am_write_json(am_writer *writer, am_text value);  /* a value that is JSON already */
void am_write_string(am_writer *writer, am_text text); /* as a JSON string */
void am_write_number(am_writer *writer, uint64_t number);
void am_write_bool(am_writer *writer, bool flag);

/* Rounded to nine digits after the point; null where it is not within 1e15 of 0. */
void am_write_decimal(am_writer *writer, double number);

/* An object or a list from its bracket, '{' or '[', to the other; and a member's name, which its value follows. */
void am_write_open(am_writer *writer, char bracket);
void am_write_key(am_writer *writer, am_text key);
void am_write_close(am_writer *writer, char bracket);

am_text am_written(const am_writer *writer);

/* Answer what was written; an error where memory ran out anywhere in this call. Ends a tool as am_output does. */
int am_answer(const am_writer *writer);

/* The data of an envelope; {NULL, 0} where the host refused or answered none. */
am_text am_data(am_text envelope);

/* Write one log line with a JSON object of fields. A host that refuses it does not fail the call. */
void am_log(am_text level, am_text message, am_text fields);

/* The config value of `key` as JSON; {NULL, 0} where it is unset or not to be had. */
am_text am_config(am_text key);

#endif
