/* generate.c - a state of N instances as Terraform writes it, and the live snapshot of the same.
 *
 * usage: generate N DIR [DRIFT_EVERY]   writes DIR/terraform.tfstate and DIR/live.json
 * About 1,350 bytes of state and 750 of snapshot an instance; every DRIFT_EVERYth live instance
 * has another `size` tag.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PER_RESOURCE = 100 };

/* xorshift: the same bytes on every machine */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

struct style {
    const char *nl[8]; /* line break and indentation by level below the attributes */
    const char *colon;
};

static void attributes(FILE *out, const struct style *s, uint64_t i, int drifted)
{
    uint64_t a = mix(i), b = mix(i + 1000000007);
    const char *n1 = s->nl[1], *n2 = s->nl[2], *n3 = s->nl[3], *c = s->colon;
    fprintf(out, "{%s\"ami\"%s\"ami-%012" PRIx64 "\",", n1, c, a & 0xffffffffffffu);
    fprintf(out, "%s\"arn\"%s\"arn:aws:ec2:eu-central-1:123456789012:instance/i-%016" PRIx64 "\",",
            n1, c, b);
    fprintf(out, "%s\"availability_zone\"%s\"eu-central-1%c\",%s\"cpu_core_count\"%s%d,", n1, c,
            'a' + (int)(a % 3), n1, c, 1 + (int)(b % 16));
    fprintf(out,
            "%s\"ebs_block_device\"%s[%s{%s\"device_name\"%s\"/dev/sdf\",%s\"encrypted\"%strue,",
            n1, c, n2, n3, c, n3, c);
    fprintf(out,
            "%s\"iops\"%s%d,%s\"volume_id\"%s\"vol-%016" PRIx64 "\",%s\"volume_size\"%s%d%s}%s],",
            n3, c, 3000, n3, c, a ^ b, n3, c, 8 + (int)(a % 500), n2, n1);
    fprintf(out, "%s\"hibernation\"%snull,%s\"id\"%s\"i-%016" PRIx64 "\",", n1, c, n1, c, b);
    fprintf(out, "%s\"instance_type\"%s\"m5.%dxlarge\",%s\"key_name\"%s\"operations\",", n1, c,
            1 << (a % 4), n1, c);
    fprintf(out, "%s\"monitoring\"%s%s,%s\"private_ip\"%s\"10.%d.%d.%d\",", n1, c,
            a & 1 ? "true" : "false", n1, c, (int)(a >> 8 & 255), (int)(a >> 16 & 255),
            (int)(a >> 24 & 255));
    fprintf(out, "%s\"security_groups\"%s[%s\"sg-%08x\",%s\"sg-%08x\"%s],", n1, c, n2,
            (unsigned)(b & 0xffffffu), n2, (unsigned)(b >> 32), n1);
    fprintf(out, "%s\"tags\"%s{%s\"Name\"%s\"web-%" PRIu64 "\",%s\"environment\"%s\"production\",",
            n1, c, n2, c, i, n2, c);
    fprintf(out, "%s\"owner\"%s\"platform team\",%s\"size\"%s\"%d\"%s},", n2, c, n2, c,
            drifted ? -1 : (int)(b % 100), n1);
    fprintf(out,
            "%s\"timeouts\"%snull,%s\"user_data\"%s\"#!/bin/sh\\necho \\\"hello\\\"\\n\",%s"
            "\"vpc_security_group_ids\"%s[]%s}",
            n1, c, n1, c, n1, c, s->nl[0]);
}

static void state(FILE *out, uint64_t n)
{
    static const struct style pretty = {
        {"\n          ", "\n            ", "\n              ", "\n                "}, ": "};
    fprintf(out, "{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 7,\n"
                 "  \"lineage\": \"6a1f0e4e-0000-4000-8000-000000000001\",\n  \"outputs\": {},\n"
                 "  \"resources\": [");
    for (uint64_t i = 0; i < n; i++) {
        if (i % PER_RESOURCE == 0)
            fprintf(out,
                    "%s\n    {\n      \"module\": \"module.app[%" PRIu64 "]\",\n"
                    "      \"mode\": \"managed\",\n      \"type\": \"aws_instance\",\n"
                    "      \"name\": \"web\",\n      \"provider\": "
                    "\"provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\",\n"
                    "      \"instances\": [",
                    i ? "\n      ]\n    }," : "", i / PER_RESOURCE);
        fprintf(out,
                "%s\n        {\n          \"index_key\": %" PRIu64
                ",\n          \"schema_version\": 1,\n          \"attributes\": ",
                i % PER_RESOURCE ? "," : "", i % PER_RESOURCE);
        attributes(out, &pretty, i, 0);
        fprintf(out, ",\n          \"sensitive_attributes\": [],\n          \"private\": "
                     "\"eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==\"\n        }");
    }
    fprintf(out, "%s\n  ],\n  \"check_results\": null\n}\n", n ? "\n      ]\n    }" : "");
}

static void live(FILE *out, uint64_t n, uint64_t drift_every)
{
    static const struct style flat = {{"", "", "", ""}, ":"};
    fprintf(out, "{\"complete\":true,\"resources\":[");
    for (uint64_t i = 0; i < n; i++) {
        fprintf(out,
                "%s\n{\"address\":\"module.app[%" PRIu64 "].aws_instance.web[%" PRIu64 "]\","
                "\"type\":\"aws_instance\",\"attributes\":",
                i ? "," : "", i / PER_RESOURCE, i % PER_RESOURCE);
        attributes(out, &flat, i, drift_every && i % drift_every == drift_every - 1);
        fputc('}', out);
    }
    fprintf(out, "\n]}\n");
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        exit(1);
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    (void)setvbuf(out, NULL, _IOFBF, 1 << 20);
    return out;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: generate N DIR [DRIFT_EVERY]\n");
        return 1;
    }
    uint64_t n = strtoull(argv[1], NULL, 10), every = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    FILE *out = open_in(argv[2], "terraform.tfstate");
    state(out, n);
    int failed = fclose(out);
    out = open_in(argv[2], "live.json");
    live(out, n, every);
    failed |= fclose(out);
    return failed ? 1 : 0;
}
