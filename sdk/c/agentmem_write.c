/* The writer of agentmem_json.h, and the host functions that nearly every plugin calls. */
#include "agentmem_json.h"

enum { FIRST_ROOM = 256 };

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

void am_write_string(am_writer *writer, am_text text) {
    static const char letters[] = "0123456789abcdef";
    am_write(writer, AM_TEXT("\""));
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

void am_write_number(am_writer *writer, uint64_t number) {
    char digits_of[20];
    size_t at = sizeof digits_of;
    do {
        digits_of[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    am_write(writer, (am_text){digits_of + at, sizeof digits_of - at});
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
