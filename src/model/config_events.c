/* config_events.c - the keys of `events` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define AT(member) .at = offsetof(struct config, events.member)

static const struct field oidc_fields[] = {
    {.name = "audience",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     .required = true,
     AT(oidc_audience),
     .text = "what the sender was told to put into its tokens, such as the URL of this service"},
    {.name = "emails",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     .required = true,
     AT(oidc_emails),
     .count_at = offsetof(struct config, events.noidc_emails),
     .text = "whose tokens count: service accounts, * and ? in them"},
    {.name = "issuer",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(oidc_issuer),
     .text = "of the tokens; https://accounts.google.com without it"},
    {.name = "keys",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(oidc_keys),
     .text =
         "the issuer's JSON Web Key Set: an https URL, or a file relative to this one; Google's "
         "without it"},
};
static const struct section oidc_section = {.what = "events.oidc",
                                            .fields = oidc_fields,
                                            .nfields = sizeof oidc_fields / sizeof *oidc_fields};

static const struct field events_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(key),
     .text = "env:NAME or file:PATH: who signs events with it, or sends it as X-Api-Key, needs no "
             "token"},
    {.name = "oidc",
     .kind = FIELD_SECTION,
     .section = &oidc_section,
     .text = "signed OpenID Connect tokens of senders, such as Google's Pub/Sub, need no other "
             "token"},
    {.name = "pipelines",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     AT(pipelines),
     .count_at = offsetof(struct config, events.npipelines),
     .text = "identities that apply the code: names, ARNs or addresses, * and ? in them, such as "
             "*:assumed-role/ci-deploy/*; what they do within a run is expected"},
    {.name = "keep",
     .kind = FIELD_DURATION,
     .least = 86400000,
     AT(keep_ms),
     .text = "how long events are kept, such as 30d; 90 days without it"},
};
const struct section config_events_section = {.what = "events",
                                              .fields = events_fields,
                                              .nfields =
                                                  sizeof events_fields / sizeof *events_fields};
