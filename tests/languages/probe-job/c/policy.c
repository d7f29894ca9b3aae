/* Calls everything that a job can with values at the edge, and tells what it was answered: the same in every language. */
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "told.h"

#define MAX 0xffffffff
#define EDGE "ü☃🦀"
/* A call whose answer is the words, and whose failure is told by `kind`; true until it fails in a way that has no name. */
#define TOLD(kind, type, call, ask, words) \
    ({                                     \
        type error[1];                     \
        (ask) ? told(call, words) : kind(call, error); \
    })
#define MACHINE(call, ask, words) TOLD(told_machine, stead_host_vm_failure_t, call, ask, words)
#define CONTAINER(call, ask, words) TOLD(told_container, stead_host_container_failure_t, call, ask, words)
#define REQUEST(call, ask, words) TOLD(told_request, stead_host_http_failure_t, call, ask, words)
#define ARTIFACT(call, ask, words) TOLD(told_error, stead_host_types_error_t, call, ask, words)
/* The same call until it fails in a way that has no name. */
#define EVERY(told) \
    while (told) {}

typedef stead_host_vm_failure_t failure_t;

static uint8_t not_text[] = {0, 128, 255, 10};
static const stead_list_u8_t BYTES = {not_text, sizeof not_text};
static stead_string_t snow = {(uint8_t *)EDGE, sizeof EDGE - 1};
static stead_string_t nothing = {(uint8_t *)"", 0};

static void artifacts(void) {
    stead_string_t many = repeated(255, 100000), longest = repeated('a', 300);
    stead_list_u8_t none = {0}, all = {many.ptr, many.len}, bytes = BYTES, content;
    ARTIFACT("artifact.put", stead_host_artifact_put(&nothing, &none, error), ok());
    ARTIFACT("artifact.put", stead_host_artifact_put(&snow, &all, error), ok());
    EVERY(ARTIFACT("artifact.put", stead_host_artifact_put(&longest, &bytes, error), ok()))
    EVERY(ARTIFACT("artifact.get", stead_host_artifact_get(&snow, &content, error), hex(content)))
    for (int n = 0; n < 2; n++) {
        stead_list_string_t names;
        stead_host_artifact_names(&names);
        told("artifact.names", joined(names));
    }
}

static stead_list_string_t names(void) {
    static stead_string_t all[1000];
    for (size_t n = 0; n < 1000; n++) all[n] = format("m%zu", n);
    return (stead_list_string_t){all, 1000};
}

static stead_list_u32_t numbers(void) {
    static uint32_t all[1001];
    for (uint32_t n = 0; n < 1000; n++) all[n] = n;
    all[1000] = MAX;
    return (stead_list_u32_t){all, 1001};
}

static void uploads(void) {
    uint8_t zero[] = EDGE;
    stead_host_vm_content_t none = {.tag = STEAD_HOST_VM_CONTENT_BYTES};
    stead_host_vm_content_t bytes = {.tag = STEAD_HOST_VM_CONTENT_BYTES, .val.bytes = BYTES};
    stead_host_vm_content_t words = {.tag = STEAD_HOST_VM_CONTENT_TEXT, .val.text = {zero, sizeof zero}};
    stead_host_vm_content_t kept = {.tag = STEAD_HOST_VM_CONTENT_ARTIFACT};
    MACHINE("vm.upload", stead_host_vm_upload(&nothing, &none, &nothing, error), ok());
    MACHINE("vm.upload", stead_host_vm_upload(TEXT("m"), &words, TEXT("/ü"), error), ok());
    MACHINE("vm.upload", stead_host_vm_upload(TEXT("m"), &kept, &snow, error), ok());
    EVERY(MACHINE("vm.upload", stead_host_vm_upload(&snow, &bytes, &snow, error), ok()))
}

static void machines(void) {
    stead_host_vm_request_t requests[] = {
        {0},
        {
            .provider = SOME(VALUE("")),
            .image = snow,
            .instance_type = SOME(snow),
            .cpus = SOME(0xffff),
            .memory = SOME(MAX),
            .disk = SOME(0),
            .region = SOME(VALUE("r")),
            .spot = SOME(true),
            .network = SOME(false),
            .lifetime = SOME(MAX),
        },
    };
    stead_host_vm_list_request_t no_requests = {0}, both = {requests, 2};
    stead_list_string_t nobody = {0}, all = names();
    uint32_t index;
    MACHINE("vm.launch", stead_host_vm_launch(&nothing, &requests[0], error), ok());
    EVERY(MACHINE("vm.launch", stead_host_vm_launch(&snow, &requests[1], error), ok()))
    MACHINE("vm.launch-any", stead_host_vm_launch_any(&nothing, &no_requests, &index, error), number(index));
    EVERY(MACHINE("vm.launch-any", stead_host_vm_launch_any(&snow, &both, &index, error), number(index)))
    MACHINE("vm.wait-ready", stead_host_vm_wait_ready(&nobody, error), ok());
    EVERY(MACHINE("vm.wait-ready", stead_host_vm_wait_ready(&all, error), ok()))
    uploads();
    EVERY(MACHINE("vm.download", stead_host_vm_download(&snow, &nothing, &snow, error), ok()))
    EVERY(MACHINE("vm.destroy", stead_host_vm_destroy(&snow, error), ok()))
}

