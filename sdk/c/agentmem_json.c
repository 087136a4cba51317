/* The reader of agentmem_json.h: one pass with a cursor that never leaves the text. */
#include "agentmem_cursor.h"
#include "agentmem_json.h"

enum { DEEPEST = 64 };

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

/* The way to the next item or member: past what opens the text, or a comma. */
static bool further(cursor *c, bool inside, char first) {
    blanks(c);
    if (!take(c, inside ? ',' : first)) {
        return false;
    }
    blanks(c);
    return true;
}

/* The value ahead, and a cursor behind it. */
static bool take_value(cursor *c, am_json_cursor *from, am_text *found) {
    const unsigned char *start = c->at;
    if (!value(c, 0)) {
        return false;
    }
    *found = between(start, c->at);
    *from = (am_json_cursor){between(c->at, c->end), true};
    return true;
}

/* As am_json_next, with the key as it stands in the text. */
static bool next_member(am_json_cursor *from, am_text *key, am_text *found) {
    cursor c = over(from->rest);
    if (!further(&c, from->inside, '{')) {
        return false;
    }
    const unsigned char *start = c.at;
    if (!string(&c)) {
        return false;
    }
    *key = between(start, c.at);
    blanks(&c);
    (void)take(&c, ':');
    blanks(&c);
    return take_value(&c, from, found);
}

bool am_json_next(am_json_cursor *from, am_text *key, am_text *found) {
    bool any = next_member(from, key, found);
    *key = any ? am_json_string(*key) : *key;
    return any;
}

bool am_json_item(am_json_cursor *from, am_text *found) {
    cursor c = over(from->rest);
    return further(&c, from->inside, '[') && take_value(&c, from, found);
}

size_t am_json_count(am_text value) {
    size_t count = 0;
    am_text key, found;
    bool list = am_json_kind(value) == '[';
    for (am_json_cursor c = {value, false}; list ? am_json_item(&c, &found) : next_member(&c, &key, &found);) {
        count++;
    }
    return count;
}

char am_json_kind(am_text value) {
    cursor c = over(value);
    blanks(&c);
    return c.at < c.end ? (char)*c.at : 0;
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

am_text am_json_text(am_text object, am_text key, am_text missing) {
    am_text value = am_json_get(object, key);
    bool absent = value.at == NULL || am_json_kind(value) == 'n';
    return absent ? missing : am_json_string(value);
}
