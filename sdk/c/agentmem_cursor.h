/* A place in a text that is read from its beginning on, for the sources of this folder alone. */
#ifndef AGENTMEM_CURSOR_H
#define AGENTMEM_CURSOR_H

#include "agentmem.h"

typedef struct {
    const unsigned char *at, *end;
} cursor;

static inline cursor over(am_text text) {
    const unsigned char *at = (const unsigned char *)text.at;
    return (cursor){at, at + text.length};
}

static inline bool ahead(const cursor *c, char wanted) { return c->at < c->end && *c->at == (unsigned char)wanted; }

static inline bool take(cursor *c, char wanted) {
    bool found = ahead(c, wanted);
    c->at += found;
    return found;
}

static inline int hex_digit(unsigned char byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static inline int32_t hex(cursor *c) {
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

#endif
