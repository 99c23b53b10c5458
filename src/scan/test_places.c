/* test_places.c - real repositories with code: places, excerpts without secrets, commits, owners,
 * and the branches and commits that explain what is live. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"
#include "desired/git_parts.h"
#include "model/stack.h"
#include "scan/places.h"
#include "scan/places_parts.h"
#include "wire/json.h"

#define NOW INT64_C(1775000000000) /* 2026-03-31 */

struct fixture {
    char dir[64];
};

static void shell(const struct fixture *f, const char *script)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str all = arena_printf(
        &arena,
        "set -eu; unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE; export HOME='%s' "
        "GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@example.org "
        "GIT_COMMITTER_NAME=Bob GIT_COMMITTER_EMAIL=bob@example.org; cd '%s/repo'\n"
        "day=10; commit() { git add -A; export GIT_AUTHOR_DATE=2026-03-${day}T12:00:00Z; "
        "GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE git commit -qm \"$1\"; day=$((day + 1)); }\n%s",
        f->dir, f->dir, script);
    assert_int_equal(system(all.ptr), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[128];
    if (!f)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/plumb-places-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    (void)setenv("HOME", f->dir, 1);
    (void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    (void)snprintf(path, sizeof path, "%s/repo", f->dir);
    (void)mkdir(path, 0700);
    shell(f, "git init -q -b main .; mkdir prod\n"
             "cat > prod/main.tf <<'X'\n"
             "resource \"terraform_data\" \"web\" {\n"
             "  input = {\n"
             "    size = var.size\n"
             "    team = \"platform\"\n"
             "    note = \"plain\"\n"
             "  }\n"
             "}\n"
             "resource \"terraform_data\" \"db\" {\n"
             "  input = { user = \"joe\", password = var.password }\n"
             "}\n"
             "X\n"
             "cat > prod/variables.tf <<'X'\n"
             "variable \"size\" {\n"
             "  default = \"small\"\n"
             "}\n"
             "variable \"password\" {\n"
             "  default   = \"c4n4ry\"\n"
             "  sensitive = true\n"
             "}\n"
             "X\n"
             "echo 'size = \"medium\"' > prod/terraform.tfvars\n"
             "printf '* @all\\n*.tfvars @sizes\\n' > CODEOWNERS\n"
             "commit first\n");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

/* Code, places and findings of repo/prod. */
struct scene {
    struct arena arena;
    struct stack stack;
    struct code_options code_options;
    struct code *code;
    struct places *places;
    struct finding finding[5];
    struct change change[5];
    size_t n;
};

static void open_scene(struct scene *scene, const struct fixture *f)
{
    struct err err = {0};
    *scene = (struct scene){.arena = {.limit = 1 << 30}};
    scene->stack.path = arena_printf(&scene->arena, "%s/repo/prod", f->dir);
    scene->code_options = (struct code_options){
        .root_dir = scene->stack.path,
        .repo_dir = arena_printf(&scene->arena, "%s/repo", f->dir),
        .phase = CODE_PLAN,
        .now_utc_ms = NOW,
    };
    assert_true(code_open(&scene->code_options, &scene->code, &err));
    assert_true(code_evaluate(scene->code, &err));
    const struct hcl_diags *diags = code_diags(scene->code);
    for (size_t i = 0; i < diags->n; i++)
        print_message("%.*s: %.*s\n", STR_ARG(diags->diag[i].summary),
                      STR_ARG(diags->diag[i].detail));
    struct places_options options = {.stack = &scene->stack,
                                     .code = scene->code,
                                     .code_options = &scene->code_options,
                                     .now_utc_ms = NOW};
    assert_true(places_open(&scene->arena, &options, &scene->places, &err));
}

static void close_scene(struct scene *scene)
{
    code_close(scene->code);
    arena_free(&scene->arena);
}

static const struct value *value_of(struct arena *arena, const char *json)
{
    struct value *v = arena_new(arena, struct value, 1);
    if (!json)
        return NULL;
    assert_true(json_parse(arena, str_from(json), "test", JSON_COPY, v, NULL));
    return v;
}

static struct finding *add(struct scene *scene, const char *address, const char *path,
                           const char *before, const char *after)
{
    struct finding *finding = &scene->finding[scene->n];
    struct change *change = &scene->change[scene->n++];
    *finding = (struct finding){.class_ = path ? CLASS_CONTRADICTS_CODE : CLASS_MISSING,
                                .address = str_from(address)};
    if (!path)
        return finding;
    *change = (struct change){.path = str_from(path),
                              .before = value_of(&scene->arena, before),
                              .after = value_of(&scene->arena, after),
                              .configurable = true};
    finding->changes = change;
    finding->nchanges = 1;
    return finding;
}

static void run(struct scene *scene)
{
    struct err err = {0};
    assert_true(places_fill(scene->places, scene->finding, scene->n, &err));
    assert_true(places_explain(scene->places, scene->finding, scene->n, &err));
}

static void check(struct str have, const char *want)
{
    if (!str_equal(have, str_from(want)))
        print_message("have '%.*s', want '%s'\n", STR_ARG(have), want);
    assert_true(str_equal(have, str_from(want)));
}

/* "branch new; earlier 1a2b resize" of the finding's first change, or of itself. */
static void check_explained(const struct finding *finding, const char *want)
{
    AUTO_BUF text = {.limit = 1 << 16};
    const struct origin *origin = finding->nchanges ? finding->changes[0].origin : finding->origin;
    for (size_t i = 0; origin && i < origin->nexplained; i++) {
        const struct explanation *e = &origin->explained[i];
        buf_printf(&text, "%s%s %.*s(%.*s)", i ? "; " : "", explanation_kind_name(e->kind),
                   STR_ARG(e->branch), STR_ARG(e->commit.summary));
    }
    check(buf_view(&text), want);
}

/* --- places --- */

static void a_finding_has_its_place_source_commit_and_owner(void **state)
{
    struct scene scene;
    shell(*state, "day=12; echo '# web' > prod/x.tf; echo >> prod/terraform.tfvars; commit later\n"
                  "git remote add origin git@git.example:a/b.git\n");
    open_scene(&scene, *state);
    struct finding *size =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"large\"");
    struct finding *team =
        add(&scene, "terraform_data.web", "input.team", "\"platform\"", "\"other\"");
    struct finding *ignored =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"huge\"");
    struct finding *missing = add(&scene, "terraform_data.web", NULL, NULL, NULL);
    ignored->ignored = true;
    struct finding *unknown = add(&scene, "terraform_data.elsewhere[0]", NULL, NULL, NULL);
    run(&scene);
    const struct origin *origin = size->origin;
    assert_non_null(origin);
    assert_ptr_equal(origin, size->changes[0].origin);
    check(origin->at.file, "prod/terraform.tfvars");
    assert_int_equal(origin->at.line, 1);
    assert_int_equal(origin->at.column, 1);
    assert_int_equal(origin->at.end_column, 16);
    check(origin->excerpt, "size = \"medium\"");
    check(origin->owner, "@sizes");
    assert_true(origin->nchain >= 2);
    check(origin->chain[0].at.file, "prod/main.tf");
    assert_int_equal(origin->chain[0].at.line, 3);
    assert_non_null(origin->commit);
    check(origin->commit->summary, "first");
    check(origin->commit->author, "Ann");
    assert_true(size->remedy.len > 0);
    check(ignored->origin->at.file, "prod/terraform.tfvars");
    assert_int_equal(ignored->remedy.len, 0);
    check(team->origin->at.file, "prod/main.tf");
    assert_int_equal(team->origin->at.line, 4);
    check(team->origin->excerpt, "team = \"platform\"");
    check(team->origin->owner, "@all");
    check(missing->origin->at.file, "prod/main.tf");
    assert_int_equal(missing->origin->at.line, 1);
    check(missing->origin->excerpt, "resource \"terraform_data\" \"web\"");
    assert_null(unknown->origin);
    const struct revision *revision = places_revision(scene.places);
    assert_non_null(revision);
    check(revision->branch, "main");
    check(revision->repository, "ssh://git.example/a/b.git");
    check(places_note(scene.places), "");
    close_scene(&scene);
}

