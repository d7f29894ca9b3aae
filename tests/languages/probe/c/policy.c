/* Calls everything with values at the edge, and tells what the host answered: the same in every language. */
#include <policy.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef stead_host_types_error_t error_t;
#define MAX 0xffffffff
#define TOLD(call, ask)                                                                                 \
    do {                                                                                                \
        error_t error[1];                                                                               \
        if (ask) info("%s: ok", call);                                                                  \
        else told(call, error);                                                                         \
    } while (0)

static void told(const char *call, const error_t *error) {
    stead_string_t said = words(error), line = format("%s: %.*s", call, SHOWN(said));
    stead_host_log_log(STEAD_HOST_LOG_LEVEL_INFO, &line);
}

static stead_string_t repeated(char c, size_t count) {
    uint8_t *bytes = malloc(count);
    if (!bytes) abort();
    memset(bytes, c, count);
    return (stead_string_t){bytes, count};
}

static void packages(void) {
    stead_host_package_options_t none = {0};
    stead_host_package_options_t options = {.version = SOME(VALUE("1.0")), .hold = SOME(true), .recommends = SOME(false)};
    stead_string_t longest = repeated('a', 300);
    stead_host_package_repository_t repository = {.name = VALUE("probe"), .uris = LIST(stead_string_t, VALUE("☃"))};
    TOLD("package.install", stead_host_package_install(TEXT(""), &none, error));
    TOLD("package.install", stead_host_package_install(TEXT("nginx"), &options, error));
    TOLD("package.install", stead_host_package_install(TEXT("näme☃"), &options, error));
    TOLD("package.remove", stead_host_package_remove(&longest, error));
    TOLD("package.add-repository", stead_host_package_add_repository(&repository, error));
}

static void files(void) {
    stead_host_file_attributes_t none = {0};
    stead_host_file_attributes_t attributes = {.mode = SOME(MAX), .owner = SOME(VALUE("")), .group = SOME(VALUE("x"))};
    stead_list_string_t check = {0};
    uint8_t bytes[] = {0, 128, 255};
    stead_host_file_part_t snow = {.tag = STEAD_HOST_FILE_PART_TEXT, .val.text = VALUE("☃")};
    stead_host_file_part_t secret = {.tag = STEAD_HOST_FILE_PART_SECRET, .val.secret = VALUE("none")};
    stead_host_file_part_t parts[] = {
        {.tag = STEAD_HOST_FILE_PART_TEXT, .val.text = VALUE("")},
        {.tag = STEAD_HOST_FILE_PART_BYTES, .val.bytes = {bytes, sizeof bytes}},
        snow,
    };
    stead_host_file_list_part_t one = {&snow, 1}, three = {parts, 3}, hidden = {&secret, 1};
    TOLD("file.write", stead_host_file_write(TEXT("/etc/ü"), &one, &attributes, &check, error));
    TOLD("file.write", stead_host_file_write(TEXT("/etc/probe"), &three, &none, &check, error));
    TOLD("file.write", stead_host_file_write(TEXT("/etc/secret"), &hidden, &none, &check, error));
    TOLD("file.directory", stead_host_file_directory(TEXT("relative"), &none, error));
    TOLD("file.symlink", stead_host_file_symlink(TEXT("/etc/link"), TEXT(""), error));
    TOLD("file.absent", stead_host_file_absent(TEXT("/etc/../x"), error));
}

static void users(void) {
    stead_host_user_account_t account = {
        .name = VALUE("probe"),
        .uid = SOME(MAX),
        .authorized_keys = SOME((stead_list_string_t){0}),
        .sudo = SOME(STEAD_HOST_USER_SUDO_ALL),
    };
    uint32_t gid = 4000;
    TOLD("user.present", stead_host_user_present(&account, error));
    TOLD("user.group", stead_host_user_group(TEXT("probe"), &gid, error));
    TOLD("user.group", stead_host_user_group(TEXT(""), NULL, error));
    TOLD("user.absent", stead_host_user_absent(TEXT("root"), error));
}

