/* What a call was answered, in words. */
#include <job.h>
#include <stdlib.h>
#include <string.h>

/* Each is false when the words tell of a failure that has no name. */
bool told(const char *call, stead_string_t words);
bool told_error(const char *call, const stead_host_types_error_t *error);
bool told_machine(const char *call, const stead_host_vm_failure_t *failure);
bool told_container(const char *call, const stead_host_container_failure_t *failure);
bool told_request(const char *call, const stead_host_http_failure_t *failure);

stead_string_t ok(void);
stead_string_t number(uint32_t number);
stead_string_t hex(stead_list_u8_t bytes);
stead_string_t machine_ended(const stead_host_vm_ended_t *ended);
stead_string_t container_ended(const stead_host_container_ended_t *ended);
stead_string_t response_words(const stead_host_http_response_t *response);
stead_string_t joined(stead_list_string_t texts);
stead_string_t repeated(int byte, size_t count);
