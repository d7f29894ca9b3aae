/* Runs a script in a machine of its own; the result is what it printed. */
#include <job.h>

static bool work(const json_t *input, stead_string_t *output, stead_host_vm_failure_t *failure) {
    stead_string_t worker = VALUE("worker");
    stead_list_string_t all = {&worker, 1};
    stead_host_vm_request_t request = {.image = json_text(json_get(input, "image"), "")};
    TRY(stead_host_vm_launch(&worker, &request, failure));
    TRY(stead_host_vm_wait_ready(&all, failure));
    info("the machine is there");
    stead_string_t printed;
    TRY(run_script(&worker, json_text(json_get(input, "script"), ""), &printed, failure));
    stead_string_t quoted = json_quote(printed);
    *output = format("{\"printed\":%.*s}", (int)quoted.len, (const char *)quoted.ptr);
    return true;
}

JOB(work)
