/* rows.h - options that several subcommands have, with the same letter, variable and words.
 *
 * `[CONFIG] = ROW_CONFIG,` in a table of options. What only one command has stands in its own file.
 */
#pragma once
#include "cli/command.h"

/* clang-format off */
#define ROW_CONFIG \
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .arg = "FILE", \
     .env = "PLUMB_CONFIG", \
     .text = "plumb.yaml to use instead of the one found here or above; - for none"}
#define ROW_WORKSPACE \
    {.name = "workspace", .letter = 'w', .kind = OPTION_STRING, .arg = "NAME", \
     .text = "a workspace instead of the selected one"}
#define ROW_WORKSPACES \
    {.name = "workspace", .letter = 'w', .kind = OPTION_LIST, .arg = "NAME", \
     .text = "a workspace instead of the selected one; '*' is every one found; may be repeated"}
#define ROW_VAR \
    {.name = "var", .kind = OPTION_LIST, .arg = "NAME=VALUE", \
     .text = "a value for a variable of the root module, as terraform -var; may be repeated; " \
             "counts after --var-file"}
#define ROW_VAR_FILE \
    {.name = "var-file", .kind = OPTION_LIST, .arg = "FILE", \
     .text = "values from a tfvars file; may be repeated"}
#define ROW_LIVE \
    {.name = "live", .letter = 'l', .kind = OPTION_STRING, .arg = "FILE", \
     .text = "live values from this JSON or NDJSON document; no provider is asked"}
#define ROW_STATE \
    {.name = "state", .letter = 's', .kind = OPTION_STRING, .arg = "FILE", \
     .text = "a state file or URL instead of the stack's own backend"}
#define ROW_ALLOW_MISMATCH \
    {.name = "allow-provider-mismatch", .kind = OPTION_FLAG, \
     .text = "run a provider although the lock file does not have its hash"}
#define ROW_TIMEOUT \
    {.name = "timeout", .kind = OPTION_DURATION, .arg = "TIME", .least = 1, .most = 86400000, \
     .env = "PLUMB_TIMEOUT", \
     .text = "longest wait for one answer of a provider, such as 120s"}
#define ROW_NO_CACHE \
    {.name = "no-cache", .kind = OPTION_FLAG, .env = "PLUMB_NO_CACHE", \
     .text = "keep nothing on disk: schemas and probes are read anew"}
#define ROW_CACHE_DIR \
    {.name = "cache-dir", .kind = OPTION_STRING, .arg = "DIR", .env = "PLUMB_CACHE_DIR", \
     .text = "where schemas and probes are kept; without it ~/.cache/plumb"}
#define ROW_NO_COLOR \
    {.name = "no-color", .kind = OPTION_FLAG, .text = "no colours on a terminal"}

/* --- the store: see cli/store_setup.h --- */

#define ROW_STORE \
    {.name = "store", .kind = OPTION_STRING, .arg = "URL", .env = "PLUMB_STORE", \
     .text = "where history is kept, instead of what plumb.yaml says: sqlite:PATH or " \
             "postgres://HOST/DATABASE"}
#define ROW_NO_STORE \
    {.name = "no-store", .kind = OPTION_FLAG, .env = "PLUMB_NO_STORE", \
     .text = "record nothing, whatever is configured"}

/* --- how to report --- */

#define ROW_OUTPUTS /* see cli/output.h */ \
    {.name = "output", .letter = 'o', .kind = OPTION_LIST, .arg = "FORMAT[=FILE]", \
     .choices = output_names, .open = true, .env = "PLUMB_OUTPUT", \
     .text = "how to report, and into which file (standard output without one); a file name " \
             "alone chooses the format by its ending; may be repeated"}
#define ROW_TEXT_OR_JSON \
    {.name = "output", .letter = 'o', .kind = OPTION_STRING, .arg = "FORMAT", \
     .choices = (const char *const[]){"text", "json", NULL}, .text = "text or json"}

/* --- what makes the exit code --- */

#define ROW_FAIL_ON /* see cli/fail_on.h */ \
    {.name = "fail-on", .kind = OPTION_LIST, .arg = "CLASSES", .choices = fail_on_words, \
     .open = true, .env = "PLUMB_FAIL_ON", \
     .text = "classes that make the exit code, separated by commas; drift is contradicts-code, " \
             "missing and unmanaged; without it drift,unchecked"}
