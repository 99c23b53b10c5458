/* method.c - the table behind method.h. */
#include "enforce/provider_proxy/method.h"

#include <stddef.h>

/* X(name, kind): of tfplugin5.Provider and tfplugin6.Provider. */
#define METHODS(X) \
    X("GetMetadata", METHOD_PURE) \
    X("GetSchema", METHOD_SCHEMA) \
    X("GetProviderSchema", METHOD_SCHEMA) \
    X("GetResourceIdentitySchemas", METHOD_PURE) \
    X("PrepareProviderConfig", METHOD_PURE) \
    X("ValidateProviderConfig", METHOD_PURE) \
    X("ValidateResourceTypeConfig", METHOD_PURE) \
    X("ValidateResourceConfig", METHOD_PURE) \
    X("ValidateDataSourceConfig", METHOD_PURE) \
    X("ValidateDataResourceConfig", METHOD_PURE) \
    X("ValidateEphemeralResourceConfig", METHOD_PURE) \
    X("ValidateListResourceConfig", METHOD_PURE) \
    X("ValidateActionConfig", METHOD_PURE) \
    X("ValidateStateStoreConfig", METHOD_PURE) \
    X("UpgradeResourceState", METHOD_PURE) \
    X("UpgradeResourceIdentity", METHOD_PURE) \
    X("GetFunctions", METHOD_PURE) \
    X("CallFunction", METHOD_PURE) \
    X("Configure", METHOD_CONFIGURE) \
    X("ConfigureProvider", METHOD_CONFIGURE) \
    X("ReadResource", METHOD_STATEFUL) \
    X("PlanResourceChange", METHOD_STATEFUL) \
    X("ImportResourceState", METHOD_STATEFUL) \
    X("MoveResourceState", METHOD_STATEFUL) \
    X("GenerateResourceConfig", METHOD_STATEFUL) \
    X("ReadDataSource", METHOD_STATEFUL) \
    X("OpenEphemeralResource", METHOD_STATEFUL) \
    X("RenewEphemeralResource", METHOD_STATEFUL) \
    X("CloseEphemeralResource", METHOD_STATEFUL) \
    X("ListResource", METHOD_STATEFUL) \
    X("PlanAction", METHOD_STATEFUL) \
    /* Where states are kept by a provider: what was applied must be written down. */ \
    X("ConfigureStateStore", METHOD_STATEFUL) \
    X("ReadStateBytes", METHOD_STATEFUL) \
    X("WriteStateBytes", METHOD_STATEFUL) \
    X("LockState", METHOD_STATEFUL) \
    X("UnlockState", METHOD_STATEFUL) \
    X("GetStates", METHOD_STATEFUL) \
    X("Stop", METHOD_STOP) \
    X("StopProvider", METHOD_STOP) \
    X("ApplyResourceChange", METHOD_APPLY) \
    X("InvokeAction", METHOD_CHANGE) \
    X("DeleteState", METHOD_CHANGE)

static const struct {
    struct str name;
    enum method_kind kind;
} methods[] = {
#define X(name, kind) {STR_INIT(name), kind},
    METHODS(X)
#undef X
};

static enum method_kind kind_by_name(struct str name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_equal(methods[i].name, name))
            return methods[i].kind;
    return METHOD_CHANGE;
}

struct method method_of(struct str path)
{
    static const struct str services[] = {STR_INIT("/tfplugin5.Provider/"),
                                          STR_INIT("/tfplugin6.Provider/")};
    struct method ret = {.kind = METHOD_PURE, .name = path};
    for (size_t i = 0; i < 2; i++) {
        if (!str_starts(path, services[i]))
            continue;
        ret.protocol = (int)i + 5;
        ret.name = str_sub(path, services[i].len, path.len);
        ret.kind = kind_by_name(ret.name);
        return ret;
    }
    if (str_equal(path, STR("/plugin.GRPCStdio/StreamStdio")) ||
        str_equal(path, STR("/plugin.GRPCBroker/StartStream")))
        ret.kind = METHOD_STREAM;
    else if (str_equal(path, STR("/plugin.GRPCController/Shutdown")))
        ret.kind = METHOD_SHUTDOWN;
    else if (!str_starts(path, STR("/grpc.")))
        ret.kind = METHOD_CHANGE; /* a service that nobody has heard of */
    return ret;
}
