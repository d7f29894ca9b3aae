/* Jobs; empty in a policy that declares a host, whose world has no machines. */
#include "stead.h"

#ifdef STEAD_HOST_VM_FAILURE_LOST
#include <stdio.h>

#include "job.h"

stead_string_t failure_words(const stead_host_vm_failure_t *failure) {
    if (failure->tag == STEAD_HOST_VM_FAILURE_REFUSED) return words(&failure->val.refused);
    return failure->val.other;
}

bool failure_is_luck(const stead_host_vm_failure_t *failure) {
    return failure->tag == STEAD_HOST_VM_FAILURE_NO_CAPACITY || failure->tag == STEAD_HOST_VM_FAILURE_LOST;
}

bool give_up(stead_host_vm_failure_t *failure, const char *pattern, ...) {
    char said[512];
    va_list values;
    va_start(values, pattern);
    vsnprintf(said, sizeof said, pattern, values);
    va_end(values);
    failure->tag = STEAD_HOST_VM_FAILURE_OTHER;
    failure->val.other = format("%s", said);
    return false;
}

static stead_string_t how(const stead_host_vm_outcome_t *outcome) {
    switch (outcome->tag) {
    case STEAD_HOST_VM_OUTCOME_EXITED:
        return format("exit status %d", outcome->val.exited);
    case STEAD_HOST_VM_OUTCOME_KILLED:
        return format("signal %.*s", (int)outcome->val.killed.len, (const char *)outcome->val.killed.ptr);
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
    return give_up(failure, "a command on %.*s ended with %.*s:\n%.*s", (int)machine->len, (const char *)machine->ptr,
                   (int)ending.len, (const char *)ending.ptr, (int)ended.output.len, (const char *)ended.output.ptr);
}
#endif
