/* Counts the words of files, in a machine of its own: the same job in every language. */
#include <job.h>
#include <stdlib.h>

static bool count(stead_string_t *machine, stead_string_t name, long *words, stead_host_vm_failure_t *failure) {
    stead_string_t path = format("/srv/%.*s", SHOWN(name)), printed;
    stead_host_vm_content_t content = {.tag = STEAD_HOST_VM_CONTENT_ARTIFACT, .val.artifact = name};
    TRY(stead_host_vm_upload(machine, &content, &path, failure));
    TRY(run_script(machine, format("wc -w < %.*s", SHOWN(path)), &printed, failure));
    char *start = c_string(printed), *end;
    *words = strtol(start, &end, 10);
    if (end == start) return give_up(failure, "%.*s: no number: %.*s", SHOWN(name), SHOWN(printed));
    return true;
}

static bool keep(stead_string_t lines, stead_host_vm_failure_t *failure) {
    stead_list_u8_t content = {lines.ptr, lines.len};
    stead_host_types_error_t error;
    return stead_host_artifact_put(TEXT("counts"), &content, &error) || refused(failure, &error);
}

static bool work(const json_t *input, stead_string_t *output, stead_host_vm_failure_t *failure) {
    stead_string_t began, machine = VALUE("counter"), files = VALUE(""), lines = VALUE("");
    const json_t *names = json_get(input, "files");
    stead_list_string_t all = {&machine, 1};
    stead_host_vm_request_t request = {.image = json_text(json_get(input, "image"), ""), .lifetime = SOME(600)};
    stead_host_clock_now(&began);
    TRY(stead_host_vm_launch(&machine, &request, failure));
    TRY(stead_host_vm_wait_ready(&all, failure));
    info("counter is there");
    long total = 0, words;
    for (size_t done = 0; done < json_count(names); done++) {
        stead_string_t name = json_text(json_at(names, done), ""), quoted = json_quote(name);
        TRY(count(&machine, name, &words, failure));
        total += words;
        files = format("%.*s%s{\"name\":%.*s,\"words\":%ld}", SHOWN(files), done ? "," : "", SHOWN(quoted), words);
        lines = format("%.*s%ld %.*s\n", SHOWN(lines), words, SHOWN(name));
        stead_host_progress_report((uint16_t)(1000 * (done + 1) / json_count(names)), &name);
    }
    TRY(keep(lines, failure));
    TRY(stead_host_vm_destroy(&machine, failure));
    *output = format("{\"began\":\"%.*s\",\"files\":[%.*s],\"total\":%ld}", SHOWN(began), SHOWN(files), total);
    return true;
}

JOB(work)