static void no_secret_is_in_an_excerpt(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    struct finding *marked =
        add(&scene, "terraform_data.db", "input.password", "\"c4n4ry\"", "\"other\"");
    struct finding *declared =
        add(&scene, "terraform_data.web", "input.note", "\"plain\"", "\"other\"");
    struct finding *beside = add(&scene, "terraform_data.db", "input.port", NULL, "5432");
    struct finding *whole = add(&scene, "terraform_data.db", "input", "{}", "{\"a\":1}");
    scene.change[1].sensitive = true;
    run(&scene);
    check(marked->origin->excerpt, "default   = (sensitive)");
    check(declared->origin->excerpt, "note = (sensitive)");
    check(beside->origin->excerpt, "input = { ...");
    check(whole->origin->excerpt, "input = (sensitive)");
    close_scene(&scene);
}

static void every_form_of_code_has_places(void **state)
{
    struct scene scene;
    shell(*state, "cat > prod/j.tf.json <<'X'\n"
                  "{\"resource\": {\"terraform_data\": {\"j\": {\n"
                  "  \"input\": {\"a\": 1,\n    \"b\": \"deep\"}\n}}}}\nX\n"
                  "mkdir m; cat > m/main.tf <<'X'\n"
                  "variable \"sizes\" {}\n"
                  "locals {\n  mine = lookup(var.sizes, \"web\", \"none\")\n}\n"
                  "resource \"terraform_data\" \"in\" {\n"
                  "  for_each = { \"x.y\" = \"z\" }\n"
                  "  input = [\n    \"first\",\n    each.value,\n  ]\n"
                  "  triggers_replace = <<-EOT\n    one\n      two\n    EOT\n}\nX\n"
                  "cat > prod/call.tf <<'X'\n"
                  "module \"m\" {\n  source = \"../m\"\n  sizes = { web = \"\xc3\xa9\" }\n}\nX\n"
                  "day=13; commit forms\n");
    open_scene(&scene, *state);
    struct finding *json = add(&scene, "terraform_data.j", "input.b", "\"deep\"", "\"x\"");
    struct finding *item =
        add(&scene, "module.m.terraform_data.in[\"x.y\"]", "input[1]", "\"z\"", "\"other\"");
    struct finding *text =
        add(&scene, "module.m.terraform_data.in[\"x.y\"]", "triggers_replace", "\"one\"", "\"x\"");
    struct finding *block = add(&scene, "module.m.terraform_data.in[\"x.y\"]", NULL, NULL, NULL);
    run(&scene);
    check(json->origin->at.file, "prod/j.tf.json");
    assert_int_equal(json->origin->at.line, 3);
    check(json->origin->excerpt, "\"b\": \"deep\"");
    check(item->origin->at.file, "m/main.tf");
    check(item->origin->chain[0].at.file, "m/main.tf");
    assert_int_equal(item->origin->chain[0].at.line, 9);
    assert_int_equal(item->origin->chain[0].at.column, 5);
    assert_int_equal(item->origin->at.line, 6);
    check(text->origin->excerpt, "triggers_replace = <<-EOT\none\n  two\nEOT");
    assert_int_equal(text->origin->at.end_line, 14);
    check(block->origin->excerpt, "resource \"terraform_data\" \"in\"");
    assert_int_equal(block->origin->at.line, 5);
    check(block->origin->owner, "@all");
    close_scene(&scene);
}