static void services(void) {
    stead_host_service_state_t none = {0};
    stead_host_service_state_t state = {
        .enabled = SOME(true),
        .running = SOME(false),
        .depends_on = LIST(stead_string_t, VALUE("file:/etc/probe")),
        .on_change = STEAD_HOST_SERVICE_ON_CHANGE_RELOAD,
    };
    TOLD("service.unit", stead_host_service_unit(TEXT("probe.service"), &state, error));
    TOLD("service.unit", stead_host_service_unit(TEXT("☃"), &none, error));
    TOLD("service.unit-file", stead_host_service_unit_file(TEXT("probe.service"), TEXT(""), error));
    TOLD("service.drop-in",
         stead_host_service_drop_in(TEXT("probe.service"), TEXT("probe"), TEXT("[Service]\nNice=5\n"), error));
}

static void parameters(void) {
    stead_string_t nines = repeated('9', 100000);
    TOLD("sysctl.set", stead_host_sysctl_set(TEXT("vm.swappiness"), TEXT("10"), error));
    TOLD("sysctl.set", stead_host_sysctl_set(TEXT("kernel.probe"), &nines, error));
    TOLD("sysctl.set", stead_host_sysctl_set(TEXT("net.ipv4.ip_forward"), TEXT("1"), error));
}

static void packets(void) {
    stead_host_firewall_port_range_t ports = {1, 65535};
    stead_tuple2_string_string_t hours = {VALUE("08:00"), VALUE("18:00")};
    stead_host_firewall_time_t time = {
        .days = STEAD_HOST_FIREWALL_DAYS_MONDAY | STEAD_HOST_FIREWALL_DAYS_SUNDAY, .hours = SOME(hours)};
    stead_host_firewall_limit_t limit = {10, STEAD_HOST_FIREWALL_PER_MINUTE, SOME(7), true};
    stead_host_firewall_rule_t rule = {
        .chain = STEAD_HOST_FIREWALL_CHAIN_INPUT,
        .input_interface = SOME(VALUE("wg*")),
        .source = LIST(stead_string_t, VALUE("10.0.0.0/8"), VALUE("fd00::/8")),
        .protocol = SOME(STEAD_HOST_FIREWALL_PROTOCOL_TCP),
        .ports = {&ports, 1},
        .ct_state = STEAD_HOST_FIREWALL_CT_STATE_NEW | STEAD_HOST_FIREWALL_CT_STATE_UNTRACKED,
        .mark = SOME(MAX),
        .time = SOME(time),
        .limit = SOME(limit),
        .counter = true,
        .log = SOME(VALUE("probe ")),
        .verdict = {.tag = STEAD_HOST_FIREWALL_VERDICT_DROP},
        .comment = SOME(VALUE("☃")),
    };
    stead_host_firewall_rule_t redirect = {
        .chain = STEAD_HOST_FIREWALL_CHAIN_PREROUTING, .verdict = {.tag = STEAD_HOST_FIREWALL_VERDICT_REDIRECT}};
    stead_host_firewall_set_t set = {
        .name = VALUE("probe"),
        .elements = LIST(stead_string_t, VALUE("192.0.2.1")),
        .dynamic = true,
        .timeout = SOME(60),
    };
    stead_tuple2_string_string_t element = {VALUE("22"), VALUE("accept")};
    stead_host_firewall_map_t map = {
        .name = VALUE("ports"),
        .key_type = STEAD_HOST_FIREWALL_ELEMENT_TYPE_INET_SERVICE,
        .value_type = STEAD_HOST_FIREWALL_VALUE_TYPE_VERDICT,
        .elements = {&element, 1},
    };
    stead_list_string_t nobody = {0}, everybody = LIST(stead_string_t, VALUE("::/0"));
    const stead_string_t *raw = TEXT("tcp dport 22 ct count over 10 reject");
    TOLD("firewall.default-verdict",
         stead_host_firewall_default_verdict(STEAD_HOST_FIREWALL_CHAIN_OUTPUT, STEAD_HOST_FIREWALL_FALLBACK_ACCEPT, error));
    TOLD("firewall.add-rule", stead_host_firewall_add_rule(&rule, error));
    TOLD("firewall.add-rule", stead_host_firewall_add_rule(&redirect, error));
    TOLD("firewall.add-set", stead_host_firewall_add_set(&set, error));
    TOLD("firewall.add-map", stead_host_firewall_add_map(&map, error));
    TOLD("firewall.raw", stead_host_firewall_raw(STEAD_HOST_FIREWALL_CHAIN_FORWARD, (stead_string_t *)raw, error));
    TOLD("firewall.open",
         stead_host_firewall_open(STEAD_HOST_FIREWALL_PROTOCOL_UDP, 65535, &everybody, TEXT("wg0"), error));
    TOLD("firewall.open", stead_host_firewall_open(STEAD_HOST_FIREWALL_PROTOCOL_TCP, 0, &nobody, NULL, error));
}

