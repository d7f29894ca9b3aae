/* Texts and errors. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bindings want an object file with their types linked in; `stead build` adds the types to the module itself. */
void __component_type_object_force_link_stead(void);
void __component_type_object_force_link_stead(void) {}

stead_string_t text(const char *string) {
    return (stead_string_t){(uint8_t *)string, strlen(string)};
}

stead_string_t format_list(const char *pattern, va_list values) {
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, pattern, again);
    va_end(again);
    char *bytes = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!bytes) abort();
    vsnprintf(bytes, (size_t)length + 1, pattern, values);
    return (stead_string_t){(uint8_t *)bytes, (size_t)length};
}

stead_string_t format(const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    stead_string_t made = format_list(pattern, values);
    va_end(values);
    return made;
}

char *c_string(stead_string_t text) {
    char *string = malloc(text.len + 1);
    if (!string) abort();
    if (text.len) memcpy(string, text.ptr, text.len);
    string[text.len] = 0;
    return string;
}

bool same(stead_string_t text, const char *string) {
    return text.len == strlen(string) && memcmp(text.ptr, string, text.len) == 0;
}

void info(const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    stead_string_t rest = format_list(pattern, values);
    va_end(values);
    if (rest.len && rest.ptr[rest.len - 1] == '\n') rest.len--;
    for (uint8_t *end; (end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL); ) {
        stead_string_t line = {rest.ptr, (size_t)(end - rest.ptr)};
        stead_host_log_log(STEAD_HOST_LOG_LEVEL_INFO, &line);
        rest.ptr = end + 1;
        rest.len -= line.len + 1;
    }
    stead_host_log_log(STEAD_HOST_LOG_LEVEL_INFO, &rest);
}

bool fail(stead_host_types_error_t *error, const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    error->tag = STEAD_HOST_TYPES_ERROR_OTHER;
    error->val.other = format_list(pattern, values);
    va_end(values);
    return false;
}

stead_string_t words(const stead_host_types_error_t *error) {
    switch (error->tag) {
    case STEAD_HOST_TYPES_ERROR_DENIED:
        return format("%.*s: %.*s is not granted; what would allow it:\n%.*s", SHOWN(error->val.denied.capability),
                      SHOWN(error->val.denied.asked), SHOWN(error->val.denied.grant));
    case STEAD_HOST_TYPES_ERROR_INVALID:
        return format("%.*s: %.*s", SHOWN(error->val.invalid.argument), SHOWN(error->val.invalid.reason));
    default:
        return error->val.other;
    }
}

void crash(const char *file, int line, const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    stead_string_t said = format_list(pattern, values);
    va_end(values);
    stead_string_t message = format("%s:%d: %.*s", file, line, SHOWN(said));
    stead_host_log_log(STEAD_HOST_LOG_LEVEL_ERROR, &message);
    abort();
}

json_t *config(void) {
    stead_string_t document;
    stead_host_config_get(&document);
    const char *error = NULL;
    json_t *read = json_parse(document, &error);
    if (!read) CRASH("config: %s", error);
    return read;
}