static void without_git_the_rest_is_there(void **state)
{
    struct scene scene;
    shell(*state, "rm -rf .git\n");
    open_scene(&scene, *state);
    struct finding *size =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"large\"");
    run(&scene);
    assert_non_null(size->origin);
    assert_null(size->origin->commit);
    assert_null(places_revision(scene.places));
    assert_true(str_ends(size->origin->at.file, STR("prod/terraform.tfvars")));
    check(size->origin->excerpt, "size = \"medium\"");
    close_scene(&scene);
}

static void what_is_not_committed_has_no_author(void **state)
{
    struct scene scene;
    shell(*state, "echo 'size = \"edited\"' > prod/terraform.tfvars\n");
    open_scene(&scene, *state);
    struct finding *size =
        add(&scene, "terraform_data.web", "input.size", "\"edited\"", "\"medium\"");
    run(&scene);
    assert_non_null(size->origin->commit);
    check(size->origin->commit->hash, "");
    check_explained(size, "committed (first)");
    assert_true(places_revision(scene.places)->dirty);
    close_scene(&scene);
}

/* --- who explains it --- */

#define SET_SIZE "set_size() { echo \"size = \\\"$1\\\"\" > prod/terraform.tfvars; }\n"

static void branches_and_earlier_commits_explain(void **state)
{
    struct scene scene;
    shell(*state,
          SET_SIZE "day=11; set_size large; commit 'was large'; echo x > README; commit noise\n"
                   "set_size medium; commit 'back to medium'\n"
                   "git checkout -q -b resize; set_size huge; commit 'huge servers'\n"
                   "echo y > README; commit 'and a readme'\n"
                   "git checkout -q -b other main; set_size tiny; commit tiny\n"
                   "git update-ref refs/remotes/origin/far resize; git branch -q -f stale main~1\n"
                   "git checkout -q -b drop main; sed -i 8,10d prod/main.tf; commit 'no database'\n"
                   "git checkout -q -b split main; mkdir prod/m; cat > prod/m/m.tf <<'X'\n"
                   "resource \"terraform_data\" \"in\" {\n  input = \"new\"\n}\nX\n"
                   "echo 'module \"m\" { source = \"./m\" }' > prod/call.tf; commit 'a module'\n"
                   "git checkout -q main\n");
    open_scene(&scene, *state);
    struct finding *by_branch =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"huge\"");
    struct finding *by_earlier =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"large\"");
    struct finding *by_nobody =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"unheard\"");
    struct finding *dropped = add(&scene, "terraform_data.db", NULL, NULL, NULL);
    run(&scene);
    check_explained(by_branch, "branch resize(huge servers)");
    check_explained(by_earlier, "earlier (back to medium)");
    check_explained(by_nobody, "");
    check_explained(dropped, "branch drop(no database)");
    assert_non_null(by_branch->origin->commit); /* the rest of the origin stays */
    assert_int_equal(by_branch->origin->nexplained, 1);
    close_scene(&scene);
}

