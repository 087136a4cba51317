/* Texts for plugins in C, where there is no C library: cutting, trimming, comparing, and sorting anything.
 *
 * Blanks and letters' cases are those of ASCII; every other character goes through as it is. Nothing is copied but by
 * am_lower. All take {NULL, 0}, too, and find nothing in it.
 */
#ifndef AGENTMEM_TEXT_H
#define AGENTMEM_TEXT_H

#include "agentmem.h"

bool am_is_blank(char byte);

/* Whether a byte is a letter, a digit, or part of a character that is not ASCII. */
bool am_is_word(char byte);

bool am_starts_with(am_text text, am_text start);
bool am_ends_with(am_text text, am_text end);

/* `text` from the first `wanted` on; {NULL, 0} where there is none. */
am_text am_find(am_text text, am_text wanted);

/* `text` without its first bytes. */
am_text am_skip(am_text text, size_t bytes);

/* `text` without the blanks around it. */
am_text am_trim(am_text text);

/* A copy without capital letters; {NULL, 0} where memory runs out. */
am_text am_lower(am_text text);

/* Take the part before the next `separator` off `rest`; the last part is what follows the last of them. False when
 * there are no more: for (am_text rest = text, part; am_cut(&rest, ',', &part);) */
bool am_cut(am_text *rest, char separator, am_text *part);

/* Take the next run of bytes that `belongs` holds for off `rest`; false when there are no more. */
bool am_next_run(am_text *rest, bool (*belongs)(char byte), am_text *run);

/* Less than 0, 0 or more, as `left` comes before, is, or comes after `right` by its bytes. */
int am_compare(am_text left, am_text right);

/* Bring `count` items of `size` bytes into the order of `compare`, which may not hold any two for equal when their
 * order matters. */
void am_sort(void *items, size_t count, size_t size, int (*compare)(const void *left, const void *right));

#endif
