/* The texts of agentmem_text.h: runs of bytes that are looked at and cut, never changed. */
#include "agentmem_text.h"

bool am_is_blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

bool am_is_word(char byte) {
    unsigned char lower = (unsigned char)byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || lower >= 0x80;
}

bool am_starts_with(am_text text, am_text start) {
    return text.length >= start.length && am_same((am_text){text.at, start.length}, start);
}

bool am_ends_with(am_text text, am_text end) {
    return text.length >= end.length && am_same(am_skip(text, text.length - end.length), end);
}

am_text am_find(am_text text, am_text wanted) {
    for (; text.length >= wanted.length && text.at != NULL; text = am_skip(text, 1)) {
        if (am_starts_with(text, wanted)) {
            return text;
        }
        if (text.length == 0) {
            break;
        }
    }
    return (am_text){NULL, 0};
}

am_text am_skip(am_text text, size_t bytes) {
    size_t skipped = bytes < text.length ? bytes : text.length;
    return text.at == NULL ? text : (am_text){text.at + skipped, text.length - skipped};
}

am_text am_trim(am_text text) {
    while (text.length && am_is_blank(text.at[0])) {
        text = am_skip(text, 1);
    }
    while (text.length && am_is_blank(text.at[text.length - 1])) {
        text.length--;
    }
    return text;
}

am_text am_lower(am_text text) {
    char *copy = text.at == NULL ? NULL : am_alloc(text.length);
    if (copy == NULL) {
        return (am_text){NULL, 0};
    }
    for (size_t i = 0; i < text.length; i++) {
        copy[i] = text.at[i] >= 'A' && text.at[i] <= 'Z' ? (char)(text.at[i] | 0x20) : text.at[i];
    }
    return (am_text){copy, text.length};
}

bool am_cut(am_text *rest, char separator, am_text *part) {
    if (rest->at == NULL) {
        return false;
    }
    size_t length = 0;
    while (length < rest->length && rest->at[length] != separator) {
        length++;
    }
    *part = (am_text){rest->at, length};
    *rest = length < rest->length ? am_skip(*rest, length + 1) : (am_text){NULL, 0};
    return true;
}

bool am_next_run(am_text *rest, bool (*belongs)(char byte), am_text *run) {
    while (rest->length && !belongs(rest->at[0])) {
        *rest = am_skip(*rest, 1);
    }
    size_t length = 0;
    while (length < rest->length && belongs(rest->at[length])) {
        length++;
    }
    *run = (am_text){rest->at, length};
    *rest = am_skip(*rest, length);
    return length > 0;
}

int am_compare(am_text left, am_text right) {
    size_t shorter = left.length < right.length ? left.length : right.length;
    for (size_t i = 0; i < shorter; i++) {
        if (left.at[i] != right.at[i]) {
            return (unsigned char)left.at[i] < (unsigned char)right.at[i] ? -1 : 1;
        }
    }
    return left.length < right.length ? -1 : left.length > right.length;
}

static void swap(char *left, char *right, size_t size) {
    while (size--) {
        char kept = *left;
        *left++ = *right;
        *right++ = kept;
    }
}

/* Heapsort: needs no memory, and no input makes it slow. */
static void sink(char *items, size_t root, size_t count, size_t size, int (*compare)(const void *, const void *)) {
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(items + child * size, items + (child + 1) * size) < 0) {
            child++;
        }
        if (compare(items + root * size, items + child * size) >= 0) {
            return;
        }
        swap(items + root * size, items + child * size, size);
    }
}

void am_sort(void *items, size_t count, size_t size, int (*compare)(const void *left, const void *right)) {
    for (size_t root = count / 2; root-- > 0;) {
        sink(items, root, count, size, compare);
    }
    for (size_t left = count; left-- > 1;) {
        swap(items, (char *)items + left * size, size);
        sink(items, 0, left, size, compare);
    }
}
