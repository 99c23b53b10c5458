/* config_serve.c - the keys of `serve` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(member) .at = offsetof(struct config, serve.member)

static const struct field tls_fields[] = {
    {.name = "cert",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(tls_cert),
     .text = "file with the certificate and its chain (PEM), relative to this file"},
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(tls_key),
     .text = "file with its private key (PEM, without a password), relative to this file"},
    {.name = "self_signed",
     .kind = FIELD_BOOL,
     AT(tls_self_signed),
     .text = "make certificate and key where neither file is there (without cert and key: "
             "plumb-tls.pem and plumb-tls.key beside this file)"},
    {.name = "names",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     AT(tls_names),
     .count_at = offsetof(struct config, serve.ntls_names),
     .text = "what a self-signed certificate is for besides localhost, this host, and the hosts of "
             "listen and url: names and IP addresses"},
};
static const struct section tls_section = {
    .what = "serve.tls", .fields = tls_fields, .nfields = COUNT(tls_fields)};

static const struct field states_fields[] = {
    {.name = "keep",
     .kind = FIELD_INT,
     .least = 1,
     .most = 1000000,
     AT(keep_versions),
     .text = "versions of each state that are kept; without it all of them"},
    {.name = "guard_reads",
     .kind = FIELD_BOOL,
     AT(guard_reads),
     .text = "while something stands against an apply, a token of role apply reads a state under "
             "its lock only: stops -lock=false before it changes anything, and `init` with such a "
             "token"},
    {.name = "require_approval",
     .kind = FIELD_BOOL,
     AT(require_approval),
     .text = "everything but a plan uses up an approval that plumb gate --approve-token gave for "
             "this stack and state"},
    {.name = "unjudged",
     .kind = FIELD_STRING,
     .check = CHECK_LEVEL,
     AT(unjudged),
     .text = "drift that no policy was asked about: block an apply (without it), warn or off"},
};
static const struct section states_section = {
    .what = "serve.states", .fields = states_fields, .nfields = COUNT(states_fields)};

static const struct field gate_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(gate_key),
     .text = "env:NAME or file:PATH: who signs a request with it (X-Hub-Signature-256) needs no "
             "token"},
};
static const struct section gate_section = {
    .what = "serve.gate", .fields = gate_fields, .nfields = COUNT(gate_fields)};

static const struct field run_tasks_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(run_task_key),
     .text = "env:NAME or file:PATH: the HMAC key of the run task; without it none is taken"},
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(run_task_url),
     .text = "where plans are fetched and results sent, and nowhere else; "
             "https://app.terraform.io without it"},
};
static const struct section run_tasks_section = {
    .what = "serve.run_tasks", .fields = run_tasks_fields, .nfields = COUNT(run_tasks_fields)};

static const struct field metrics_fields[] = {
    {.name = "open",
     .kind = FIELD_BOOL,
     AT(metrics_open),
     .text = "GET /metrics needs no token; it names stacks and how many findings they have"},
};
static const struct section metrics_section = {
    .what = "serve.metrics", .fields = metrics_fields, .nfields = COUNT(metrics_fields)};

static const struct field telemetry_fields[] = {
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(telemetry_url),
     .text = "of an OpenTelemetry collector that takes OTLP over HTTP: http://127.0.0.1:4318; "
             "OTEL_EXPORTER_OTLP_ENDPOINT without it"},
    {.name = "headers",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(telemetry_headers),
     .text = "env:NAME or file:PATH: headers of its requests, as Name=value,Name=value; "
             "OTEL_EXPORTER_OTLP_HEADERS without it"},
};
static const struct section telemetry_section = {
    .what = "serve.telemetry", .fields = telemetry_fields, .nfields = COUNT(telemetry_fields)};

static const struct field heartbeat_fields[] = {
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     .required = true,
     AT(heartbeat_url),
     .text = "env:NAME or file:PATH of the URL; /fail is added where a scan is overdue"},
    {.name = "every",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = 86400000,
     AT(heartbeat_every_ms),
     .text = "how often, such as 1m (without it)"},
    {.name = "allow_private",
     .kind = FIELD_BOOL,
     AT(heartbeat_private),
     .text = "the switch may be in your own network, and without TLS"},
};
static const struct section heartbeat_section = {
    .what = "serve.heartbeat", .fields = heartbeat_fields, .nfields = COUNT(heartbeat_fields)};

#define UP(key, member, what) \
    { \
        .name = key, .kind = FIELD_STRING, .check = CHECK_FILLED, AT(member), .text = what \
    }
static const struct field upstream_fields[] = {
    UP("address", up_address,
       "of a state there; {stack} is the stack's name, {stack_segment} "
       "the same as one part of the path, with %2F for slashes (GitLab)"),
    UP("lock_address", up_lock_address, "of its lock; as address without it"),
    UP("lock_method", up_lock_method, "LOCK without it; POST for GitLab"),
    UP("unlock_method", up_unlock_method, "UNLOCK without it; DELETE for GitLab"),
    UP("update_method", up_update_method, "POST without it"),
    UP("username", up_user, "of basic authentication there"),
    {.name = "password",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(up_password),
     .text = "env:NAME or file:PATH"},
};
static const struct section upstream_section = {
    .what = "serve.upstream", .fields = upstream_fields, .nfields = COUNT(upstream_fields)};

static const struct field serve_fields[] = {
    {.name = "listen",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(listen),
     .text = "address and port, such as 127.0.0.1:7430 (without it); one that others can reach "
             "needs tls and tokens"},
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(url),
     .text = "how others reach it, for links: https://plumb.example.com"},
    {.name = "tls",
     .kind = FIELD_SECTION,
     .section = &tls_section,
     .text = "certificate and key, or self_signed; without them plain HTTP, on loopback only"},
    {.name = "anonymous",
     .kind = FIELD_BOOL,
     AT(anonymous),
     .text = "nobody needs a token; on loopback only"},
    {.name = "states",
     .kind = FIELD_SECTION,
     .section = &states_section,
     .text = "the state store and its lock"},
    {.name = "upstream",
     .kind = FIELD_SECTION,
     .section = &upstream_section,
     .text = "states are kept by another HTTP backend, such as GitLab; plumb stands before it"},
    {.name = "gate",
     .kind = FIELD_SECTION,
     .section = &gate_section,
     .text = "the gate over the wire: POST /v1/gate"},
    {.name = "log",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(log),
     .text = "what is logged, as --log-level: a level, and levels of subsystems: "
             "info,http=warn,scheduler=debug"},
    {.name = "metrics",
     .kind = FIELD_SECTION,
     .section = &metrics_section,
     .text = "figures for Prometheus at /metrics"},
    {.name = "heartbeat",
     .kind = FIELD_SECTION,
     .section = &heartbeat_section,
     .text = "a dead man's switch elsewhere is told that all is well"},
    {.name = "scheduler",
     .kind = FIELD_SECTION,
     .section = &config_scheduler_section,
     .text = "scans by schedule, and of what was touched"},
    {.name = "watch",
     .kind = FIELD_SECTION,
     .section = &config_watch_section,
     .text = "files of code, states and policies are watched"},
    {.name = "git",
     .kind = FIELD_SECTION,
     .section = &config_git_section,
     .text = "code comes from a branch, which is fetched"},
    {.name = "warm",
     .kind = FIELD_SECTION,
     .section = &config_warm_section,
     .text = "providers stay between scans"},
    {.name = "run_tasks",
     .kind = FIELD_SECTION,
     .section = &run_tasks_section,
     .text = "run tasks of HCP Terraform and Terraform Enterprise"},
    {.name = "telemetry",
     .kind = FIELD_SECTION,
     .section = &telemetry_section,
     .text = "traces and logs to an OpenTelemetry collector; without it none"},
};
const struct section config_serve_section = {
    .what = "serve", .fields = serve_fields, .nfields = COUNT(serve_fields)};