static void tunnels(void) {
    stead_host_vpn_interface_t interface = {
        .name = VALUE("wg0"),
        .addresses = LIST(stead_string_t, VALUE("10.8.0.1/24"), VALUE("fd08::1/64")),
        .listen_port = SOME(65535),
        .mtu = SOME(1280),
        .fwmark = SOME(MAX),
        .routes = SOME(true),
        .table = SOME(MAX),
    };
    stead_host_vpn_peer_t peer = {
        .public_key = VALUE("DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8="),
        .name = SOME(VALUE("☃")),
        .endpoint = SOME(VALUE("[2001:db8::1]:51820")),
        .allowed_ips = LIST(stead_string_t, VALUE("10.8.0.2")),
        .persistent_keepalive = SOME(65535),
    };
    TOLD("vpn.add-interface", stead_host_vpn_add_interface(&interface, error));
    TOLD("vpn.add-peer", stead_host_vpn_add_peer(TEXT("wg0"), &peer, error));
    TOLD("vpn.add-mesh", stead_host_vpn_add_mesh(TEXT("none"), &interface, error));
}

static stead_string_t joined(stead_list_string_t texts) {
    stead_string_t all = VALUE("");
    for (size_t n = 0; n < texts.len; n++) all = format("%.*s%s%.*s", SHOWN(all), n ? "," : "", SHOWN(texts.ptr[n]));
    return all;
}

static void backups(void) {
    stead_list_string_t names;
    error_t error;
    if (!stead_host_backup_schedule(&names, &error)) {
        told("backup.schedule", &error);
        return;
    }
    stead_string_t all = joined(names);
    info("backup.schedule: %.*s", SHOWN(all));
}

static void facts(void) {
    stead_string_t name, architecture;
    stead_host_facts_os_release_t os;
    stead_host_facts_list_network_interface_t all;
    stead_host_facts_os(&os);
    stead_host_facts_host_name(&name);
    stead_host_facts_architecture(&architecture);
    info("%.*s %.*s %.*s %.*s", SHOWN(name), SHOWN(architecture), SHOWN(os.id), SHOWN(os.version_id));
    stead_host_facts_interfaces(&all);
    for (size_t n = 0; n < all.len; n++) {
        stead_string_t addresses = joined(all.ptr[n].addresses);
        const char *route = all.ptr[n].default_route ? "true" : "false";
        info("%.*s %.*s %s", SHOWN(all.ptr[n].name), SHOWN(addresses), route);
    }
}

static void calls(void) {
    facts();
    for (stead_host_log_level_t level = 0; level <= STEAD_HOST_LOG_LEVEL_ERROR; level++) {
        stead_host_log_log(level, TEXT("a\033[2J ☃"));
    }
    packages();
    files();
    users();
    services();
    parameters();
    packets();
    tunnels();
    stead_tuple2_string_string_t environment = {VALUE("A"), VALUE("☃")}, secrets = {VALUE("B"), VALUE("c")};
    stead_host_compose_options_t options = {
        .environment = {&environment, 1}, .secrets = {&secrets, 1}, .health_timeout = SOME(0)};
    TOLD("compose.up", stead_host_compose_up(TEXT("none"), &options, error));
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

bool exports_stead_host_configure_configure(error_t *error) {
    stead_string_t mode = json_text(json_get(config(), "mode"), "");
    if (same(mode, "calls")) calls();
    else if (same(mode, "backup")) backups();
    else if (same(mode, "denied"))
        return stead_host_package_install(TEXT("not-granted"), &(stead_host_package_options_t){0}, error);
    else if (same(mode, "invalid")) return stead_host_sysctl_set(TEXT(""), TEXT("1"), error);
    else if (same(mode, "other")) return fail(error, "no ☃ today");
    else if (same(mode, "crash")) crash_here(NULL);
    else if (same(mode, "wasi")) wasi();
    else return fail(error, "no mode %.*s", SHOWN(mode));
    return true;
}
