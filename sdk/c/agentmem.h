/* A plugin's view of the host, in C: input, output, memory and every host function.
 *
 * Thin on purpose. A host function takes one JSON text and answers one envelope,
 * {"success", "data", "error", "metadata"}; agentmem_json.h reads and writes both. Compiles without a C library.
 * Not here: anything about a plugin's own tools.
 */
#ifndef AGENTMEM_H
#define AGENTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes; not NUL-terminated. `at` is NULL where there is none, which is not the same as an empty one. */
typedef struct {
    const char *at;
    size_t length;
} am_text;

/* A literal as a text. */
#define AM_TEXT(literal) ((am_text){"" literal, sizeof(literal) - 1})

/* Put before a function `int name(void)` that the host may call: 0 is success. */
#define AM_EXPORT(name) __attribute__((export_name(#name))) int name(void)

/* What this call was given. Frees all that am_alloc gave before, so it comes first in a function. */
am_text am_input(void);

/* Answer `text`; gives 0, so that `return am_output(…)` ends a tool well. */
int am_output(am_text text);

/* End with the error `text`, which the caller reads; gives 1. */
int am_fail(am_text text);

/* Memory until the next am_input, aligned to 8; NULL where there is no more. */
void *am_alloc(size_t bytes);

/* Whether there was no more memory at some place of this call, which am_answer looks at, too. */
bool am_memory_ran_out(void);

bool am_same(am_text left, am_text right);

/* Every host function by its own name: am_host_log, am_host_get_config, … A module imports only those it calls, and
 * its manifest must ask for their capabilities; docs/capabilities.md has the requests and the data. */
#define AM_HOST_FUNCTIONS(X)                                                                                           \
    X(add_memory) X(get_memory) X(update_memory) X(delete_memory) X(search_memories)                                   \
    X(store_data) X(load_data) X(delete_data) X(list_data)                                                             \
    X(search) X(embed) X(call_llm) X(http_request)                                                                     \
    X(read_file) X(write_file) X(list_files) X(delete_file)                                                            \
    X(log) X(get_config)

#define AM_DECLARE(name) am_text am_host_##name(am_text request);
AM_HOST_FUNCTIONS(AM_DECLARE)
#undef AM_DECLARE

#endif
