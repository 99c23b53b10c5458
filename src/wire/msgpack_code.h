/* msgpack_code.h - the bytes that msgpack.c reads and msgpack_write.c writes.
 *
 * Source:  github.com/msgpack/msgpack spec.md, "Formats"; refinements: facts/terraform.md 2.5
 */
#pragma once

enum {
    CODE_NULL = 0xc0,
    CODE_FALSE = 0xc2,
    CODE_TRUE = 0xc3,
    CODE_BIN8 = 0xc4,
    CODE_BIN16 = 0xc5,
    CODE_BIN32 = 0xc6,
    CODE_EXT8 = 0xc7,
    CODE_EXT16 = 0xc8,
    CODE_EXT32 = 0xc9,
    CODE_FLOAT32 = 0xca,
    CODE_FLOAT64 = 0xcb,
    CODE_UINT8 = 0xcc,
    CODE_UINT16 = 0xcd,
    CODE_UINT32 = 0xce,
    CODE_UINT64 = 0xcf,
    CODE_INT8 = 0xd0,
    CODE_INT16 = 0xd1,
    CODE_INT32 = 0xd2,
    CODE_INT64 = 0xd3,
    CODE_FIXEXT1 = 0xd4, /* then 2, 4, 8 and 16 bytes */
    CODE_STR8 = 0xd9,
    CODE_STR16 = 0xda,
    CODE_STR32 = 0xdb,
    CODE_ARRAY16 = 0xdc,
    CODE_ARRAY32 = 0xdd,
    CODE_MAP16 = 0xde,
    CODE_MAP32 = 0xdf
};

enum { EXT_UNKNOWN = 0, EXT_REFINED = 12 };

/* Keys of the map in an EXT_REFINED. */
enum {
    REFINE_NULL = 1,
    REFINE_PREFIX = 2,
    REFINE_LEAST = 3,
    REFINE_MOST = 4,
    REFINE_LEN_LEAST = 5,
    REFINE_LEN_MOST = 6
};

/*
 * An infinite double. A value tree has only JSON numbers: one with an exponent of 19 digits, which
 * no other number equals and which is written as infinity again.
 */
#define MSGPACK_INFINITY "1e9999999999999999999"
