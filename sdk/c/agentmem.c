/* The Extism kernel behind agentmem.h: texts go over in blocks of the kernel's memory, eight bytes at a time. */
#include "agentmem.h"

#define KERNEL(name) __attribute__((import_module("extism:host/env"), import_name(#name)))

typedef uint64_t block; /* an offset into the kernel's memory */

KERNEL(alloc) block kernel_alloc(uint64_t bytes);
KERNEL(free) void kernel_free(block at);
KERNEL(length) uint64_t kernel_length(block at);
KERNEL(load_u8) uint32_t kernel_load_u8(block at);
KERNEL(load_u64) uint64_t kernel_load_u64(block at);
KERNEL(store_u8) void kernel_store_u8(block at, uint32_t byte);
KERNEL(store_u64) void kernel_store_u64(block at, uint64_t word);
KERNEL(input_offset) block kernel_input_offset(void);
KERNEL(input_length) uint64_t kernel_input_length(void);
KERNEL(output_set) void kernel_output_set(block at, uint64_t bytes);
KERNEL(error_set) void kernel_error_set(block at);

extern unsigned char __heap_base; /* set by the linker: where data and stack end */

enum { PAGE = 65536, ALIGNMENT = 8 };

static size_t used; /* bytes after __heap_base */
static bool ran_out;

void *am_alloc(size_t bytes) {
    size_t base = ((size_t)&__heap_base + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t room = SIZE_MAX - PAGE - base - used;
    if (bytes > room) {
        ran_out = true;
        return NULL;
    }
    size_t start = base + used;
    size_t end = start + (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t have = __builtin_wasm_memory_size(0) * PAGE;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == SIZE_MAX) {
        ran_out = true;
        return NULL;
    }
    used = end - base;
    return (void *)start; /* NOLINT: linear memory is numbers */
}

bool am_memory_ran_out(void) { return ran_out; }

static am_text taken(block at, uint64_t length) {
    char *copy = length > SIZE_MAX ? NULL : am_alloc((size_t)length);
    if (copy == NULL) {
        return (am_text){NULL, 0};
    }
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word = kernel_load_u64(at + i);
        __builtin_memcpy(copy + i, &word, 8);
    }
    for (; i < length; i++) {
        copy[i] = (char)kernel_load_u8(at + i);
    }
    return (am_text){copy, (size_t)length};
}

static block given(am_text text) {
    block at = kernel_alloc(text.length);
    size_t i = 0;
    for (; i + 8 <= text.length; i += 8) {
        uint64_t word;
        __builtin_memcpy(&word, text.at + i, 8);
        kernel_store_u64(at + i, word);
    }
    for (; i < text.length; i++) {
        kernel_store_u8(at + i, (unsigned char)text.at[i]);
    }
    return at;
}

am_text am_input(void) {
    used = 0;
    ran_out = false;
    return taken(kernel_input_offset(), kernel_input_length());
}

int am_output(am_text text) {
    kernel_output_set(given(text), text.length);
    return 0;
}

int am_fail(am_text text) {
    kernel_error_set(given(text));
    return 1;
}

bool am_same(am_text left, am_text right) {
    if (left.length != right.length) {
        return false;
    }
    for (size_t i = 0; i < left.length; i++) {
        if (left.at[i] != right.at[i]) {
            return false;
        }
    }
    return true;
}

#define HOST_FUNCTION(name)                                                                                            \
    __attribute__((import_module("agentmem"), import_name(#name))) block host_##name(block request);                   \
    am_text am_host_##name(am_text request) {                                                                          \
        block asked = given(request);                                                                                  \
        block answered = host_##name(asked);                                                                           \
        am_text answer = taken(answered, kernel_length(answered));                                                     \
        kernel_free(asked);                                                                                            \
        kernel_free(answered);                                                                                         \
        return answer;                                                                                                 \
    }
AM_HOST_FUNCTIONS(HOST_FUNCTION)