static void a_branch_explains_what_it_adds(void **state)
{
    struct scene scene;
    shell(*state,
          "day=11; git checkout -q -b grow; mkdir prod/m; cat > prod/m/m.tf <<'X'\n"
          "resource \"terraform_data\" \"in\" {\n  input = \"new\"\n}\nX\n"
          "echo 'module \"m\" {' > prod/call.tf; echo '  source = \"./m\"' >> prod/call.tf; "
          "echo '}' >> prod/call.tf; commit 'a module'\n"
          "sed -i 's/note = .*/&\\n    extra = \"yes\"/' prod/main.tf; commit 'more input'\n"
          "git checkout -q main\n");
    open_scene(&scene, *state);
    struct finding *unmanaged = add(&scene, "module.m.terraform_data.in", NULL, NULL, NULL);
    struct finding *added = add(&scene, "terraform_data.web", "input.extra", NULL, "\"yes\"");
    struct finding *other = add(&scene, "terraform_data.web", "input.extra", NULL, "\"no\"");
    unmanaged->class_ = CLASS_UNMANAGED;
    run(&scene);
    check_explained(unmanaged, "branch grow(more input)");
    check_explained(added, "branch grow(more input)");
    check_explained(other, "");
    close_scene(&scene);
}

/* A branch that began before main changed has the old value, and nobody wants it there. */
static void a_stale_branch_explains_nothing(void **state)
{
    struct scene scene;
    shell(
        *state, SET_SIZE
        "day=11; git checkout -q -b stale; echo '# c' >> prod/main.tf; commit 'comment'\n"
        "git checkout -q main; set_size large; commit 'to large'\n"
        "git checkout -q -b broken; echo 'resource {' > prod/bad.tf; set_size odd; commit broken\n"
        "git checkout -q main\n");
    open_scene(&scene, *state);
    struct finding *old =
        add(&scene, "terraform_data.web", "input.size", "\"large\"", "\"medium\"");
    struct finding *odd = add(&scene, "terraform_data.web", "input.size", "\"large\"", "\"odd\"");
    run(&scene);
    check_explained(old, "earlier (to large)");
    (void)odd; /* of code that does not parse nothing has to be known, and nothing may fail */
    close_scene(&scene);
}