static void commands(void) {
    stead_tuple2_string_string_t environment[] = {{VALUE(""), VALUE("")}, {VALUE("A"), snow}};
    stead_host_vm_command_t none = {0};
    stead_host_vm_command_t full = {.script = VALUE(EDGE "\n"), .environment = {environment, 2}, .timeout = SOME(MAX)};
    stead_list_string_t nothing_hidden = {0}, secrets = LIST(stead_string_t, VALUE(""), snow);
    stead_list_u32_t no_command = {0}, all = numbers();
    stead_host_vm_ended_t ended;
    uint32_t started;
    MACHINE("vm.start", stead_host_vm_start(&nothing, &none, &started, error), number(started));
    EVERY(MACHINE("vm.start", stead_host_vm_start(&snow, &full, &started, error), number(started)))
    MACHINE("vm.start-with-secrets",
            stead_host_vm_start_with_secrets(&nothing, &none, &nothing_hidden, &started, error), number(started));
    EVERY(MACHINE("vm.start-with-secrets", stead_host_vm_start_with_secrets(&snow, &full, &secrets, &started, error),
                  number(started)))
    EVERY(MACHINE("vm.wait", stead_host_vm_wait(MAX, &ended, error), machine_ended(&ended)))
    MACHINE("vm.wait-any", stead_host_vm_wait_any(&no_command, &started, error), number(started));
    EVERY(MACHINE("vm.wait-any", stead_host_vm_wait_any(&all, &started, error), number(started)))
}

static void containers(void) {
    stead_host_container_file_t files[] = {
        {VALUE(""), {.tag = STEAD_HOST_CONTAINER_CONTENT_BYTES, .val.bytes = BYTES}},
        {snow, {.tag = STEAD_HOST_CONTAINER_CONTENT_TEXT, .val.text = snow}},
        {VALUE("/x"), {.tag = STEAD_HOST_CONTAINER_CONTENT_ARTIFACT, .val.artifact = VALUE("")}},
    };
    stead_list_string_t two = LIST(stead_string_t, VALUE(""), snow);
    stead_tuple2_string_string_t environment = {VALUE("A"), snow};
    stead_host_container_options_t none = {0};
    stead_host_container_options_t full = {
        .command = SOME((stead_list_string_t){0}),
        .entrypoint = SOME(two),
        .environment = {&environment, 1},
        .secrets = two,
        .files = {files, 3},
        .user = SOME(VALUE("")),
        .working_dir = SOME(snow),
        .memory = SOME(MAX),
        .millicpus = SOME(0),
        .timeout = SOME(MAX),
    };
    stead_list_u32_t nobody = {0}, all = numbers();
    stead_host_container_ended_t ended;
    uint32_t started;
    CONTAINER("container.start", stead_host_container_start(&nothing, &nothing, &none, &started, error), number(started));
    EVERY(CONTAINER("container.start", stead_host_container_start(&snow, &snow, &full, &started, error), number(started)))
    EVERY(CONTAINER("container.wait", stead_host_container_wait(MAX, &ended, error), container_ended(&ended)))
    CONTAINER("container.wait-any", stead_host_container_wait_any(&nobody, &started, error), number(started));
    EVERY(CONTAINER("container.wait-any", stead_host_container_wait_any(&all, &started, error), number(started)))
    EVERY(CONTAINER("container.download", stead_host_container_download(MAX, &nothing, &snow, error), ok()))
    EVERY(CONTAINER("container.remove", stead_host_container_remove(MAX, error), ok()))
}

static void bodies(void) {
    uint8_t zero[] = EDGE;
    stead_host_http_content_t all[] = {
        {.tag = STEAD_HOST_HTTP_CONTENT_BYTES, .val.bytes = BYTES},
        {.tag = STEAD_HOST_HTTP_CONTENT_TEXT, .val.text = {zero, sizeof zero}},
        {.tag = STEAD_HOST_HTTP_CONTENT_ARTIFACT},
    };
    stead_host_http_response_t said;
    for (size_t n = 0; n < 3; n++) {
        stead_host_http_request_t request = {.method = STEAD_HOST_HTTP_METHOD_POST, .body = SOME(all[n])};
        REQUEST("http.send", stead_host_http_send(&request, &said, error), response_words(&said));
    }
}

