/* Calls the host function that its input names: {"function": "log", "request": {…}}; answers the envelope. */
#include "agentmem_json.h"

AM_EXPORT(ask) {
    am_text input = am_json_input();
    am_text name = am_json_string(am_json_get(input, AM_TEXT("function")));
    am_text request = am_json_get(input, AM_TEXT("request"));
#define CASE(function)                                                                                                 \
    if (am_same(name, AM_TEXT(#function))) {                                                                           \
        return am_output(am_host_##function(request));                                                                 \
    }
    AM_HOST_FUNCTIONS(CASE)
    return am_fail(AM_TEXT("no such function"));
}