static void secrets_are_compared_with_nothing(void **state)
{
    struct scene scene;
    shell(*state, "day=11; git checkout -q -b rotate; sed -i s/c4n4ry/n3w/ prod/variables.tf; "
                  "commit rotate; git checkout -q main\n");
    open_scene(&scene, *state);
    struct finding *finding =
        add(&scene, "terraform_data.db", "input.password", "\"c4n4ry\"", "\"n3w\"");
    run(&scene);
    check_explained(finding, "");
    close_scene(&scene);
}

static void old_and_many_are_left_out(void **state)
{
    struct scene scene;
    struct err err = {0};
    shell(*state, SET_SIZE
          "export GIT_COMMITTER_DATE; git checkout -q -b ancient; set_size large; git add -A; "
          "GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z "
          "git commit -qm ancient\n"
          "day=20; git checkout -q -b one main; set_size large; commit one\n"
          "git checkout -q -b two main; set_size large; commit two; git checkout -q main\n");
    open_scene(&scene, *state);
    struct finding *both =
        add(&scene, "terraform_data.web", "input.size", "\"medium\"", "\"large\"");
    run(&scene);
    check_explained(both, "branch two(two); branch one(one)");
    scene.places->options.most_branches = 1;
    assert_true(places_explain(scene.places, scene.finding, scene.n, &err));
    check_explained(both, "branch two(two)");
    /* a second time the lines are known: no git is needed */
    const struct commit *before = both->origin->commit;
    scene.places->own->git->deadline_ms = 0;
    assert_true(places_fill(scene.places, scene.finding, scene.n, &err));
    assert_ptr_equal(both->origin->commit, before);
    assert_non_null(before);
    close_scene(&scene);
}

/* --- addresses --- */

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *address, *module, *type, *name;
        enum code_mode mode;
    } cases[] = {
        {"a.b", "", "a", "b", CODE_MANAGED},
        {"a.b[0]", "", "a", "b", CODE_MANAGED},
        {"data.a.b[\"x.y\"]", "", "a", "b", CODE_DATA},
        {"module.m.a.b", "module.m", "a", "b", CODE_MANAGED},
        {"module.m[\"k.]\\\"\"].module.n[3].data.a.b", "module.m[\"k.]\\\"\"].module.n[3]", "a",
         "b", CODE_DATA},
        {"a.b (deposed 12345678)", "", "a", "b", CODE_MANAGED},
        {"module.a", NULL, NULL, NULL, CODE_MANAGED},
        {"module.m[\"", NULL, NULL, NULL, CODE_MANAGED},
        {"a", NULL, NULL, NULL, CODE_MANAGED},
        {"a.", NULL, NULL, NULL, CODE_MANAGED},
        {"", NULL, NULL, NULL, CODE_MANAGED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place_address got;
        assert_int_equal(places_address(str_from(cases[i].address), &got), cases[i].type != NULL);
        if (!cases[i].type)
            continue;
        check(got.module, cases[i].module);
        check(got.type, cases[i].type);
        check(got.name, cases[i].name);
        assert_int_equal(got.mode, cases[i].mode);
    }
}

#define REPO_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(a_finding_has_its_place_source_commit_and_owner),
        REPO_TEST(no_secret_is_in_an_excerpt),
        REPO_TEST(every_form_of_code_has_places),
        REPO_TEST(without_git_the_rest_is_there),
        REPO_TEST(what_is_not_committed_has_no_author),
        REPO_TEST(branches_and_earlier_commits_explain),
        REPO_TEST(a_branch_explains_what_it_adds),
        REPO_TEST(a_stale_branch_explains_nothing),
        REPO_TEST(secrets_are_compared_with_nothing),
        REPO_TEST(old_and_many_are_left_out),
        cmocka_unit_test(addresses_are_taken_apart),
    };
    return cmocka_run_group_tests_name("scan/places", tests, NULL, NULL);
}
