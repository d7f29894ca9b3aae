/* The packages of `[policy.NAME.config]` are installed. */
#include <policy.h>

bool exports_stead_host_configure_configure(stead_host_types_error_t *error) {
    static const char *const KEYS[] = {"packages", NULL};
    const json_t *settings = config(), *packages = json_get(settings, "packages");
    const char *unknown = json_unknown(settings, KEYS);
    if (unknown) return fail(error, "config.%s: unknown key", unknown);
    for (size_t n = 0; n < json_count(packages); n++) {
        stead_string_t name = json_text(json_at(packages, n), "");
        TRY(stead_host_package_install(&name, &(stead_host_package_options_t){0}, error));
    }
    info("%zu packages", json_count(packages));
    return true;
}
