#include "told.h"

static stead_string_t chained(stead_string_t first, stead_string_t second) {
    uint8_t *bytes = malloc(first.len + second.len + 1);
    if (!bytes) abort();
    if (first.len) memcpy(bytes, first.ptr, first.len);
    if (second.len) memcpy(bytes + first.len, second.ptr, second.len);
    return (stead_string_t){bytes, first.len + second.len};
}

stead_string_t repeated(int byte, size_t count) {
    uint8_t *bytes = malloc(count);
    if (!bytes) abort();
    memset(bytes, byte, count);
    return (stead_string_t){bytes, count};
}

stead_string_t joined(stead_list_string_t texts) {
    stead_string_t all = VALUE("");
    for (size_t n = 0; n < texts.len; n++) all = format("%.*s%s%.*s", SHOWN(all), n ? "," : "", SHOWN(texts.ptr[n]));
    return all;
}

bool told(const char *call, stead_string_t words) {
    stead_string_t line = chained(format("%s: ", call), words);
    stead_host_log_log(STEAD_HOST_LOG_LEVEL_INFO, &line);
    return words.len < 7 || memcmp(words.ptr, "other: ", 7) != 0;
}

static stead_string_t refusal(const stead_host_types_error_t *error) {
    switch (error->tag) {
    case STEAD_HOST_TYPES_ERROR_DENIED:
        return format("denied: %.*s|%.*s|%.*s", SHOWN(error->val.denied.capability), SHOWN(error->val.denied.asked),
                      SHOWN(error->val.denied.grant));
    case STEAD_HOST_TYPES_ERROR_INVALID:
        return format("invalid: %.*s|%.*s", SHOWN(error->val.invalid.argument), SHOWN(error->val.invalid.reason));
    default:
        return format("other: %.*s", SHOWN(error->val.other));
    }
}

bool told_error(const char *call, const stead_host_types_error_t *error) {
    return told(call, refusal(error));
}

bool told_machine(const char *call, const stead_host_vm_failure_t *failure) {
    switch (failure->tag) {
    case STEAD_HOST_VM_FAILURE_REFUSED:
        return told(call, refusal(&failure->val.refused));
    case STEAD_HOST_VM_FAILURE_NO_CAPACITY:
        return told(call, format("no-capacity: %.*s", SHOWN(failure->val.no_capacity)));
    case STEAD_HOST_VM_FAILURE_LOST:
        return told(call, format("lost: %.*s", SHOWN(failure->val.lost)));
    case STEAD_HOST_VM_FAILURE_TOO_LARGE:
        return told(call, format("too-large: %.*s", SHOWN(failure->val.too_large)));
    default:
        return told(call, format("other: %.*s", SHOWN(failure->val.other)));
    }
}

bool told_container(const char *call, const stead_host_container_failure_t *failure) {
    switch (failure->tag) {
    case STEAD_HOST_CONTAINER_FAILURE_REFUSED:
        return told(call, refusal(&failure->val.refused));
    case STEAD_HOST_CONTAINER_FAILURE_LOST:
        return told(call, format("lost: %.*s", SHOWN(failure->val.lost)));
    case STEAD_HOST_CONTAINER_FAILURE_TOO_LARGE:
        return told(call, format("too-large: %.*s", SHOWN(failure->val.too_large)));
    default:
        return told(call, format("other: %.*s", SHOWN(failure->val.other)));
    }
}

bool told_request(const char *call, const stead_host_http_failure_t *failure) {
    switch (failure->tag) {
    case STEAD_HOST_HTTP_FAILURE_REFUSED:
        return told(call, refusal(&failure->val.refused));
    case STEAD_HOST_HTTP_FAILURE_UNREACHABLE:
        return told(call, format("unreachable: %.*s", SHOWN(failure->val.unreachable)));
    case STEAD_HOST_HTTP_FAILURE_TOO_LARGE:
        return told(call, format("too-large: %.*s", SHOWN(failure->val.too_large)));
    default:
        return told(call, format("other: %.*s", SHOWN(failure->val.other)));
    }
}

stead_string_t ok(void) {
    return text("ok");
}

stead_string_t number(uint32_t number) {
    return format("%u", (unsigned)number);
}

stead_string_t hex(stead_list_u8_t bytes) {
    stead_string_t digits = repeated('0', 2 * bytes.len);
    for (size_t n = 0; n < 2 * bytes.len; n++) digits.ptr[n] = "0123456789abcdef"[bytes.ptr[n / 2] >> (n % 2 ? 0 : 4) & 15];
    return digits;
}

static stead_string_t with(stead_string_t outcome, stead_string_t output) {
    return chained(format("%.*s: ", SHOWN(outcome)), output);
}

stead_string_t machine_ended(const stead_host_vm_ended_t *ended) {
    switch (ended->outcome.tag) {
    case STEAD_HOST_VM_OUTCOME_EXITED:
        return with(format("exited %d", ended->outcome.val.exited), ended->output);
    case STEAD_HOST_VM_OUTCOME_KILLED:
        return with(format("killed %.*s", SHOWN(ended->outcome.val.killed)), ended->output);
    case STEAD_HOST_VM_OUTCOME_OUT_OF_MEMORY:
        return with(text("out-of-memory"), ended->output);
    default:
        return with(text("timed-out"), ended->output);
    }
}

stead_string_t container_ended(const stead_host_container_ended_t *ended) {
    switch (ended->outcome.tag) {
    case STEAD_HOST_CONTAINER_OUTCOME_EXITED:
        return with(format("exited %d", ended->outcome.val.exited), ended->output);
    case STEAD_HOST_CONTAINER_OUTCOME_OUT_OF_MEMORY:
        return with(text("out-of-memory"), ended->output);
    case STEAD_HOST_CONTAINER_OUTCOME_TIMED_OUT:
        return with(text("timed-out"), ended->output);
    default:
        return with(format("ended %.*s", SHOWN(ended->outcome.val.other)), ended->output);
    }
}

stead_string_t response_words(const stead_host_http_response_t *response) {
    stead_string_t headers = VALUE(""), body = hex(response->body);
    for (size_t n = 0; n < response->headers.len; n++) {
        stead_tuple2_string_string_t header = response->headers.ptr[n];
        headers = format("%.*s%s%.*s=%.*s", SHOWN(headers), n ? "," : "", SHOWN(header.f0), SHOWN(header.f1));
    }
    return format("%d %.*s: %.*s", response->status, SHOWN(headers), SHOWN(body));
}
