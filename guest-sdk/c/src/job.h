/* What a job in C begins with. */
#ifndef STEAD_JOB_H
#define STEAD_JOB_H

#include "policy.h"

/* Runs a script on a machine to its end; what it printed, when it succeeded. */
bool run_script(stead_string_t *machine, stead_string_t script, stead_string_t *printed, stead_host_vm_failure_t *failure);
/* Runs a command in a container of a service to its end; what it printed, when it succeeded. */
bool run_command(stead_string_t *project, stead_string_t *service, stead_list_string_t command, stead_string_t *printed,
                 stead_host_vm_failure_t *failure);
/* What a failure says, and whether another attempt can be expected to do better. */
stead_string_t failure_words(const stead_host_vm_failure_t *failure);
bool failure_is_luck(const stead_host_vm_failure_t *failure);
/* Sets a failure in words and is false. */
bool give_up(stead_host_vm_failure_t *failure, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* The same for a failure that another attempt can be expected not to meet, for this cause. */
bool again(stead_host_vm_failure_t *failure, stead_host_retry_cause_t cause, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
/* Makes what another interface answered the failure of the job, and is false. */
bool refused(stead_host_vm_failure_t *failure, const stead_host_types_error_t *error);
bool container_failed(stead_host_vm_failure_t *failure, const stead_host_container_failure_t *why);
bool request_failed(stead_host_vm_failure_t *failure, const stead_host_http_failure_t *why);
/* Tells the host how a job ended, and is false. */
bool job_failed(exports_stead_host_run_failure_t *end, const stead_host_vm_failure_t *failure);

/* Makes `bool work(const json_t *input, stead_string_t *output, stead_host_vm_failure_t *failure)` the job. */
#define JOB(work)                                                                                                       \
    bool exports_stead_host_run_run(stead_string_t *input, stead_string_t *output,                                       \
                                    exports_stead_host_run_failure_t *failure) {                                         \
        const char *wrong = NULL;                                                                                        \
        const json_t *document = json_parse(*input, &wrong);                                                             \
        stead_host_vm_failure_t why;                                                                                     \
        if (document ? work(document, output, &why) : give_up(&why, "the input does not fit: %s", wrong)) return true;   \
        return job_failed(failure, &why);                                                                                \
    }

#endif