static void requests(void) {
    stead_host_http_response_t said;
    for (stead_host_http_method_t method = 0; method <= STEAD_HOST_HTTP_METHOD_DELETE; method++) {
        stead_host_http_request_t request = {.method = method};
        REQUEST("http.send", stead_host_http_send(&request, &said, error), response_words(&said));
    }
    bodies();
    stead_host_http_tuple2_string_value_t headers[] = {
        {VALUE(""), {.tag = STEAD_HOST_HTTP_VALUE_TEXT}},
        {VALUE("Authorization"), {.tag = STEAD_HOST_HTTP_VALUE_SECRET, .val.secret = {VALUE("Bearer "), snow}}},
        {snow, {.tag = STEAD_HOST_HTTP_VALUE_SECRET}},
    };
    stead_host_http_content_t empty = {.tag = STEAD_HOST_HTTP_CONTENT_TEXT};
    stead_host_http_request_t full = {
        .method = STEAD_HOST_HTTP_METHOD_PATCH,
        .url = snow,
        .headers = {headers, 3},
        .body = SOME(empty),
        .timeout = SOME(MAX),
    };
    EVERY(REQUEST("http.send", stead_host_http_send(&full, &said, error), response_words(&said)))
    EVERY(REQUEST("http.download", stead_host_http_download(&full, &snow, &said, error), response_words(&said)))
}

static bool calls(stead_string_t *output) {
    stead_string_t word = json_text(json_get(config(), "word"), ""), quoted = json_quote(word), began, ended;
    uint32_t most = (uint32_t)json_number(json_get(config(), "most"), 0);
    told("config", format("%.*s %u", SHOWN(word), (unsigned)most));
    for (stead_host_log_level_t level = 0; level <= STEAD_HOST_LOG_LEVEL_ERROR; level++) {
        stead_host_log_log(level, TEXT("a\033[2J ☃\0"));
    }
    info("%s", "");
    info("\n");
    info("a\n☃\u2028\n\nb\n");
    stead_host_progress_report(0, &nothing);
    stead_host_progress_report(1000, &snow);
    stead_host_progress_report(0xffff, TEXT("a\033[2J"));
    stead_host_clock_now(&began);
    stead_host_clock_now(&ended);
    told("clock.now", format("%.*s %.*s", SHOWN(began), SHOWN(ended)));
    stead_host_clock_sleep(0);
    stead_host_clock_sleep(MAX);
    artifacts();
    machines();
    commands();
    containers();
    requests();
    *output = format("{\"word\":%.*s,\"most\":%u,\"none\":null}", SHOWN(quoted), (unsigned)most);
    return true;
}

static bool fails(stead_string_t what, failure_t *failure) {
    stead_host_vm_request_t request = {0};
    stead_host_http_request_t asked = {0};
    stead_host_http_response_t said;
    stead_host_http_failure_t unsent;
    stead_host_container_failure_t gone;
    stead_host_types_error_t error;
    stead_list_u8_t none = {0};
    stead_string_t printed;
    if (same(what, "vm")) return stead_host_vm_launch(TEXT("m"), &request, failure);
    if (same(what, "container")) return stead_host_container_remove(0, &gone) || container_failed(failure, &gone);
    if (same(what, "http")) return stead_host_http_send(&asked, &said, &unsent) || request_failed(failure, &unsent);
    if (same(what, "artifact")) return stead_host_artifact_put(&nothing, &none, &error) || refused(failure, &error);
    if (same(what, "script")) return run_script(&snow, text("false"), &printed, failure);
    stead_list_string_t command = LIST(stead_string_t, VALUE("false"));
    return run_command(TEXT("a"), &snow, command, &printed, failure);
}

static stead_host_retry_cause_t cause(stead_string_t name) {
    if (same(name, "temporary")) return STEAD_HOST_RETRY_CAUSE_TEMPORARY;
    if (same(name, "vm-lost")) return STEAD_HOST_RETRY_CAUSE_VM_LOST;
    if (same(name, "no-capacity")) return STEAD_HOST_RETRY_CAUSE_NO_CAPACITY;
    return STEAD_HOST_RETRY_CAUSE_PREEMPTED;
}

extern char **environ;

static void wasi(void) {
    DIR *root = opendir("/");
    size_t variables = 0;
    while (environ && environ[variables]) variables++;
    struct timespec one, two;
    clock_gettime(CLOCK_REALTIME, &one);
    clock_gettime(CLOCK_REALTIME, &two);
    bool still = one.tv_sec == two.tv_sec && one.tv_nsec == two.tv_nsec;
    uint64_t random = 0;
    getentropy(&random, sizeof random);
    info("files: %s, environment: %zu, network: none, time: %s, random: %llx", root ? "some" : "none", variables,
         still ? "still" : "moves", (unsigned long long)random);
}

static void crash_here(const json_t *values) {
    if (!json_count(values)) CRASH("nothing to take from");
}

static bool work(const json_t *input, stead_string_t *output, failure_t *failure) {
    stead_string_t mode = json_text(json_get(input, "mode"), ""), about = json_text(json_get(input, "about"), "");
    if (same(mode, "calls")) return calls(output);
    if (same(mode, "fails")) TRY(fails(about, failure));
    if (same(mode, "again")) return again(failure, cause(about), "%s", EDGE);
    if (same(mode, "because")) {
        stead_host_retry_because(cause(about));
        return give_up(failure, "no ☃ today");
    }
    if (same(mode, "crash")) crash_here(NULL);
    if (same(mode, "wasi")) wasi();
    return give_up(failure, "it did not fail");
}

JOB(work)
