/* openapi.c - GET /v1/openapi.json: the table of routes as OpenAPI 3.1.
 *
 * LOCK and UNLOCK are no methods that OpenAPI knows: they stand beside the others as x-lock and
 * x-unlock.
 * Source:  OpenAPI 3.1.0, RFC 9457
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "serve/server.h"
#include "wire/json.h"

enum { DOCUMENT_BYTES = 1 << 20 };

static void write_ref(struct jsonw *w, const char *to)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("$ref"), str_from(to));
    jsonw_object_close(w);
}

static void write_parameter(struct jsonw *w, const char *name, const char *in, bool required,
                            bool many, const char *text)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), str_from(name));
    jsonw_member_string(w, STR("in"), str_from(in));
    jsonw_member_bool(w, STR("required"), required);
    jsonw_member_string(w, STR("description"), str_from(text));
    jsonw_key(w, STR("schema"));
    jsonw_object_open(w);
    if (many) { /* style form, exploded: what holds where nothing is said */
        jsonw_member_string(w, STR("type"), STR("array"));
        jsonw_key(w, STR("items"));
        jsonw_object_open(w);
    }
    jsonw_member_string(w, STR("type"), STR("string"));
    if (many)
        jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static bool has_rest(const struct listener_route *route)
{
    size_t len = strlen(route->path);
    return len && route->path[len - 1] == '*';
}

static const char *rest_of(const struct listener_route *route)
{
    return route->rest ? route->rest : "stack";
}

static void write_parameters(struct jsonw *w, const struct listener_route *route)
{
    jsonw_key(w, STR("parameters"));
    jsonw_array_open(w);
    if (has_rest(route))
        write_parameter(w, rest_of(route), "path", true, false,
                        route->rest ? "now or once, or the beginning of it"
                                    : "name of the stack; may hold slashes");
    for (const struct route_parameter *p = route->parameter; p && p->name; p++)
        write_parameter(w, p->name, "query", p->required, p->many, p->text);
    jsonw_array_close(w);
}

