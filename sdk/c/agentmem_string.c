/* Decoding of JSON strings for agentmem_json.h: escapes become the characters that they stand for. */
#include "agentmem_cursor.h"
#include "agentmem_json.h"

static char *put_character(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code >= 0x10000) {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    } else if (code >= 0x800) {
        *to++ = (char)(0xe0 | code >> 12);
    }
    *to++ = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f) : 0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* The character after `\u`, which may be two escapes; -1 for half of a pair. */
static int32_t named(cursor *c) {
    int32_t code = hex(c);
    if (code < 0xd800 || code > 0xdfff) {
        return code;
    }
    if (code > 0xdbff || !take(c, '\\') || !take(c, 'u')) {
        return -1;
    }
    int32_t low = hex(c);
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
}

am_text am_json_string(am_text text) {
    am_text none = {NULL, 0};
    cursor c = over(text);
    char *copy = text.length < 2 || !take(&c, '"') ? NULL : am_alloc(text.length);
    if (copy == NULL) {
        return none;
    }
    char *to = copy;
    while (c.at < c.end && !ahead(&c, '"')) {
        if (!take(&c, '\\')) {
            *to++ = (char)*c.at++;
        } else if (take(&c, 'u')) {
            int32_t code = named(&c);
            if (code < 0) {
                return none;
            }
            to = put_character(to, (uint32_t)code);
        } else if (c.at < c.end) {
            unsigned char letter = *c.at++;
            *to++ = letter == 'b'   ? '\b'
                    : letter == 'f' ? '\f'
                    : letter == 'n' ? '\n'
                    : letter == 'r' ? '\r'
                    : letter == 't' ? '\t'
                                    : (char)letter;
        }
    }
    return (am_text){copy, (size_t)(to - copy)};
}
