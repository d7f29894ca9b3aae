/* Jobs; empty in a policy that declares a host, whose world has no machines. */
#include "stead.h"

#ifdef STEAD_HOST_VM_FAILURE_LOST
#include "job.h"

stead_string_t failure_words(const stead_host_vm_failure_t *failure) {
    if (failure->tag == STEAD_HOST_VM_FAILURE_REFUSED) return words(&failure->val.refused);
    return failure->val.other;
}

bool failure_is_luck(const stead_host_vm_failure_t *failure) {
    return failure->tag == STEAD_HOST_VM_FAILURE_NO_CAPACITY || failure->tag == STEAD_HOST_VM_FAILURE_LOST;
}

static bool fails(stead_host_vm_failure_t *failure, uint8_t tag, stead_string_t said) {
    failure->tag = tag;
    failure->val.other = said;
    return false;
}

bool give_up(stead_host_vm_failure_t *failure, const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    stead_string_t said = format_list(pattern, values);
    va_end(values);
    return fails(failure, STEAD_HOST_VM_FAILURE_OTHER, said);
}

/* Among the failures of a machine there are two that another attempt may not meet: all others are told as a loss, with a cause. */
static bool worth_another(stead_host_vm_failure_t *failure, stead_host_retry_cause_t cause, stead_string_t said) {
    if (cause == STEAD_HOST_RETRY_CAUSE_NO_CAPACITY) return fails(failure, STEAD_HOST_VM_FAILURE_NO_CAPACITY, said);
    if (cause != STEAD_HOST_RETRY_CAUSE_VM_LOST) stead_host_retry_because(cause);
    return fails(failure, STEAD_HOST_VM_FAILURE_LOST, said);
}

bool again(stead_host_vm_failure_t *failure, stead_host_retry_cause_t cause, const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    stead_string_t said = format_list(pattern, values);
    va_end(values);
    return worth_another(failure, cause, said);
}

bool refused(stead_host_vm_failure_t *failure, const stead_host_types_error_t *error) {
    failure->tag = STEAD_HOST_VM_FAILURE_REFUSED;
    failure->val.refused = *error;
    return false;
}

bool container_failed(stead_host_vm_failure_t *failure, const stead_host_container_failure_t *why) {
    switch (why->tag) {
    case STEAD_HOST_CONTAINER_FAILURE_REFUSED:
        return refused(failure, &why->val.refused);
    case STEAD_HOST_CONTAINER_FAILURE_LOST:
        return worth_another(failure, STEAD_HOST_RETRY_CAUSE_TEMPORARY, why->val.lost);
    case STEAD_HOST_CONTAINER_FAILURE_TOO_LARGE:
        return fails(failure, STEAD_HOST_VM_FAILURE_TOO_LARGE, why->val.too_large);
    default:
        return fails(failure, STEAD_HOST_VM_FAILURE_OTHER, why->val.other);
    }
}

bool request_failed(stead_host_vm_failure_t *failure, const stead_host_http_failure_t *why) {
    switch (why->tag) {
    case STEAD_HOST_HTTP_FAILURE_REFUSED:
        return refused(failure, &why->val.refused);
    case STEAD_HOST_HTTP_FAILURE_UNREACHABLE:
        return worth_another(failure, STEAD_HOST_RETRY_CAUSE_TEMPORARY, why->val.unreachable);
    case STEAD_HOST_HTTP_FAILURE_TOO_LARGE:
        return fails(failure, STEAD_HOST_VM_FAILURE_TOO_LARGE, why->val.too_large);
    default:
        return fails(failure, STEAD_HOST_VM_FAILURE_OTHER, why->val.other);
    }
}

bool job_failed(exports_stead_host_run_failure_t *end, const stead_host_vm_failure_t *failure) {
    if (failure->tag == STEAD_HOST_VM_FAILURE_NO_CAPACITY) stead_host_retry_because(STEAD_HOST_RETRY_CAUSE_NO_CAPACITY);
    end->message = failure_words(failure);
    end->retry = failure_is_luck(failure);
    return false;
}

static stead_string_t how(const stead_host_vm_outcome_t *outcome) {
    switch (outcome->tag) {
    case STEAD_HOST_VM_OUTCOME_EXITED:
        return format("exit status %d", outcome->val.exited);
    case STEAD_HOST_VM_OUTCOME_KILLED:
        return format("signal %.*s", SHOWN(outcome->val.killed));
    case STEAD_HOST_VM_OUTCOME_OUT_OF_MEMORY:
        return text("no memory left");
    default:
        return text("no time left");
    }
}

bool run_script(stead_string_t *machine, stead_string_t script, stead_string_t *printed, stead_host_vm_failure_t *failure) {
    uint32_t number;
    stead_host_vm_command_t command = {.script = script};
    stead_host_vm_ended_t ended;
    TRY(stead_host_vm_start(machine, &command, &number, failure));
    TRY(stead_host_vm_wait(number, &ended, failure));
    if (ended.outcome.tag == STEAD_HOST_VM_OUTCOME_EXITED && ended.outcome.val.exited == 0) {
        *printed = ended.output;
        return true;
    }
    stead_string_t ending = how(&ended.outcome);
    return give_up(failure, "a command on %.*s ended with %.*s:\n%.*s", SHOWN(*machine), SHOWN(ending),
                   SHOWN(ended.output));
}

static stead_string_t container_how(const stead_host_container_outcome_t *outcome) {
    switch (outcome->tag) {
    case STEAD_HOST_CONTAINER_OUTCOME_EXITED:
        return format("exit code %d", outcome->val.exited);
    case STEAD_HOST_CONTAINER_OUTCOME_OUT_OF_MEMORY:
        return text("no memory left");
    case STEAD_HOST_CONTAINER_OUTCOME_TIMED_OUT:
        return text("no time left");
    default:
        return outcome->val.other;
    }
}

bool run_command(stead_string_t *project, stead_string_t *service, stead_list_string_t command, stead_string_t *printed,
                 stead_host_vm_failure_t *failure) {
    uint32_t number;
    stead_host_container_options_t options = {.command = SOME(command)};
    stead_host_container_failure_t why;
    stead_host_container_ended_t ended;
    if (!stead_host_container_start(project, service, &options, &number, &why)) return container_failed(failure, &why);
    if (!stead_host_container_wait(number, &ended, &why)) return container_failed(failure, &why);
    if (!stead_host_container_remove(number, &why)) return container_failed(failure, &why);
    if (ended.outcome.tag == STEAD_HOST_CONTAINER_OUTCOME_EXITED && ended.outcome.val.exited == 0) {
        *printed = ended.output;
        return true;
    }
    stead_string_t ending = container_how(&ended.outcome);
    return give_up(failure, "%.*s %.*s ended with %.*s:\n%.*s", SHOWN(*project), SHOWN(*service), SHOWN(ending),
                   SHOWN(ended.output));
}
#endif
