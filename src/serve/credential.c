/* credential.c - whose request it is: a bearer token, basic with the token as password, or a client
 * certificate that a token was made for. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "serve/listener_parts.h"

enum { AUTHORIZATION_MAX = 1024 };

static int by_hash(const void *a, const void *b)
{
    const struct token *x = a, *y = b;
    return memcmp(x->hash.byte, y->hash.byte, DIGEST_SIZE);
}

struct token_set *token_set_make(const struct token *token, size_t n, int64_t now_utc_ms)
{
    struct token_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->arena.limit = ARENA_DEFAULT_LIMIT;
    set->token = arena_new(&set->arena, struct token, n);
    for (size_t i = 0; set->token && i < n; i++) {
        if (!token_is_live(&token[i], now_utc_ms))
            continue;
        struct token *t = &set->token[set->n++];
        *t = token[i];
        t->name = arena_dup(&set->arena, t->name);
        t->stacks = arena_dup(&set->arena, t->stacks);
        t->created_by = (struct str){0};
        if (!t->name.ptr || !t->stacks.ptr)
            set->token = NULL;
    }
    if (!set->token) {
        token_set_free(set);
        return NULL;
    }
    if (set->n)
        qsort(set->token, set->n, sizeof *set->token, by_hash);
    return set;
}

void token_set_free(struct token_set *set)
{
    if (set)
        arena_free(&set->arena);
    free(set);
}

/* The token's text out of the Authorization header; ptr NULL: there is none. */
static struct str credential_text(struct request *request)
{
    struct str header = str_trim(request_header(request, "authorization"));
    struct str scheme = {0}, pair = {0}, user = {0};
    if (header.len == 0 || header.len > AUTHORIZATION_MAX || !str_cut(&header, ' ', &scheme))
        return (struct str){0};
    header = str_trim(header);
    if (scheme.len == 6 && strncasecmp(scheme.ptr, "bearer", 6) == 0)
        return header;
    if (scheme.len != 5 || strncasecmp(scheme.ptr, "basic", 5) != 0 ||
        !base64_decode(&request->arena, header, &pair, NULL) || !str_cut(&pair, ':', &user))
        return (struct str){0};
    return pair;
}

/* Looked up by digest: how long it takes says nothing of a token that is not known. */
static bool find(const struct listener *listener, const struct digest *hash, int64_t now_utc_ms,
                 struct arena *arena, struct principal *ret)
{
    struct token wanted = {.hash = *hash};
    const struct token_set *set = listener->tokens;
    const struct token *t =
        set && set->n ? bsearch(&wanted, set->token, set->n, sizeof *set->token, by_hash) : NULL;
    if (!t || !digest_equal(&t->hash, hash) || !token_is_live(t, now_utc_ms))
        return false;
    *ret = (struct principal){.role = t->role,
                              .token = t->id,
                              .name = arena_dup(arena, t->name),
                              .stacks = arena_dup(arena, t->stacks)};
    return ret->name.ptr && ret->stacks.ptr;
}

/* What is said in the head counts, also where it is wrong; else what was shown in the handshake. */
static bool identify(const struct listener *listener, struct request *request, struct digest *ret)
{
    const struct request_state *state = request->state;
    if (!request_header(request, "authorization").ptr)
        return state->socket && state->socket->door->cert &&
               tls_client_digest(listener, state->connection, ret);
    struct str text = credential_text(request);
    return text.ptr && text.len > 0 && token_hash(text, ret, NULL);
}

bool credential_check(struct listener *listener, struct request *request)
{
    struct digest hash;
    if (request->state->served->anonymous) {
        request->who = (struct principal){.role = ROLE_ADMIN, .name = STR("anonymous")};
        return true;
    }
    if (!identify(listener, request, &hash))
        return false;
    int64_t now = listener->options.now_ms(listener->options.clock);
    (void)pthread_mutex_lock(&listener->lock);
    bool found = find(listener, &hash, now, &request->arena, &request->who);
    (void)pthread_mutex_unlock(&listener->lock);
    return found;
}

bool request_may_touch(const struct request *request, struct str stack)
{
    struct str glob = request->who.stacks;
    return glob.len == 0 || glob_match(glob, stack, '\0');
}
