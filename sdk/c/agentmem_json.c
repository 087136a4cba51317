/* The reader of agentmem_json.h: one pass with a cursor that never leaves the text. */
#include "agentmem_json.h"

enum { DEEPEST = 64 };

typedef struct {
    const unsigned char *at, *end;
} cursor;

static cursor over(am_text text) {
    const unsigned char *at = (const unsigned char *)text.at;
    return (cursor){at, at + text.length};
}

static bool ahead(const cursor *c, char wanted) { return c->at < c->end && *c->at == (unsigned char)wanted; }

static bool take(cursor *c, char wanted) {
    bool found = ahead(c, wanted);
    c->at += found;
    return found;
}

static void blanks(cursor *c) {
    while (ahead(c, ' ') || ahead(c, '\t') || ahead(c, '\n') || ahead(c, '\r')) {
        c->at++;
    }
}

static bool word(cursor *c, am_text text) {
    for (size_t i = 0; i < text.length; i++) {
        if (!take(c, text.at[i])) {
            return false;
        }
    }
    return true;
}

static bool digits(cursor *c) {
    const unsigned char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > start;
}

static bool number(cursor *c) {
    (void)take(c, '-');
    if (!take(c, '0') && !digits(c)) {
        return false;
    }
    if (take(c, '.') && !digits(c)) {
        return false;
    }
    if (take(c, 'e') || take(c, 'E')) {
        (void)(take(c, '+') || take(c, '-'));
        return digits(c);
    }
    return true;
}

static int hex_digit(unsigned char byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex(cursor *c) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = c->at < c->end ? hex_digit(*c->at) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
        c->at++;
    }
    return value;
}

/* One character of UTF-8 that is not ASCII: shortest form, no surrogates, at most U+10FFFF. */
static bool character(cursor *c) {
    unsigned char first = *c->at;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || c->end - c->at <= more) {
        return false;
    }
    unsigned char low = 0x80, high = 0xbf, second = c->at[1];
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    if (second < low || second > high) {
        return false;
    }
    for (int i = 2; i <= more; i++) {
        if ((c->at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    c->at += more + 1;
    return true;
}

static bool escape(cursor *c) {
    if (take(c, 'u')) {
        return hex(c) >= 0;
    }
    for (const char *known = "\"\\/bfnrt"; *known; known++) {
        if (take(c, *known)) {
            return true;
        }
    }
    return false;
}

static bool string(cursor *c) {
    if (!take(c, '"')) {
        return false;
    }
    while (c->at < c->end && !ahead(c, '"')) {
        if (take(c, '\\')) {
            if (!escape(c)) {
                return false;
            }
        } else if (*c->at >= 0x80) {
            if (!character(c)) {
                return false;
            }
        } else if (*c->at++ < 0x20) {
            return false;
        }
    }
    return take(c, '"');
}

static bool value(cursor *c, int depth);

static bool members(cursor *c, char last, int depth) {
    blanks(c);
    if (take(c, last)) {
        return true;
    }
    do {
        blanks(c);
        if (last == '}') {
            if (!string(c)) {
                return false;
            }
            blanks(c);
            if (!take(c, ':')) {
                return false;
            }
        }
        if (!value(c, depth)) {
            return false;
        }
        blanks(c);
    } while (take(c, ','));
    return take(c, last);
}

static bool value(cursor *c, int depth) {
    if (depth > DEEPEST) {
        return false;
    }
    blanks(c);
    if (take(c, '{')) {
        return members(c, '}', depth + 1);
    }
    if (take(c, '[')) {
        return members(c, ']', depth + 1);
    }
    if (ahead(c, '"')) {
        return string(c);
    }
    if (ahead(c, 't')) {
        return word(c, AM_TEXT("true"));
    }
    if (ahead(c, 'f')) {
        return word(c, AM_TEXT("false"));
    }
    return ahead(c, 'n') ? word(c, AM_TEXT("null")) : number(c);
}

bool am_json_valid(am_text text) {
    cursor c = over(text);
    bool good = text.at != NULL && value(&c, 0);
    blanks(&c);
    return good && c.at == c.end;
}

am_text am_json_input(void) {
    am_text input = am_input();
    return am_json_valid(input) ? input : (am_text){NULL, 0};
}

static am_text between(const unsigned char *start, const unsigned char *end) {
    return (am_text){(const char *)start, (size_t)(end - start)};
}

bool am_json_next(am_json_cursor *from, am_text *key, am_text *found) {
    cursor c = over(from->rest);
    blanks(&c);
    if (!take(&c, from->inside ? ',' : '{')) {
        return false;
    }
    blanks(&c);
    const unsigned char *start = c.at;
    if (!string(&c)) {
        return false;
    }
    *key = am_json_string(between(start, c.at));
    blanks(&c);
    (void)take(&c, ':');
    blanks(&c);
    start = c.at;
    if (!value(&c, 0)) {
        return false;
    }
    *found = between(start, c.at);
    *from = (am_json_cursor){between(c.at, c.end), true};
    return true;
}

am_text am_json_get(am_text object, am_text key) {
    am_text result = {NULL, 0}, name, found;
    for (am_json_cursor c = {object, false}; am_json_next(&c, &name, &found);) {
        if (name.at != NULL && am_same(name, key)) {
            result = found;
        }
    }
    return result;
}

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