/* types: with commas */
static void write_content(struct jsonw *w, const char *types, const char *schema)
{
    char ref[80];
    struct str rest = str_from(types), type;
    jsonw_key(w, STR("content"));
    jsonw_object_open(w);
    for (bool more = true; more;) {
        more = str_cut(&rest, ',', &type);
        jsonw_key(w, type);
        jsonw_object_open(w);
        jsonw_key(w, STR("schema"));
        (void)snprintf(ref, sizeof ref, "#/components/schemas/%s", schema ? schema : "");
        if (schema) {
            write_ref(w, ref);
        } else {
            jsonw_object_open(w);
            jsonw_object_close(w);
        }
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

/* One of these is enough; schemes: with commas, or NULL: nobody is asked who he is. */
static void write_security(struct jsonw *w, const char *schemes)
{
    struct str rest = str_from(schemes), scheme;
    jsonw_key(w, STR("security"));
    jsonw_array_open(w);
    for (bool more = schemes; more;) {
        more = str_cut(&rest, ',', &scheme);
        jsonw_object_open(w);
        jsonw_key(w, scheme);
        jsonw_array_open(w);
        jsonw_array_close(w);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void write_responses(struct jsonw *w, const struct listener_route *route)
{
    jsonw_key(w, STR("responses"));
    jsonw_object_open(w);
    jsonw_key(w, STR("200"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("description"), STR("Done"));
    write_content(w, route->gives ? route->gives : "application/json", route->schema);
    jsonw_object_close(w);
    if (route->kept) {
        char status[12];
        (void)snprintf(status, sizeof status, "%u", route->kept);
        jsonw_key(w, str_from(status));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("description"), STR("Kept, and worked on from here"));
        write_content(w, "application/json", NULL);
        jsonw_object_close(w);
    }
    if (route->schema) {
        jsonw_key(w, STR("304"));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("description"), STR("As If-None-Match has it"));
        jsonw_object_close(w);
    }
    static const char *const troubles[] = {"4XX", "default"};
    for (size_t i = 0; i < 2; i++) {
        jsonw_key(w, str_from(troubles[i]));
        write_ref(w, "#/components/responses/problem");
    }
    jsonw_object_close(w);
}

static void write_operation(struct jsonw *w, const struct listener_route *route)
{
    char id[120];
    size_t n = 0;
    bool known = strcmp(route->method, "LOCK") != 0 && strcmp(route->method, "UNLOCK") != 0;
    for (const char *p = route->method; *p && n < 16; p++)
        id[n++] = (char)tolower((unsigned char)*p);
    jsonw_key(w, known ? (struct str){id, n}
                       : str_from(*route->method == 'L' ? "x-lock" : "x-unlock"));
    for (const char *p = route->path; *p && n + 1 < sizeof id; p++)
        id[n++] = *p == '*' ? 'N' : (char)(isalnum((unsigned char)*p) ? *p : '_');
    jsonw_object_open(w);
    jsonw_member_string(w, STR("operationId"), (struct str){id, n});
    jsonw_member_string(w, STR("summary"), str_from(route->text));
    if (route->open) {
        write_security(w, route->signs);
    } else {
        jsonw_member_string(w, STR("x-role"), str_from(role_name(route->role)));
    }
    write_parameters(w, route);
    if (route->body_max) {
        jsonw_key(w, STR("requestBody"));
        jsonw_object_open(w);
        if (route->body)
            jsonw_member_string(w, STR("description"), str_from(route->body));
        write_content(w, route->takes ? route->takes : "application/json", NULL);
        jsonw_object_close(w);
    }
    write_responses(w, route);
    jsonw_object_close(w);
}

static bool is_first(const struct listener_route *routes, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(routes[k].path, routes[i].path) == 0)
            return false;
    return true;
}

static void write_paths(struct jsonw *w, const struct listener_route *routes, size_t n)
{
    jsonw_key(w, STR("paths"));
    jsonw_object_open(w);
    for (size_t i = 0; i < n; i++) {
        char path[120];
        if (!is_first(routes, i))
            continue;
        size_t len = strlen(routes[i].path) - has_rest(&routes[i]);
        bool rest = has_rest(&routes[i]);
        (void)snprintf(path, sizeof path, "%.*s%s%s%s", (int)len, routes[i].path, rest ? "{" : "",
                       rest ? rest_of(&routes[i]) : "", rest ? "}" : "");
        jsonw_key(w, str_from(path));
        jsonw_object_open(w);
        for (size_t k = i; k < n; k++)
            if (strcmp(routes[k].path, routes[i].path) == 0)
                write_operation(w, &routes[k]);
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

/* The ways to say who one is: a token; or a key that both sides have, as senders of webhooks show
 * it, named after the header. */
static const struct {
    const char *name, *text;
} schemes[] = {
    {"bearer", NULL},
    {"basic", NULL},
    {"X-Hub-Signature-256", "sha256= and the HMAC of the body, as GitHub and others sign"},
    {"X-Gitlab-Token", "the key itself"},
    {"X-Api-Key", "the key itself"},
    {"webhook-signature",
     "Standard Webhooks: HMAC-SHA-256 of webhook-id, webhook-timestamp and the body"},
    {"X-Tfc-Task-Signature", "HMAC-SHA-512 of the body, as HCP Terraform signs"},
};

static void write_scheme(struct jsonw *w, const char *name, const char *text)
{
    jsonw_key(w, str_from(name));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), text ? STR("apiKey") : STR("http"));
    jsonw_member_string(w, text ? STR("name") : STR("scheme"), str_from(name));
    if (text) {
        jsonw_member_string(w, STR("in"), STR("header"));
        jsonw_member_string(w, STR("description"), str_from(text));
    }
    jsonw_object_close(w);
}

/* --- the schemas that plumb carries --- */

struct carried {
    const char *of, *name;
    const unsigned char *deflated;
    size_t ndeflated, len;
};
#define X(of, name, len, ...) \
    {of, name, (const unsigned char[]){__VA_ARGS__}, sizeof(const unsigned char[]){__VA_ARGS__}, \
     len},
static const struct carried carried[] = {
#include "gen/schemas.inc"
};
#undef X

/* "#/$defs/x" of such a file is "#/components/schemas/x" here. */
static struct str moved_refs(struct arena *arena, struct str text)
{
    AUTO_BUF out = {.limit = DOCUMENT_BYTES};
    for (size_t at = 0, found; at < text.len; at = found) {
        found = str_find(text, STR("#/$defs/"), at);
        buf_str(&out, str_sub(text, at, found == SIZE_MAX ? text.len : found));
        if (found == SIZE_MAX)
            break;
        buf_str(&out, STR("#/components/schemas/"));
        found += STR("#/$defs/").len;
    }
    return arena_dup(arena, buf_view(&out));
}

static void write_schemas(struct jsonw *w)
{
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        uLongf len = carried[i].len;
        char *text = arena_alloc_raw(&arena, carried[i].len, 1, 1);
        struct value document;
        if (!text || uncompress((Bytef *)text, &len, carried[i].deflated, carried[i].ndeflated))
            continue;
        struct str moved = moved_refs(&arena, (struct str){text, len});
        if (!json_parse(&arena, moved, carried[i].name, JSON_DEFAULT, &document, NULL))
            continue;
        const struct value *defs = value_get(&document, STR("$defs"));
        for (size_t k = 0; defs && k < defs->len; k++) {
            jsonw_key(w, key_str(defs->members[k].key));
            jsonw_value(w, &defs->members[k].value);
        }
    }
}

static bool is_asked_for(const struct server *server, const char *scheme)
{
    for (size_t i = 0; i < server->nroutes; i++) {
        const struct listener_route *route = &server->route[i];
        if (route->open && route->signs && strstr(route->signs, scheme))
            return true;
    }
    return false;
}

static void write_components(struct jsonw *w, const struct server *server)
{
    static const char *const members[] = {"type", "title", "detail", "instance"};
    jsonw_key(w, STR("components"));
    jsonw_object_open(w);
    jsonw_key(w, STR("securitySchemes"));
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (!schemes[i].text || is_asked_for(server, schemes[i].name))
            write_scheme(w, schemes[i].name, schemes[i].text);
    jsonw_object_close(w);
    jsonw_key(w, STR("responses"));
    jsonw_object_open(w);
    jsonw_key(w, STR("problem"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("description"), STR("What went wrong, or why it is refused"));
    jsonw_key(w, STR("content"));
    jsonw_object_open(w);
    jsonw_key(w, STR("application/problem+json"));
    jsonw_object_open(w);
    jsonw_key(w, STR("schema"));
    write_ref(w, "#/components/schemas/problem");
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_key(w, STR("schemas"));
    jsonw_object_open(w);
    write_schemas(w);
    jsonw_key(w, STR("problem"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("object"));
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        jsonw_key(w, str_from(members[i]));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("type"), STR("string"));
        jsonw_object_close(w);
    }
    jsonw_key(w, STR("status"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("integer"));
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

void openapi_get(void *service, struct request *request)
{
    AUTO_BUF body = {.limit = DOCUMENT_BYTES};
    struct jsonw w = {.out = &body, .indent = 2};
    const struct server *server = service;
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("openapi"), STR("3.1.0"));
    jsonw_key(&w, STR("info"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("title"), STR("plumb serve"));
    jsonw_member_string(&w, STR("version"), STR(PLUMB_VERSION));
    jsonw_key(&w, STR("license"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("name"), STR("Apache License 2.0"));
    jsonw_member_string(&w, STR("identifier"), STR("Apache-2.0"));
    jsonw_object_close(&w);
    jsonw_object_close(&w);
    jsonw_key(&w, STR("servers")); /* the one that it was asked of */
    jsonw_array_open(&w);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("url"), STR("/"));
    jsonw_object_close(&w);
    jsonw_array_close(&w);
    write_security(&w, "bearer,basic");
    write_paths(&w, server->route, server->nroutes); /* as this configuration has them */
    write_components(&w, server);
    jsonw_object_close(&w);
    buf_char(&body, '\n');
    struct answer answer = {.status = 200, .type = "application/json", .body = buf_view(&body)};
    request_answer(request, &answer);
}
