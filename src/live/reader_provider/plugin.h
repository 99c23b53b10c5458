/* plugin.h - one provider process: launch, handshake, read-only calls, shutdown.
 *
 * Shape:   an object on a loop (base/loop.h), no thread. plugin_start() returns at once; on_ready
 *          comes when the process answered its handshake and its health check, or could not
 * Calls:   enum plugin_method is all that can be called: no function takes a method's name.
 *          Requests and replies are protobuf bytes; tfplugin.h builds and reads them
 * Reading: nothing in the list changes an object. ReadResource looks; PlanResourceChange,
 *          ValidateResourceConfig, GenerateResourceConfig and CallFunction compute from what they
 *          are given (Terraform calls them in every `plan`, `validate` and `console`, before
 * anybody has agreed to anything); ImportResourceState names an object that is there, and writes
 *          nothing: the state that it gives is the caller's to keep or to drop. What changes
 *          objects, or opens a lease that must be closed, is ApplyResourceChange, InvokeAction,
 *          OpenEphemeralResource, WriteStateBytes, LockState and DeleteState: none is here
 * Safety:  own process group, killed with the thread that started it (PR_SET_PDEATHSIG: keep that
 *          thread alive), socket in a private 0700 directory that goes with the process, AutoMTLS
 *          unless `plaintext`, both output pipes and the stdio stream drained for life
 * Source:  facts/terraform.md section 1 (go-plugin)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/grpc.h"

struct arena;
struct launch_child;
struct loop;
struct plugin;

enum {
    PLUGIN_START_MS = 60000, /* Terraform's own patience */
    PLUGIN_GRACE_MS = 2000,  /* from Shutdown to SIGKILL */
    PLUGIN_CALL_MS = 120000,
};