#define ROW_EXIT_ZERO \
    {.name = "exit-zero", .kind = OPTION_FLAG, \
     .text = "exit with 0 whatever is found; errors still exit with 1"}

/* --- policies --- */

#define ROW_POLICIES /* see cli/policy_setup.h */ \
    {.name = "policy", .kind = OPTION_LIST, .arg = "PATH", \
     .text = "rules, Rego and data that judge, beside those of plumb.yaml: a file, a folder or " \
             "builtin:NAME; may be repeated"}
#define ROW_WAIVERS \
    {.name = "waivers", .kind = OPTION_LIST, .arg = "FILE", \
     .text = "accepted findings, beside those of plumb.yaml; may be repeated"}

#define ROW_REGO_V0 \
    {.name = "rego-v0", .kind = OPTION_FLAG, \
     .text = "read policies as Rego v0, the language before OPA 1.0"}

#define ROW_SCHEMA \
    {.name = "schema", .letter = 's', .kind = OPTION_STRING, .arg = "PATH", \
     .text = "a JSON Schema: policies that ask input for what it rules out are refused; of a " \
             "folder, those that METADATA names by schema.FOLDER.FILE"}

#define ROW_CAPABILITIES /* see cli/capabilities.h */ \
    {.name = "capabilities", .kind = OPTION_STRING, .arg = "FILE", \
     .text = "which built-in functions policies may call and which keywords they may import (and, " \
             "or, not), as `opa capabilities` prints it (JSON)"}

#define ROW_POLICY_TIMEOUT /* see cli/policy_setup.h */ \
    {.name = "policy-timeout", .kind = OPTION_DURATION, .arg = "TIME", .least = 1, \
     .most = 86400000, \
     .text = "the longest that Rego may take over one document; 60s without it"}

/* As conftest has them; see cli/conftest_output.h. */
#define ROW_POLICY \
    {.name = "policy", .letter = 'p', .kind = OPTION_LIST, .arg = "PATH", \
     .text = "a file or a folder of policies; policy without it; may be repeated"}
#define ROW_REGO_VERSION \
    {.name = "rego-version", .kind = OPTION_STRING, .arg = "v0|v1", \
     .choices = (const char *const[]){"v0", "v1", NULL}, \
     .text = "the language of the policies; v1 without it"}
#define ROW_CONFTEST_OUTPUT \
    {.name = "output", .letter = 'o', .kind = OPTION_STRING, .arg = "FORMAT", \
     .choices = conftest_formats, \
     .text = "stdout (as without it), json, tap, table, junit, github, azuredevops or sarif"}
#define ROW_NO_COLOR_ACCEPTED \
    {.name = "no-color", .kind = OPTION_FLAG, .text = "accepted; there are none"}
#define ROW_NAMESPACES \
    {.name = "namespace", .letter = 'n', .kind = OPTION_LIST, .arg = "NAME", \
     .text = "packages whose rules are asked, with wildcards; main without it; may be repeated"}
#define ROW_ALL_NAMESPACES \
    {.name = "all-namespaces", .kind = OPTION_FLAG, .text = "ask the rules of every package"}
#define ROW_STRICT_REGO \
    {.name = "strict", .kind = OPTION_FLAG, \
     .text = "unused variables, arguments and imports of policies are errors"}
#define ROW_TRACE \
    {.name = "trace", .kind = OPTION_FLAG, \
     .text = "tell on standard error how the answers came about"}
#define ROW_JUNIT_HIDE_MESSAGE \
    {.name = "junit-hide-message", .kind = OPTION_FLAG, \
     .text = "names in JUnit without the message"}
#define ROW_GITHUB_HIDE_PASSED \
    {.name = "github-hide-passed", .kind = OPTION_FLAG, \
     .text = "only what did not pass in the output for GitHub"}
#define ROW_PROTO_FILE_DIRS \
    {.name = "proto-file-dirs", .kind = OPTION_LIST, .arg = "DIR", \
     .text = "accepted; text protobuf is not read"}
#define ROW_CONFTEST_CONFIG \
    {.name = "config-file", .letter = 'c', .kind = OPTION_STRING, .arg = "FILE", \
     .text = "options that are not given; conftest.toml (.yaml, .json) without it, if there is " \
             "one"}
/* clang-format on */
