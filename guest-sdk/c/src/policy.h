/* What makes the generated bindings, stead.h, pleasant in C: texts, lists, errors, and the JSON of configs and inputs.
 *
 * Memory is never given back: a policy runs once, in an instance of its own, and is gone. */
#ifndef STEAD_POLICY_H
#define STEAD_POLICY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stead.h"

/* A literal as a text of the contract: stead_host_sysctl_set(TEXT("vm.swappiness"), TEXT("10"), error) */
#define TEXT(literal) (&(stead_string_t){(uint8_t *)(literal), sizeof(literal) - 1})
/* The same by value, for fields of records. */
#define VALUE(literal) ((stead_string_t){(uint8_t *)(literal), sizeof(literal) - 1})
/* Optional values that are there; a field that is left out, or {0}, is absent. */
#define SOME(value_) {.is_some = true, .val = value_}
/* The items of a list: (stead_list_string_t)LIST(stead_string_t, VALUE("a"), VALUE("b")) */
#define LIST(type, ...) {(type[]){__VA_ARGS__}, sizeof((type[]){__VA_ARGS__}) / sizeof(type)}
/* Ends the function with the error that the call has set. */
#define TRY(call) do { if (!(call)) return false; } while (0)

/* A text of a C string that lives on, and one by a format of printf(3). */
stead_string_t text(const char *string);
stead_string_t format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
stead_string_t format_list(const char *pattern, va_list values);
/* The two arguments of printf(3) for "%.*s". */
#define SHOWN(text) (int)(text).len, (const char *)(text).ptr
/* A C string with the bytes of a text. */
char *c_string(stead_string_t text);
bool same(stead_string_t text, const char *string);

/* Tells the operator something, a line of the log for each of its lines. */
void info(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* Sets an error in words and is false: return fail(error, "no port %d", port); */
bool fail(stead_host_types_error_t *error, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* What an error says. */
stead_string_t words(const stead_host_types_error_t *error);
/* Ends the policy as crashed, with the words and the place. */
#define CRASH(...) crash(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void crash(const char *file, int line, const char *pattern, ...) __attribute__((format(printf, 3, 4)));

/* A value of JSON. Absent values are null pointers, which every function below takes. */
typedef struct json json_t;
/* The document, or null with what is wrong with it in `error`. */
json_t *json_parse(stead_string_t document, const char **error);
/* `[policy.NAME.config]` of stead.toml. */
json_t *config(void);
/* A member of an object, an item of an array, and how many there are. */
json_t *json_get(const json_t *object, const char *name);
json_t *json_at(const json_t *list, size_t index);
size_t json_count(const json_t *list);
/* The name of the n-th member of an object. */
stead_string_t json_name(const json_t *object, size_t index);
/* The value, or another one when it is absent. A value of another type ends the policy in words. */
stead_string_t json_text(const json_t *value, const char *otherwise);
double json_number(const json_t *value, double otherwise);
bool json_bool(const json_t *value, bool otherwise);
stead_list_string_t json_texts(const json_t *list);
stead_option_string_t json_maybe(const json_t *value);
/* The first member of an object that is not among these names, a null at their end; null when there is none. */
const char *json_unknown(const json_t *object, const char *const names[]);
/* A text as JSON, with its quotes. */
stead_string_t json_quote(stead_string_t text);

#endif