/* X(constant, name in messages, v5 path, v6 path, stream). The whole of what plumb ever calls. */
#define PLUGIN_METHODS(X) \
    X(PLUGIN_GET_SCHEMA, "GetProviderSchema", "/tfplugin5.Provider/GetSchema", \
      "/tfplugin6.Provider/GetProviderSchema", false) \
    X(PLUGIN_GET_IDENTITY_SCHEMAS, "GetResourceIdentitySchemas", \
      "/tfplugin5.Provider/GetResourceIdentitySchemas", \
      "/tfplugin6.Provider/GetResourceIdentitySchemas", false) \
    X(PLUGIN_VALIDATE_CONFIG, "ValidateProviderConfig", \
      "/tfplugin5.Provider/PrepareProviderConfig", "/tfplugin6.Provider/ValidateProviderConfig", \
      false) \
    X(PLUGIN_CONFIGURE, "ConfigureProvider", "/tfplugin5.Provider/Configure", \
      "/tfplugin6.Provider/ConfigureProvider", false) \
    X(PLUGIN_UPGRADE_STATE, "UpgradeResourceState", "/tfplugin5.Provider/UpgradeResourceState", \
      "/tfplugin6.Provider/UpgradeResourceState", false) \
    X(PLUGIN_UPGRADE_IDENTITY, "UpgradeResourceIdentity", \
      "/tfplugin5.Provider/UpgradeResourceIdentity", \
      "/tfplugin6.Provider/UpgradeResourceIdentity", false) \
    X(PLUGIN_READ, "ReadResource", "/tfplugin5.Provider/ReadResource", \
      "/tfplugin6.Provider/ReadResource", false) \
    X(PLUGIN_VALIDATE_RESOURCE, "ValidateResourceConfig", \
      "/tfplugin5.Provider/ValidateResourceTypeConfig", \
      "/tfplugin6.Provider/ValidateResourceConfig", false) \
    X(PLUGIN_PLAN, "PlanResourceChange", "/tfplugin5.Provider/PlanResourceChange", \
      "/tfplugin6.Provider/PlanResourceChange", false) \
    X(PLUGIN_IMPORT, "ImportResourceState", "/tfplugin5.Provider/ImportResourceState", \
      "/tfplugin6.Provider/ImportResourceState", false) \
    X(PLUGIN_GENERATE_CONFIG, "GenerateResourceConfig", \
      "/tfplugin5.Provider/GenerateResourceConfig", "/tfplugin6.Provider/GenerateResourceConfig", \
      false) \
    X(PLUGIN_CALL_FUNCTION, "CallFunction", "/tfplugin5.Provider/CallFunction", \
      "/tfplugin6.Provider/CallFunction", false) \
    X(PLUGIN_STOP, "StopProvider", "/tfplugin5.Provider/Stop", "/tfplugin6.Provider/StopProvider", \
      false) \
    X(PLUGIN_HEALTH, "Health", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Check", \
      false) \
    X(PLUGIN_STDIO, "StreamStdio", "/plugin.GRPCStdio/StreamStdio", \
      "/plugin.GRPCStdio/StreamStdio", true) \
    X(PLUGIN_SHUTDOWN, "Shutdown", "/plugin.GRPCController/Shutdown", \
      "/plugin.GRPCController/Shutdown", false)
#define X(constant, name, v5, v6, stream) constant,
enum plugin_method { PLUGIN_METHODS(X) PLUGIN_METHOD_COUNT };
#undef X
const char *plugin_method_name(enum plugin_method method);

/* A provider that runs already (one entry of TF_REATTACH_PROVIDERS): never stopped by us. */
struct plugin_reattach {
    bool tcp;           /* address is HOST:PORT of this machine, else a socket path */
    struct str address; /* empty = launch `path` instead */
    int protocol;       /* 5 or 6; 0 is read as 5 */
};

struct plugin_spec {
    struct loop *loop;
    struct str name; /* for messages: "registry.terraform.io/hashicorp/random" */
    struct str path; /* the provider's binary */
    struct plugin_reattach reattach;
    const char *const *env; /* NULL-ended NAME=value list; NULL = our own environment */
    struct str dir;         /* working directory; empty = ours */
    bool nowhere;           /* an empty folder of its own instead */
    bool plaintext;         /* no AutoMTLS */
    int start_ms;           /* 0 = PLUGIN_START_MS */
    /* Optional: launch_start() by a thread that lives longer than this one. */
    bool (*launch)(void *ctx, const char *path, const char *const *env, const char *dir,
                   struct launch_child *ret, struct err *err);
    void *launch_ctx;
    /* Once: why NULL = ready for calls; else it could not be started, and is down. */
    void (*on_ready)(void *ctx, const struct err *why);
    /* Once, only after a good on_ready, when the process or its connection ended without
     * plugin_close(): after all its calls were answered. why names signal or exit code and the
     * panic's own words; NULL = it went because of plugin_stop(). May call plugin_close(). */
    void (*on_down)(void *ctx, const struct err *why);
    void *ctx;
};

/* Everything but names is copied. Fails if it cannot even be tried (no such file, no memory). */
bool plugin_start(const struct plugin_spec *spec, struct plugin **ret, struct err *err);
/* Orderly: Shutdown, then SIGKILL after PLUGIN_GRACE_MS. on_down follows (also straight from here
 * where nothing has to be waited for). A reattached one is only left. */
void plugin_stop(struct plugin *plugin);
/* It answers nothing any more: SIGKILL. on_down follows as if it had died by itself. */
void plugin_kill(const struct plugin *plugin);
/* At once: answers what is in flight (CANCELLED), kills the group, reaps, removes the socket
 * directory, frees. No callback after it. NULL is fine. Allowed in every callback. */
void plugin_close(struct plugin *plugin);

/*
 * On to another loop, perhaps of another thread: first off its own (false: it is not ready, or has
 * calls in flight, and stays), then onto the next, whose on_down and ctx count from there. Between
 * the two nothing but plugin_join(), plugin_close() and plugin_calls() may be called. Where joining
 * fails it is to be closed.
 */
bool plugin_leave(struct plugin *plugin);
bool plugin_join(struct plugin *plugin, struct loop *loop,
                 void (*on_down)(void *ctx, const struct err *why), void *ctx, struct err *err);

int plugin_protocol(const struct plugin *plugin); /* 5 or 6; 0 before it is ready */
pid_t plugin_pid(const struct plugin *plugin);    /* 0 = reattached */
bool plugin_is_ready(const struct plugin *plugin);
size_t plugin_in_flight(const struct plugin *plugin);
uint64_t plugin_calls(const struct plugin *plugin); /* started since the process was */
/* Resident bytes of the process (/proc), 0 where not known. */
uint64_t plugin_memory(const struct plugin *plugin);
/* Its last output lines (stderr and stdio stream, at most 200), for --debug. */
struct str plugin_last_lines(const struct plugin *plugin, struct arena *arena);

struct plugin_reply {
    bool ok;                 /* bytes are the reply message */
    struct str bytes;        /* valid during the callback; or take *body */
    struct buf *body;        /* as in struct grpc_reply */
    enum grpc_status status; /* why not ok */
    struct str text;         /* the same in words, with the provider's own; crash: panic text */
    bool not_processed;      /* may be sent again without a doubt */
    bool down;               /* the process or the connection went under it */
};
typedef void (*plugin_done)(void *ctx, const struct plugin_reply *reply);

/*
 * timeout_ms  0 = PLUGIN_CALL_MS
 * Every started call gets exactly one on_done. When the process crashes the calls in flight are
 * answered after it was reaped (within a second), so that `text` says how it ended.
 * PLUGIN_STDIO and PLUGIN_SHUTDOWN are made by the plugin itself and are refused here (ERR_USAGE).
 */
bool plugin_call(struct plugin *plugin, enum plugin_method method, struct str request,
                 int timeout_ms, plugin_done on_done, void *ctx, struct err *err);
/* The same, turning the loop until it is answered. The body is the caller's (buf_free).
 * ERR_REMOTE, ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_UNSUPPORTED (UNIMPLEMENTED) or ERR_CANCELLED. */
bool plugin_call_wait(struct plugin *plugin, enum plugin_method method, struct str request,
                      int timeout_ms, struct buf *ret_body, struct str *ret_bytes, struct err *err);
/* Turn the loop until it is ready; false with the reason it gave. For use right after start. */
bool plugin_wait_ready(struct plugin *plugin, struct err *err);
