/* A hardened server with firewall, VPN, Docker and its compose apps: what modules/baseline is in Rust. */
#include <policy.h>
#include <stdlib.h>

typedef stead_host_types_error_t error_t;

#define PERIODIC                                                                         \
    "// How often apt does what by itself, in days; see /usr/lib/apt/apt.systemd.daily.\n" \
    "APT::Periodic::Update-Package-Lists \"1\";\n"                                         \
    "APT::Periodic::Unattended-Upgrade \"1\";\n"                                           \
    "APT::Periodic::AutocleanInterval \"7\";\n"
/* Read first, so that it wins: sshd takes the first value of a keyword. */
#define DROP_IN "/etc/ssh/sshd_config.d/10-stead.conf"
#define SSHD                              \
    "# Written by stead: keys only.\n"      \
    "Port %d\n"                             \
    "PasswordAuthentication no\n"           \
    "KbdInteractiveAuthentication no\n"     \
    "PermitRootLogin prohibit-password\n"   \
    "X11Forwarding no\n"                    \
    "MaxAuthTries 4\n"                      \
    "LoginGraceTime 30\n"

static const stead_list_string_t NOBODY = {0};

static bool install(const char *name, error_t *error) {
    stead_string_t package = text(name);
    return stead_host_package_install(&package, &(stead_host_package_options_t){0}, error);
}

static bool write_text(const char *path, stead_string_t content, stead_list_string_t validate, error_t *error) {
    stead_string_t where = text(path);
    stead_host_file_part_t part = {.tag = STEAD_HOST_FILE_PART_TEXT, .val.text = content};
    stead_host_file_list_part_t parts = {&part, 1};
    return stead_host_file_write(&where, &parts, &(stead_host_file_attributes_t){0}, &validate, error);
}

static bool open_port(stead_host_firewall_protocol_t protocol, double port, stead_list_string_t from,
                      stead_string_t *by, error_t *error) {
    return stead_host_firewall_open(protocol, (uint16_t)port, &from, by, error);
}

static bool updates(error_t *error) {
    TRY(install("unattended-upgrades", error));
    /* After the 20auto-upgrades that the package may bring. */
    return write_text("/etc/apt/apt.conf.d/52stead-periodic", VALUE(PERIODIC), NOBODY, error);
}

static bool admin(const json_t *who, error_t *error) {
    stead_host_user_account_t account = {
        .name = json_text(json_get(who, "name"), ""),
        .shell = SOME(VALUE("/bin/bash")),
        .authorized_keys = SOME(json_texts(json_get(who, "keys"))),
        .sudo = SOME(STEAD_HOST_USER_SUDO_ALL_NOPASSWD),
    };
    return stead_host_user_present(&account, error);
}

static bool access_(const json_t *settings, error_t *error) {
    TRY(install("sudo", error));
    const json_t *admins = json_get(settings, "admins");
    for (size_t n = 0; n < json_count(admins); n++) TRY(admin(json_at(admins, n), error));
    stead_string_t sshd = format(SSHD, (int)json_number(json_get(settings, "ssh-port"), 22));
    stead_list_string_t validate =
        LIST(stead_string_t, VALUE("/usr/sbin/sshd"), VALUE("-t"), VALUE("-f"), VALUE("{}"));
    TRY(write_text(DROP_IN, sshd, validate, error));
    stead_host_service_state_t state = {
        .depends_on = LIST(stead_string_t, VALUE("file:" DROP_IN)),
        .on_change = STEAD_HOST_SERVICE_ON_CHANGE_RELOAD,
    };
    return stead_host_service_unit(TEXT("ssh.service"), &state, error);
}

/* Kernel parameters of a server that faces the internet; see ip-sysctl in the kernel's documentation. */
static const char *const PARAMETERS[][2] = {
    {"net.ipv4.conf.all.rp_filter", "2"},
    {"net.ipv4.conf.all.accept_redirects", "0"},
    {"net.ipv6.conf.all.accept_redirects", "0"},
    {"net.ipv4.tcp_syncookies", "1"},
    {"kernel.kptr_restrict", "1"},
};

static bool parameters(const json_t *more, error_t *error) {
    for (size_t n = 0; n < sizeof PARAMETERS / sizeof *PARAMETERS; n++) {
        if (json_get(more, PARAMETERS[n][0])) continue;
        stead_string_t key = text(PARAMETERS[n][0]), value = text(PARAMETERS[n][1]);
        TRY(stead_host_sysctl_set(&key, &value, error));
    }
    /* The host writes objects with their keys in order. */
    for (size_t n = 0; n < json_count(more); n++) {
        stead_string_t key = json_name(more, n), value = json_text(json_at(more, n), "");
        TRY(stead_host_sysctl_set(&key, &value, error));
    }
    return true;
}

