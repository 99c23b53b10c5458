/* test_method.c - what a path is to the proxy: nothing that changes something is passed on unasked.
 */
#include "base/test.h"

#include "enforce/provider_proxy/method.h"

static const struct {
    const char *path;
    enum method_kind kind;
    int protocol;
} cases[] = {
    {"/tfplugin5.Provider/GetSchema", METHOD_SCHEMA, 5},
    {"/tfplugin6.Provider/GetProviderSchema", METHOD_SCHEMA, 6},
    {"/tfplugin5.Provider/Configure", METHOD_CONFIGURE, 5},
    {"/tfplugin6.Provider/PlanResourceChange", METHOD_STATEFUL, 6},
    {"/tfplugin6.Provider/UpgradeResourceState", METHOD_PURE, 6},
    {"/tfplugin5.Provider/Stop", METHOD_STOP, 5},
    {"/tfplugin5.Provider/ApplyResourceChange", METHOD_APPLY, 5},
    {"/tfplugin6.Provider/ApplyResourceChange", METHOD_APPLY, 6},
    {"/tfplugin6.Provider/InvokeAction", METHOD_CHANGE, 6},
    {"/tfplugin6.Provider/DeleteState", METHOD_CHANGE, 6},
    {"/tfplugin6.Provider/WriteStateBytes", METHOD_STATEFUL, 6},
    {"/tfplugin6.Provider/NobodyKnows", METHOD_CHANGE, 6},
    {"/tfplugin6.Provider/", METHOD_CHANGE, 6},
    {"/tfplugin7.Provider/ApplyResourceChange", METHOD_CHANGE, 0},
    {"/somebody.Else/Does", METHOD_CHANGE, 0},
    {"/plugin.GRPCStdio/StreamStdio", METHOD_STREAM, 0},
    {"/plugin.GRPCBroker/StartStream", METHOD_STREAM, 0},
    {"/plugin.GRPCController/Shutdown", METHOD_SHUTDOWN, 0},
    {"/plugin.GRPCController/Else", METHOD_CHANGE, 0},
    {"/grpc.health.v1.Health/Check", METHOD_PURE, 0},
    {"", METHOD_CHANGE, 0},
};

static void each_path_is_what_it_should_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct method got = method_of(str_from(cases[i].path));
        print_message("  %s\n", cases[i].path);
        assert_int_equal(got.kind, cases[i].kind);
        assert_int_equal(got.protocol, cases[i].protocol);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_path_is_what_it_should_be)};
    return cmocka_run_group_tests_name("enforce/provider_proxy/method", tests, NULL, NULL);
}
