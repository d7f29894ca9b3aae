/* JSON (RFC 8259), as the host writes it: a small reader into a tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

enum kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json {
    enum kind kind;
    double number; /* of a bool: 0 or 1 */
    stead_string_t text;
    stead_string_t name; /* in an object */
    json_t *first, *next;
    size_t count;
};

typedef struct {
    const uint8_t *at, *end;
    const char *error;
    int depth;
} reader_t;

static json_t *value(reader_t *reader);

static void *memory(size_t size) {
    void *made = calloc(1, size);
    if (!made) abort();
    return made;
}

static json_t *wrong(reader_t *reader, const char *error) {
    if (!reader->error) reader->error = error;
    return NULL;
}

static void blank(reader_t *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at) reader->at++;
}

static bool take(reader_t *reader, char c) {
    blank(reader);
    if (reader->at == reader->end || *reader->at != (uint8_t)c) return false;
    reader->at++;
    return true;
}

static bool hex(reader_t *reader, uint32_t *code) {
    *code = 0;
    for (int digit = 0; digit < 4; digit++, reader->at++) {
        if (reader->at == reader->end) return false;
        uint8_t c = *reader->at;
        uint32_t worth = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : 16;
        if (worth == 16) return false;
        *code = *code << 4 | worth;
    }
    return true;
}

static uint8_t *utf8(uint8_t *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (uint8_t)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (uint8_t)(lead[more] | code >> (6 * more));
    while (more--) *to++ = (uint8_t)(0x80 | (code >> (6 * more) & 0x3f));
    return to;
}

static bool escaped(reader_t *reader, uint8_t **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) return false;
    uint8_t c = *reader->at++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *(*to)++ = (uint8_t)into[known - from];
        return true;
    }
    uint32_t code, low;
    if (c != 'u' || !hex(reader, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u') return false;
        reader->at += 2;
        if (!hex(reader, &low) || low < 0xdc00 || low > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = utf8(*to, code);
    return true;
}

static bool string(reader_t *reader, stead_string_t *text) {
    if (!take(reader, '"')) return false;
    uint8_t *start = memory((size_t)(reader->end - reader->at) + 1), *to = start;
    while (reader->at < reader->end && *reader->at != '"') {
        uint8_t c = *reader->at++;
        if (c != '\\') *to++ = c;
        else if (!escaped(reader, &to)) return false;
    }
    *text = (stead_string_t){start, (size_t)(to - start)};
    return take(reader, '"');
}

static json_t *members(reader_t *reader, enum kind kind, char close) {
    json_t *made = memory(sizeof *made), **last = &made->first;
    made->kind = kind;
    if (++reader->depth > 100) return wrong(reader, "it is too deep");
    if (take(reader, close)) return reader->depth--, made;
    do {
        stead_string_t name = {0};
        if (kind == JSON_OBJECT && !(string(reader, &name) && take(reader, ':'))) return wrong(reader, "no name");
        json_t *member = value(reader);
        if (!member) return NULL;
        member->name = name;
        *last = member;
        last = &member->next;
        made->count++;
    } while (take(reader, ','));
    reader->depth--;
    return take(reader, close) ? made : wrong(reader, "a list or an object has no end");
}

static bool word(reader_t *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length)) return false;
    reader->at += length;
    return true;
}

static json_t *plain(reader_t *reader) {
    json_t *made = memory(sizeof *made);
    if (word(reader, "null")) return made;
    bool yes = word(reader, "true");
    if (yes || word(reader, "false")) {
        made->kind = JSON_BOOL;
        made->number = yes;
        return made;
    }
    char digits[64] = {0};
    size_t length = 0;
    while (reader->at < reader->end && length < sizeof digits - 1 && *reader->at && strchr("+-.eE0123456789", *reader->at)) {
        digits[length++] = (char)*reader->at++;
    }
    char *end;
    made->kind = JSON_NUMBER;
    made->number = strtod(digits, &end);
    return length && !*end ? made : wrong(reader, "it is no JSON");
}

static json_t *value(reader_t *reader) {
    blank(reader);
    if (take(reader, '{')) return members(reader, JSON_OBJECT, '}');
    if (take(reader, '[')) return members(reader, JSON_LIST, ']');
    if (reader->at < reader->end && *reader->at == '"') {
        json_t *made = memory(sizeof *made);
        made->kind = JSON_TEXT;
        return string(reader, &made->text) ? made : wrong(reader, "a text has no end");
    }
    return plain(reader);
}

json_t *json_parse(stead_string_t document, const char **error) {
    reader_t reader = {document.ptr, document.ptr + document.len, NULL, 0};
    json_t *made = value(&reader);
    blank(&reader);
    if (made && reader.at != reader.end) made = wrong(&reader, "something follows it");
    if (!made && error) *error = reader.error;
    return made;
}

json_t *json_get(const json_t *object, const char *name) {
    for (json_t *member = object ? object->first : NULL; member; member = member->next) {
        if (same(member->name, name)) return member->kind == JSON_NULL ? NULL : member;
    }
    return NULL;
}

json_t *json_at(const json_t *list, size_t index) {
    json_t *member = list ? list->first : NULL;
    while (member && index--) member = member->next;
    return member;
}

size_t json_count(const json_t *list) { return list ? list->count : 0; }

stead_string_t json_name(const json_t *object, size_t index) {
    const json_t *member = json_at(object, index);
    return member ? member->name : (stead_string_t){0};
}

static void expect(const json_t *value, enum kind kind, const char *what) {
    if (value->kind != kind) CRASH("%.*s: it is not %s", (int)value->name.len, (const char *)value->name.ptr, what);
}

stead_string_t json_text(const json_t *value, const char *otherwise) {
    if (!value) return text(otherwise);
    expect(value, JSON_TEXT, "a text");
    return value->text;
}

double json_number(const json_t *value, double otherwise) {
    if (!value) return otherwise;
    expect(value, JSON_NUMBER, "a number");
    return value->number;
}

bool json_bool(const json_t *value, bool otherwise) {
    if (!value) return otherwise;
    expect(value, JSON_BOOL, "true or false");
    return value->number != 0;
}

stead_list_string_t json_texts(const json_t *list) {
    stead_list_string_t texts = {NULL, json_count(list)};
    if (!list) return texts;
    expect(list, JSON_LIST, "a list");
    texts.ptr = memory(sizeof *texts.ptr * (texts.len + 1));
    for (size_t index = 0; index < texts.len; index++) texts.ptr[index] = json_text(json_at(list, index), "");
    return texts;
}

stead_option_string_t json_maybe(const json_t *value) {
    if (!value) return (stead_option_string_t){0};
    return (stead_option_string_t){true, json_text(value, "")};
}

const char *json_unknown(const json_t *object, const char *const names[]) {
    for (const json_t *member = object ? object->first : NULL; member; member = member->next) {
        const char *const *name = names;
        while (*name && !same(member->name, *name)) name++;
        if (!*name) return c_string(member->name);
    }
    return NULL;
}

stead_string_t json_quote(stead_string_t text) {
    char *start = memory(text.len * 6 + 3), *to = start;
    *to++ = '"';
    for (size_t index = 0; index < text.len; index++) {
        uint8_t c = text.ptr[index];
        if (c == '"' || c == '\\') *to++ = '\\';
        if (c < 0x20) to += sprintf(to, "\\u%04x", c);
        else *to++ = (char)c;
    }
    *to++ = '"';
    return (stead_string_t){(uint8_t *)start, (size_t)(to - start)};
}
