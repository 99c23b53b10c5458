/* config_schema.c - the JSON Schema of plumb.yaml, written from the table of its keys.
 *
 * Source: JSON Schema draft 2020-12
 */
#include "base/buf.h"
#include "model/config.h"
#include "model/config_field.h"
#include "wire/json.h"

static void string_type(struct jsonw *w, const struct field *field)
{
    static const char *const patterns[] = {
        [CHECK_NONE] = NULL,
        [CHECK_FILLED] = "\\S",
        [CHECK_TEMPLATE] = "^([^{]|\\{(path|dir|parent|workspace)\\})*$",
        [CHECK_SCHEDULE] =
            "^(hourly|daily|weekly|[0-9]+ *(ms|s|m|h|d|w)?|[0-9*,/-]+( +[0-9*,/-]+){4})$",
        [CHECK_DATE] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
        [CHECK_PATH] = "\\S",
        [CHECK_REFERENCE] = "^(env|file):.",
        [CHECK_STORE] = "^(sqlite:|postgres(ql)?://).",
        [CHECK_LOCATION] = "\\S",
        [CHECK_LEVEL] = "^(block|warn|off)$",
        [CHECK_DECISION] = "^(ignore|notify|review|revert|block)$",
        [CHECK_SEVERITY] = "^(info|low|medium|high|critical)$",
        [CHECK_ANSWER] = "^(revert|adopt|accept)$",
        [CHECK_SELF] = "^(author|requester)$",
        [CHECK_TRUST] = "^(os-user|token|oidc|ci:[a-z]+)$",
        [CHECK_GROUP] = "^(none|stack|owner|environment)$",
        [CHECK_SPAN] = "^([a-z,-]+|[a-z,-]+ +[0-9:]+ *- *[0-9:]+|[0-9:]+ *- *[0-9:]+)$",
        [CHECK_DIGEST] = "^(daily|weekly)",
        [CHECK_WHEN] = "\\S",
    };
    jsonw_member_string(w, STR("type"), STR("string"));
    if (patterns[field->check])
        jsonw_member_string(w, STR("pattern"), str_from(patterns[field->check]));
}

static void scalar_type(struct jsonw *w)
{
    static const struct str types[] = {STR_INIT("string"), STR_INIT("number"), STR_INIT("boolean")};
    jsonw_key(w, STR("type"));
    jsonw_array_open(w);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        jsonw_string(w, types[i]);
    jsonw_array_close(w);
}

static void strings_type(struct jsonw *w, const struct field *field)
{
    jsonw_key(w, STR("oneOf"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    string_type(w, field);
    jsonw_object_close(w);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("array"));
    jsonw_key(w, STR("items"));
    jsonw_object_open(w);
    string_type(w, field);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

static void number_type(struct jsonw *w, const struct field *field)
{
    if (field->kind == FIELD_INT) {
        jsonw_member_string(w, STR("type"), STR("integer"));
        jsonw_member_int(w, STR("minimum"), field->least);
        jsonw_member_int(w, STR("maximum"), field->most);
        return;
    }
    jsonw_key(w, STR("type"));
    jsonw_array_open(w);
    jsonw_string(w, STR("integer"));
    jsonw_string(w, STR("string"));
    jsonw_array_close(w);
    jsonw_member_int(w, STR("minimum"), 1);
    jsonw_member_string(w, STR("pattern"),
                        field->kind == FIELD_SIZE ? STR("^[0-9]+ *([KMGT](i?B)?|B)?$")
                                                  : STR("^[0-9]+ *(ms|s|m|h|d|w)?$"));
}

static void section_type(struct jsonw *w, const struct section *section, unsigned depth_left);

static void list_type(struct jsonw *w, const struct field *field, unsigned depth_left)
{
    jsonw_member_string(w, STR("type"), STR("array"));
    jsonw_key(w, STR("items"));
    jsonw_object_open(w);
    if (field->section->short_form) {
        jsonw_key(w, STR("oneOf"));
        jsonw_array_open(w);
        jsonw_object_open(w);
        string_type(w, &field->section->fields[0]);
        jsonw_object_close(w);
        jsonw_object_open(w);
        section_type(w, field->section, depth_left);
        jsonw_object_close(w);
        jsonw_array_close(w);
    } else {
        section_type(w, field->section, depth_left);
    }
    jsonw_object_close(w);
}

static void providers_type(struct jsonw *w)
{
    jsonw_member_string(w, STR("type"), STR("object"));
    jsonw_key(w, STR("propertyNames"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("pattern"), STR("^([A-Za-z0-9._:-]+/){0,2}[A-Za-z0-9._-]+$"));
    jsonw_object_close(w);
    jsonw_key(w, STR("additionalProperties"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("object"));
    jsonw_object_close(w);
}

static void field_type(struct jsonw *w, const struct field *field, unsigned depth_left)
{
    jsonw_member_string(w, STR("description"), str_from(field->text));
    switch (field->kind) {
    case FIELD_VERSION:
        jsonw_key(w, STR("const"));
        jsonw_int(w, 1);
        break;
    case FIELD_STRING:
        string_type(w, field);
        break;
    case FIELD_SCALAR:
        scalar_type(w);
        break;
    case FIELD_STRINGS:
        strings_type(w, field);
        break;
    case FIELD_INT:
    case FIELD_SIZE:
    case FIELD_DURATION:
        number_type(w, field);
        break;
    case FIELD_NOT:
    case FIELD_BOOL:
        jsonw_member_string(w, STR("type"), STR("boolean"));
        break;
    case FIELD_SECTION:
        section_type(w, field->section, depth_left);
        break;
    case FIELD_LIST:
        list_type(w, field, depth_left);
        break;
    case FIELD_PROVIDERS:
        providers_type(w);
        break;
    }
}

static void section_type(struct jsonw *w, const struct section *section, unsigned depth_left)
{
    jsonw_member_string(w, STR("type"), STR("object"));
    jsonw_member_bool(w, STR("additionalProperties"), false);
    if (depth_left == 0)
        return;
    jsonw_key(w, STR("required"));
    jsonw_array_open(w);
    for (size_t i = 0; i < section->nfields; i++)
        if (section->fields[i].required)
            jsonw_string(w, str_from(section->fields[i].name));
    jsonw_array_close(w);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    for (size_t i = 0; i < section->nfields; i++) {
        jsonw_key(w, str_from(section->fields[i].name));
        jsonw_object_open(w);
        field_type(w, &section->fields[i], depth_left - 1);
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

bool config_write_schema(struct buf *out, struct err *err)
{
    enum { DEPTH_MAX = 8 };
    struct jsonw w = {.out = out, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("$schema"), STR("https://json-schema.org/draft/2020-12/schema"));
    jsonw_member_string(&w, STR("title"), STR("plumb.yaml"));
    section_type(&w, &config_section, DEPTH_MAX);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}