static bool peer(const json_t *who, error_t *error) {
    stead_host_vpn_peer_t declared = {
        .public_key = json_text(json_get(who, "public-key"), ""),
        .name = json_maybe(json_get(who, "name")),
        .preshared_key = json_maybe(json_get(who, "preshared-key")),
        .endpoint = json_maybe(json_get(who, "endpoint")),
        .allowed_ips = json_texts(json_get(who, "allowed-ips")),
    };
    return stead_host_vpn_add_peer(TEXT("wg0"), &declared, error);
}

static bool interface(const json_t *tunnel, stead_host_vpn_interface_t *made, error_t *error) {
    const json_t *addresses = json_get(tunnel, "addresses"), *port = json_get(tunnel, "listen-port");
    if (json_bool(json_get(tunnel, "mesh"), false)) {
        if (json_count(addresses) || port) {
            return fail(error, "vpn.mesh: [vpn.wg0] of stead.toml says addresses and port; remove them here");
        }
        return stead_host_vpn_add_mesh(TEXT("wg0"), made, error);
    }
    if (!json_count(addresses)) {
        return fail(error, "vpn: give `addresses`, or `mesh = true` for [vpn.wg0] of stead.toml");
    }
    *made = (stead_host_vpn_interface_t){
        .name = VALUE("wg0"),
        .addresses = json_texts(addresses),
        .listen_port = SOME((uint16_t)json_number(port, 51820)),
    };
    return stead_host_vpn_add_interface(made, error);
}

static bool wireguard(const json_t *tunnel, error_t *error) {
    /* The host needs no tool of WireGuard; the operator who looks at it does. */
    TRY(install("wireguard-tools", error));
    stead_host_vpn_interface_t made;
    TRY(interface(tunnel, &made, error));
    if (made.listen_port.is_some) {
        TRY(open_port(STEAD_HOST_FIREWALL_PROTOCOL_UDP, made.listen_port.val, NOBODY, NULL, error));
    }
    const json_t *ports = json_get(tunnel, "ports"), *peers = json_get(tunnel, "peers");
    for (size_t n = 0; n < json_count(ports); n++) {
        double port = json_number(json_at(ports, n), 0);
        TRY(open_port(STEAD_HOST_FIREWALL_PROTOCOL_TCP, port, NOBODY, TEXT("wg0"), error));
    }
    for (size_t n = 0; n < json_count(peers); n++) TRY(peer(json_at(peers, n), error));
    return true;
}

static bool network(const json_t *settings, error_t *error) {
    TRY(parameters(json_get(settings, "sysctl"), error));
    TRY(install("nftables", error));
    stead_host_firewall_chain_t input = STEAD_HOST_FIREWALL_CHAIN_INPUT;
    TRY(stead_host_firewall_default_verdict(input, STEAD_HOST_FIREWALL_FALLBACK_DROP, error));
    stead_option_string_t by = json_maybe(json_get(settings, "ssh-by"));
    stead_list_string_t from = json_texts(json_get(settings, "ssh-from"));
    double ssh = json_number(json_get(settings, "ssh-port"), 22);
    TRY(open_port(STEAD_HOST_FIREWALL_PROTOCOL_TCP, ssh, from, by.is_some ? &by.val : NULL, error));
    const json_t *ports = json_get(settings, "public-ports"), *tunnel = json_get(settings, "vpn");
    for (size_t n = 0; n < json_count(ports); n++) {
        double port = json_number(json_at(ports, n), 0);
        TRY(open_port(STEAD_HOST_FIREWALL_PROTOCOL_TCP, port, NOBODY, NULL, error));
    }
    return tunnel ? wireguard(tunnel, error) : true;
}

/* Docker Engine, its client and its Compose plugin, as the distribution calls them. */
static bool docker(error_t *error) {
    stead_host_facts_os_release_t os;
    stead_host_facts_os(&os);
    TRY(install("docker.io", error));
    if (same(os.id, "ubuntu")) return install("docker-compose-v2", error);
    /* Until Debian 12 the client came with docker.io, and docker-compose was the first, Python one. */
    TRY(install("docker-cli", error));
    return install("docker-compose", error);
}

static bool apps(const json_t *names, error_t *error) {
    if (!json_count(names)) return true;
    TRY(docker(error));
    stead_host_service_state_t state = {.enabled = SOME(true), .running = SOME(true)};
    TRY(stead_host_service_unit(TEXT("docker.service"), &state, error));
    for (size_t n = 0; n < json_count(names); n++) {
        stead_string_t name = json_text(json_at(names, n), "");
        TRY(stead_host_compose_up(&name, &(stead_host_compose_options_t){0}, error));
    }
    return true;
}

bool exports_stead_host_configure_configure(error_t *error) {
    static const char *const KEYS[] = {"admins", "ssh-port", "ssh-from", "ssh-by", "public-ports", "vpn", "apps", "sysctl", NULL};
    const json_t *settings = config();
    const char *unknown = json_unknown(settings, KEYS);
    if (unknown) return fail(error, "config.%s: unknown key", unknown);
    TRY(updates(error));
    TRY(access_(settings, error));
    TRY(network(settings, error));
    return apps(json_get(settings, "apps"), error);
}
