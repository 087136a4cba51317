/* The writer of agentmem_json.h, and the host functions that nearly every plugin calls. */
#include "agentmem_json.h"

enum { FIRST_ROOM = 256, PARTS = 1000000000 };
static const double LARGEST = 1e15;

void am_write(am_writer *writer, am_text text) {
    if (writer->full || text.length > writer->room - writer->length) {
        size_t room = writer->room ? writer->room * 2 : FIRST_ROOM;
        while (room < writer->length + text.length) {
            room *= 2;
        }
        char *larger = writer->full ? NULL : am_alloc(room);
        if (larger == NULL) {
            writer->full = true;
            return;
        }
        for (size_t i = 0; i < writer->length; i++) {
            larger[i] = writer->at[i];
        }
        writer->at = larger;
        writer->room = room;
    }
    for (size_t i = 0; i < text.length; i++) {
        writer->at[writer->length++] = text.at[i];
    }
}

/* A comma, where the last byte ends a value. No value ends in a byte that begins one or in a colon. */
static void comma(am_writer *writer) {
    char last = writer->length ? writer->at[writer->length - 1] : '{';
    if (last != '{' && last != '[' && last != ':' && last != ',') {
        am_write(writer, AM_TEXT(","));
    }
}

void am_write_json(am_writer *writer, am_text value) {
    comma(writer);
    am_write(writer, value);
}

void am_write_string(am_writer *writer, am_text text) {
    static const char letters[] = "0123456789abcdef";
    am_write_json(writer, AM_TEXT("\""));
    for (size_t i = 0, from = 0; i <= text.length; i++) {
        unsigned char byte = i < text.length ? (unsigned char)text.at[i] : '"';
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        am_write(writer, (am_text){text.at + from, i - from});
        from = i + 1;
        char coded[] = {'\\', 'u', '0', '0', letters[byte >> 4], letters[byte & 15]};
        if (i < text.length) {
            am_write(writer, (am_text){coded, sizeof coded});
        }
    }
    am_write(writer, AM_TEXT("\""));
}

static void write_digits(am_writer *writer, uint64_t number) {
    char digits_of[20];
    size_t at = sizeof digits_of;
    do {
        digits_of[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    am_write(writer, (am_text){digits_of + at, sizeof digits_of - at});
}

void am_write_number(am_writer *writer, uint64_t number) {
    comma(writer);
    write_digits(writer, number);
}

void am_write_bool(am_writer *writer, bool flag) { am_write_json(writer, flag ? AM_TEXT("true") : AM_TEXT("false")); }

void am_write_decimal(am_writer *writer, double number) {
    if (!(number > -LARGEST && number < LARGEST)) {
        am_write_json(writer, AM_TEXT("null"));
        return;
    }
    double size = number < 0 ? -number : number;
    uint64_t whole = (uint64_t)size;
    uint64_t parts = (uint64_t)((size - (double)whole) * PARTS + 0.5);
    am_write_json(writer, number < 0 ? AM_TEXT("-") : AM_TEXT(""));
    write_digits(writer, whole + parts / PARTS);
    char digits_of[10] = ".";
    size_t last = 0;
    for (uint64_t i = 9, left = parts % PARTS; i > 0; i--, left /= 10) {
        digits_of[i] = (char)('0' + left % 10);
        last = last || left % 10 == 0 ? last : i;
    }
    am_write(writer, (am_text){digits_of, last ? last + 1 : 0});
}

void am_write_open(am_writer *writer, char bracket) { am_write_json(writer, (am_text){&bracket, 1}); }

void am_write_key(am_writer *writer, am_text key) {
    am_write_string(writer, key);
    am_write(writer, AM_TEXT(":"));
}

void am_write_close(am_writer *writer, char bracket) { am_write(writer, (am_text){&bracket, 1}); }

int am_answer(const am_writer *writer) {
    bool whole = !writer->full && !am_memory_ran_out();
    return whole ? am_output(am_written(writer)) : am_fail(AM_TEXT("There is no memory left for the answer."));
}

am_text am_written(const am_writer *writer) {
    return writer->full ? (am_text){NULL, 0} : (am_text){writer->at ? writer->at : "", writer->length};
}

am_text am_data(am_text envelope) {
    bool good = am_json_valid(envelope) && am_same(am_json_get(envelope, AM_TEXT("success")), AM_TEXT("true"));
    am_text data = good ? am_json_get(envelope, AM_TEXT("data")) : (am_text){NULL, 0};
    return am_same(data, AM_TEXT("null")) ? (am_text){NULL, 0} : data;
}

void am_log(am_text level, am_text message, am_text fields) {
    am_writer line = {0};
    am_write(&line, AM_TEXT("{\"level\":"));
    am_write_string(&line, level);
    am_write(&line, AM_TEXT(",\"message\":"));
    am_write_string(&line, message);
    am_write(&line, AM_TEXT(",\"fields\":"));
    am_write(&line, fields);
    am_write(&line, AM_TEXT("}"));
    (void)am_host_log(am_written(&line));
}

am_text am_config(am_text key) {
    am_writer request = {0};
    am_write(&request, AM_TEXT("{\"key\":"));
    am_write_string(&request, key);
    am_write(&request, AM_TEXT("}"));
    return am_data(am_host_get_config(am_written(&request)));
}
